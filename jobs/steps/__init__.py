"""What the terminal shows while make works: a line per step, and what a person must see of its output."""
