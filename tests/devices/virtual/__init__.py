"""The virtual phone's user land: programs for a container whose adbd is AOSP's own."""
