"""A stand-in for adbd: speaks the wire protocol to the real adb server, with faults on order."""
