"""Start adbd without its second door: besides TCP it would listen on vsock, which no container keeps in.

vsock is not part of a network namespace, so an adbd that nobody has to authenticate to would be open to the
machine's other guests. A seccomp filter on top of the engine's own makes socket(AF_VSOCK, …) fail, for adbd and for
all that it starts (kernel: Documentation/userspace-api/seccomp_filter.rst).
"""

import ctypes
import os
import platform
import struct

ADBD = "/usr/lib/android-sdk/platform-tools/adbd"
AF_VSOCK = 40
EAFNOSUPPORT = 97
SOCKET_CALL = {"x86_64": 41, "aarch64": 198}
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2
ALLOW = 0x7FFF0000
FAIL = 0x00050000
LOAD_WORD = 0x20
JUMP_IF_EQUAL = 0x15
RETURN = 0x06
# struct seccomp_data: the call's number, then its arguments of eight bytes each behind 16 bytes.
NUMBER_AT = 0
FIRST_ARGUMENT_AT = 16


def rules(call: int) -> bytes:
    """The filter: five instructions of struct sock_filter."""
    instructions = (
        (LOAD_WORD, 0, 0, NUMBER_AT),
        (JUMP_IF_EQUAL, 0, 3, call),
        (LOAD_WORD, 0, 0, FIRST_ARGUMENT_AT),
        (JUMP_IF_EQUAL, 0, 1, AF_VSOCK),
        (RETURN, 0, 0, FAIL | EAFNOSUPPORT),
        (RETURN, 0, 0, ALLOW),
    )
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in instructions)


def refuse_vsock() -> None:
    """Apply the filter to this process and its children. Raises OSError where the kernel has no seccomp."""
    code = rules(SOCKET_CALL[platform.machine()])
    kept = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("<H6xQ", len(code) // 8, ctypes.addressof(kept))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0)):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "prctl refused")


def main() -> None:
    """Become adbd."""
    refuse_vsock()
    os.execv(ADBD, [ADBD])  # noqa: S606


if __name__ == "__main__":
    main()
