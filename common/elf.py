"""What a program for Android is built for, by the beginning of its file."""

MAGIC = b"\x7fELF"
# e_machine, two bytes at offset 18 of an ELF header (System V ABI, chapter 4).
MACHINES = {183: ("arm64-v8a",), 40: ("armeabi-v7a", "armeabi"), 62: ("x86_64",), 3: ("x86",)}
MACHINE_OFFSET = 18
HEADER_BYTES = 20


def elf_abis(header: bytes) -> tuple[str, ...]:
    """The ABIs that an executable or a library is for, by its first 20 bytes; none for what is no ELF file."""
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        return ()
    return MACHINES.get(int.from_bytes(header[MACHINE_OFFSET:HEADER_BYTES], "little"), ())
