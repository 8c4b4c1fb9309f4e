"""Communicators, waiting that stays responsive, and failing together."""

import os
import socket
import sys
import time
import traceback

NAP_SECONDS = 0.0005
"""Pause between two looks at an unfinished request: a waiting rank must not burn its core."""


class NoMPIError(RuntimeError):
    """No usable MPI library; the message is one line."""


def world():
    """MPI.COMM_WORLD; starts MPI on the first call.

    Raises
    ------
    NoMPIError
        mpi4py finds no MPI library.
    """
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise NoMPIError(
            f"no MPI library can be loaded ({reason}): load your site's MPI module or install"
            " Open MPI or MPICH"
        ) from None
    return MPI.COMM_WORLD


def abort_on_exception(comm):
    """Let any uncaught exception on one rank end all ranks, with a message that names it.

    Without this an exception on one rank leaves the others waiting for ever.
    """

    def hook(kind, value, trace):
        if issubclass(kind, KeyboardInterrupt):
            text = "interrupted\n"
        else:
            text = "".join(traceback.format_exception(kind, value, trace))
        sys.stderr.write(
            f"{text}hpc-cr: rank {comm.rank} of {comm.size} on {socket.gethostname()} failed"
            f" ({kind.__name__}: {value}); all ranks end, finished entries are kept\n"
        )
        sys.stderr.flush()
        if comm.size == 1:
            # nobody waits for this process, and MPI_Abort would only add its own noise
            os._exit(1)
        comm.Abort(1)

    sys.excepthook = hook


def wait(request, poll):
    """Wait for an MPI request, calling `poll` meanwhile."""
    while not request.Test():
        poll()
        time.sleep(NAP_SECONDS)


def agree(comm, function, expected):
    """Run a function on rank 0 alone; every rank returns its value or raises its error.

    Parameters
    ----------
    comm : Comm
    function : callable
        Called without arguments on rank 0.
    expected : tuple of exception classes
        Errors that all ranks raise; any other one ends the program on rank 0.
    """
    outcome = None
    if comm.rank == 0:
        try:
            outcome = (True, function())
        except expected as error:
            outcome = (False, error)
    good, value = comm.bcast(outcome, root=0)
    if not good:
        raise value
    return value


def block(total, parts, number):
    """Range (first, last) of part `number` of `total` items split as evenly as possible."""
    return total * number // parts, total * (number + 1) // parts
