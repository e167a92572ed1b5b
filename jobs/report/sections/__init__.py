"""The chapters of the report, in files of their own. Pure: results to blocks."""
