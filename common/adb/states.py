"""The states that adb gives a device, and what to do about them. Pure."""

STATES = {
    "unauthorized": "accept the key of this computer on the device's screen",
    "offline": "unplug it and plug it in again, or adb reconnect offline",
    "bootloader": "start Android on it",
    "recovery": "start Android on it",
    "sideload": "start Android on it",
    "no permissions": "add a udev rule for the device (plugdev), or restart the adb server as a user who may",
    "authorizing": "wait a moment, and look at the device's screen",
    "connecting": "wait a moment",
}


def remedy(state: str) -> str | None:
    """What to do about a device in this state; None for one that is ready."""
    if state == "device":
        return None
    known = next((hint for name, hint in STATES.items() if state.startswith(name)), None)
    return known or "unplug it and plug it in again"
