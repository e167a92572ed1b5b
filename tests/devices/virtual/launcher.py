"""A tiny ELF program that runs one of the virtual phone's tools with its own arguments.

What is pushed to a phone must be an executable of the phone's processor. This one is a handful of instructions
around execve("/system/bin/<tool>", argv, envp). At the start of a process argc lies on top of the stack,
then argv, a zero, and the environment (System V ABI, both processors).
"""

import platform
import struct
import sys
from pathlib import Path

FOLDER = "/system/bin"
BASE = 0x400000
ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
START = ELF_HEADER.size + PROGRAM_HEADER.size
EXECUTABLE = 2
LOAD = 1
READ_EXECUTE = 5
PAGE = 0x1000
# The path follows the code.
X86_64 = bytes.fromhex(
    "488b0c24"  # mov rcx, [rsp]: argc
    "488d742408"  # lea rsi, [rsp+8]: argv
    "488d54ce08"  # lea rdx, [rsi+rcx*8+8]: the environment
    "488d3d13000000"  # lea rdi, [rip+19]: the path
    "b83b000000"  # mov eax, 59: execve
    "0f05"  # syscall
    "bf7f000000"  # mov edi, 127
    "b83c000000"  # mov eax, 60: exit
    "0f05"  # syscall
)
AARCH64 = struct.pack(
    "<10I",
    0xF94003E2,  # ldr x2, [sp]: argc
    0x910023E1,  # add x1, sp, #8: argv
    0x8B020C22,  # add x2, x1, x2, lsl #3
    0x91002042,  # add x2, x2, #8: the environment
    0x100000C0,  # adr x0, +24: the path
    0xD2801BA8,  # mov x8, #221: execve
    0xD4000001,  # svc #0
    0xD2800FE0,  # mov x0, #127
    0xD2800BA8,  # mov x8, #93: exit
    0xD4000001,  # svc #0
)
# e_machine and code by what the machine calls itself.
CODES = {"x86_64": (62, X86_64), "aarch64": (183, AARCH64)}


def launcher(machine: str, program: str) -> bytes:
    """The program for a machine that runs `program` of the phone. Raises KeyError for a machine that is neither x86_64
    nor aarch64."""
    number, code = CODES[machine]
    body = code + f"{FOLDER}/{program}\0".encode()
    size = START + len(body)
    identity = b"\x7fELF" + bytes([2, 1, 1])
    entry = BASE + START
    sizes = (ELF_HEADER.size, PROGRAM_HEADER.size, 1, 0, 0, 0)
    head = ELF_HEADER.pack(identity, EXECUTABLE, number, 1, entry, ELF_HEADER.size, 0, 0, *sizes)
    segment = PROGRAM_HEADER.pack(LOAD, READ_EXECUTE, 0, BASE, BASE, size, size, PAGE)
    return head + segment + body


if __name__ == "__main__":
    made = Path(sys.argv[1])
    made.write_bytes(launcher(platform.machine(), made.name))
    made.chmod(0o755)
