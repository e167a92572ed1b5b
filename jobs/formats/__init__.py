"""Results in the formats of other tools: functions of `results.json` alone."""
