"""Every session of the devices over all runs, and what changed over time."""
