"""All runs of a folder, on a page that only this machine can read."""
