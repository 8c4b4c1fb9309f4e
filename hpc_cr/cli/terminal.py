"""The terminal: is there one, and numbers for people."""

import os


def duration(seconds):
    """A time span for people: "0.4 s", "45 s", "12 min", "3.1 h", "2.4 d"."""
    if seconds < 1:
        return f"{seconds:.1g} s" if seconds >= 1e-3 else "0 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 172800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} d"


def on_terminal(stream):
    """Whether a person watches a stream: it is a terminal, and so is mpirun's output.

    Open MPI gives rank 0 a pseudo-terminal even when its own output goes to a file.
    """
    if not stream.isatty():
        return False
    if "OMPI_COMM_WORLD_RANK" not in os.environ:
        return True
    try:
        return os.readlink(f"/proc/{os.getppid()}/fd/1").startswith("/dev/pts/")
    except OSError:
        return False
