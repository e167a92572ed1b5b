"""Two phones to test against: a stand-in for adbd in this process, and a virtual phone in a container."""
