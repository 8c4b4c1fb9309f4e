"""Communicators, waiting that stays responsive, and failing together."""

import os
import socket
import sys
import time
import traceback
from contextlib import contextmanager

NAP_SECONDS = 0.0005
"""Pause between two looks at an unfinished request: a waiting rank must not burn its core."""

_LAUNCHERS = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK")


class AgreedError(Exception):
    """An expected error that every rank raises together; the message is one line."""


class SingleProcess:
    """Stands in for MPI.COMM_WORLD where there is no MPI library: one rank, nobody to talk to."""

    rank, size = 0, 1

    def bcast(self, value, root=0):
        return value

    def allreduce(self, value):
        return value

    def allgather(self, value):
        return [value]

    def Split(self, color=0, key=0):
        return self

    def Split_type(self, split_type, key=0):
        return self

    def Iprobe(self, source=0, tag=0):
        return False

    def Ibarrier(self):
        return self

    def Test(self):
        return True

    def Free(self):
        pass


def world():
    """MPI.COMM_WORLD (starts MPI on the first call), or a `SingleProcess`.

    Returns
    -------
    comm
        A SingleProcess only if mpi4py finds no MPI library and no launcher started this process.

    Raises
    ------
    AgreedError
        A launcher started several processes, but they cannot talk to each other.
    """
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        if not any(name in os.environ for name in _LAUNCHERS):
            return SingleProcess()
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise AgreedError(
            f"no MPI library can be loaded ({reason}): load the MPI module of this mpirun or srun"
        ) from None
    return MPI.COMM_WORLD


@contextmanager
def failing_together(comm):
    """End all ranks when one fails inside, with a message that names it; not for AgreedErrors.

    Without this an exception on one rank leaves the others waiting for ever.
    """
    try:
        yield
    except AgreedError:
        raise
    except Exception as error:
        where = f"rank {comm.rank} of {comm.size} on {socket.gethostname()}"
        sys.stdout.flush()
        sys.stderr.write(
            f"{traceback.format_exc()}hpc-cr: {where} failed ({type(error).__name__}: {error});"
            " all ranks end, finished entries are kept\n"
        )
        sys.stderr.flush()
        if comm.size == 1:
            # without MPI_Abort's own noise; closing a half-written file could hang or crash
            os._exit(1)
        comm.Abort(1)


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
    expected : exception class or tuple of them
        Errors that all ranks raise as an AgreedError with the same message.
    """
    outcome = None
    if comm.rank == 0:
        try:
            outcome = (True, function())
        except expected as error:
            outcome = (False, str(error))
    good, value = comm.bcast(outcome, root=0)
    if not good:
        raise AgreedError(value)
    return value


def block(total, parts, number):
    """Range (first, last) of part `number` of `total` items split as evenly as possible."""
    return total * number // parts, total * (number + 1) // parts
