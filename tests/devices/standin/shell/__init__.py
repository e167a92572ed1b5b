"""The part of a POSIX shell that adb shell commands use, over the stand-in's own files and programs."""
