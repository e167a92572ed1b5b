"""What both test phones share: a personality, what its system programs print, and its benchmark_model.

Standard library only, because the virtual phone's image copies this folder as it is.
"""
