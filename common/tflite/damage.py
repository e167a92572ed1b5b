"""What reading a file raises where the file is damaged."""

import struct

from common.errors import EdgeproofError

# What the generated reader and numpy raise when an offset or a length leads out of the file.
DAMAGE = (struct.error, LookupError, TypeError, ValueError, AttributeError, OverflowError, AssertionError)
# Those that say what is wrong with the file. The others speak of the reader's own buffers and indices.
SAYING = (ValueError, OverflowError)


def damaged(error: Exception) -> EdgeproofError:
    """The error for one of these, in words about the file."""
    why = str(error) if isinstance(error, SAYING) else "an offset in it leads to what is none of its parts"
    return EdgeproofError(f"damaged .tflite file: {why}")
