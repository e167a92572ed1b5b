"""The programs of the stand-in: shell builtins, files, texts, processes, Android services."""
