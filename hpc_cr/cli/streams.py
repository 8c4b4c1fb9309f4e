"""Standard streams that are closed, lose their reader or have no room: a run goes on without them.

A terminal may be closed, `| head` ends, a log may lie on a full disk. None of that is a reason to
give up a computation.
"""

import os
import sys
from contextlib import contextmanager, suppress


def open_closed():
    """Open what of the streams 0, 1 and 2 is closed on /dev/null.

    The next file that is opened would take the number of a closed one: a library's message could
    end up in the middle of the result file.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
            if getattr(sys, name) is None:
                setattr(sys, name, open(null, "w" if number else "r", closefd=False))


class Lasting:
    """A text stream that swallows the errors of what lies behind it."""

    def __init__(self, stream):
        self._stream = stream

    def write(self, text):
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self):
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name):
        return getattr(self._stream, name)


@contextmanager
def lasting_streams():
    """Make stdout and stderr such streams inside."""
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(Lasting, streams)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams
        for stream in streams:
            try:
                stream.flush()
            except (OSError, ValueError):
                # the interpreter's own last flush would turn the exit status into 120
                with suppress(OSError, ValueError):
                    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
