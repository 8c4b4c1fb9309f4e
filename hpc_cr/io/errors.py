"""The error of the result file."""


class ResultError(RuntimeError):
    """A result file cannot be created, written, resumed or read.

    The message is one line: which file, what is wrong with it, and where possible the remedy.
    """

    def __init__(self, message):
        super().__init__(" ".join(str(message).split()))
