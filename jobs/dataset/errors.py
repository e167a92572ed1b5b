"""What goes wrong with one file, as opposed to the whole run."""


class UnusableFileError(Exception):
    """This file cannot become an image of the dataset; its text is the reason, for the quarantine."""
