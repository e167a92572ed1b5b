"""A run's report in the user's browser."""
