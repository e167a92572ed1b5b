"""Two finished runs beside each other: what changed, and whether budgets are kept."""
