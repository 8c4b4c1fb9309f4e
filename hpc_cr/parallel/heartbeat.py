"""Heartbeats: no rank is waited for in vain.

A node that dies silently, a cut network link and a process that hangs give no error in MPI: the
other ranks wait for ever. So the ranks form a ring in which each sends its successor a sign of
life now and then and listens to its predecessor; no rank carries more of it than any other. Who
hears nothing for longer than the deadline names the silent rank and ends the job. Behind a cut
link MPI_Abort reaches nobody, and mpirun waits for the other side; so the verdict goes round the
ring, as far as that is whole, and to rank 0, which usually is at mpirun's side.

A rank that stands still in its own code or in a library names itself and the place before that
(`hpc_cr.parallel.watchdog`).
"""

import os
import socket
import time
from contextlib import contextmanager

import numpy as np

from hpc_cr.parallel.communicator import NAP_SECONDS, anyone, wait
from hpc_cr.parallel.ending import ABORT_SECONDS, end_all, outlive_launcher
from hpc_cr.parallel.watchdog import Silence, Watchdog

BEATS = 20
"""Signs of life per deadline."""
LONGEST_INTERVAL = 5.0
"""Seconds between two signs of life at most."""
GRACE_SECONDS = 2.0
"""How much longer than the deadline the ring waits, besides some intervals: a rank that can name
itself and its place comes first."""

START_SECONDS = 600.0
"""Deadline before the job's own is known."""
PASSING_SECONDS = 1.0
"""For the verdict to reach other ranks, before MPI_Abort ends those that it reaches."""

_MESSAGE = np.dtype([("ending", "i8"), ("silent", "i8"), ("seconds", "f8"), ("host", "S64")])
"""A sign of life, or the verdict: who has been silent, on which host, for how long."""


def _watchdog(comm, deadline):
    """A Watchdog of this rank that ends all (not yet begun)."""
    who = f"rank {comm.rank} of {comm.size} on {socket.gethostname()}"

    def ends(seconds, place, stack):
        end_all(comm, f"{stack}hpc-cr: {who} has not moved for {seconds:.3g} s (parallel.deadline"
                f" is {deadline:g} s), last at {place}: it hangs there, or what it waits for does;"
                " all ranks end, finished entries are kept\n")

    return Watchdog(deadline, who, ends)


@contextmanager
def watched_start(comm):
    """Watch over this rank until the job, and with it the deadline, is known."""
    if comm.size == 1:
        yield
        return
    watchdog = _watchdog(comm, START_SECONDS)
    watchdog.start()
    try:
        yield
    finally:
        watchdog.stop()


class Heartbeat:
    """Watches over all ranks while active; a context manager, collective over `comm`.

    A single process needs no watch and gets none.

    Parameters
    ----------
    comm : Comm
        All ranks.
    deadline : float
        Seconds without a sign of life after which the job ends.
    """

    def __init__(self, comm, deadline):
        self._world = comm
        self.deadline = deadline
        self.interval = min(deadline / BEATS, LONGEST_INTERVAL)
        self._every = self.interval / 4
        self._limit = deadline + 3 * self.interval + GRACE_SECONDS
        self._active = False
        self._comm = None

    def __enter__(self):
        comm = self._world
        if comm.size == 1:
            return self
        self._watchdog = _watchdog(comm, self.deadline)
        self._watchdog.start()
        # the watchdog alone guards these two blocking calls
        self._comm = comm.Dup()
        self._anyone = anyone(comm)
        self._before, self._after = (comm.rank - 1) % comm.size, (comm.rank + 1) % comm.size
        self._host_before = self._comm.sendrecv(socket.gethostname(), dest=self._after,
                                                source=self._before)
        self._sent, self._sending = float("-inf"), None
        self._sign, self._heard = np.zeros(1, _MESSAGE), np.zeros(1, _MESSAGE)
        self._silence = Silence(self.interval)
        self._looked = float("-inf")
        self._active = True
        self.beat()
        return self

    def __exit__(self, kind, *exception):
        if not self._active:
            return
        if kind is None:
            # as long as one of them is at work the others watch
            self.meet()
        self._active = False
        if kind is None:
            self._comm.Free()
        self._watchdog.stop()

    def beat(self):
        """A sign of life of this rank; looks for the predecessor's now and then. Cheap."""
        if not self._active:
            return
        self._watchdog.moved()
        now = time.monotonic()
        # whatever the clock does: a jump leads to a look
        if 0 <= now - self._looked < self._every:
            return
        self._looked = now
        # one that has not left yet is sign enough
        if not 0 <= now - self._sent < self.interval and (
                self._sending is None or self._sending.Test()):
            self._sent = now
            self._sending = self._comm.Isend(self._sign.view(np.uint8), dest=self._after)
        seconds = self._silence.look(self._listen())
        if seconds > self._limit:
            self._accuse(seconds)

    def and_ask(self, function):
        """`function` with a beat before each call, for use as a `poll`."""
        def poll():
            self.beat()
            return function()
        return poll

    def meet(self):
        """Wait for all ranks, watching: to be called before what cannot be watched.

        A blocking call that is collective over all ranks waits for ever for a rank that does not
        come to it, and nobody listens meanwhile.
        """
        if self._active:
            wait(self._comm.Ibarrier(), self.beat)

    def watch_calls(self):
        """Watch calls that hold Python's lock, too; to be called once kernels are loaded."""
        if self._active:
            self._watchdog.watch_calls()

    def _listen(self):
        """Whether the predecessor gave a sign of life since the last call."""
        heard = False
        while self._comm.Iprobe(source=self._anyone):
            self._comm.Recv(self._heard.view(np.uint8), source=self._anyone)
            heard = True
            if self._heard["ending"][0]:
                self._end_as_told()
        return heard

    def _pass_on(self, verdict, ranks):
        """Tell ranks that the job ends, without waiting for those that cannot be reached."""
        requests = [self._comm.Isend(verdict.view(np.uint8), dest=rank) for rank in ranks]
        until = time.monotonic() + PASSING_SECONDS
        while time.monotonic() < until:
            for request in requests:
                request.Test()
            time.sleep(NAP_SECONDS)

    def _accuse(self, seconds):
        verdict = np.array([(1, self._before, seconds, self._host_before.encode())], _MESSAGE)
        self._pass_on(verdict, {0, self._after} - {self._comm.rank})
        end_all(self._comm, self._text(verdict))

    def _end_as_told(self):
        """End, which is not for long where the accuser's MPI_Abort works."""
        self._pass_on(self._heard, [self._after])
        time.sleep(PASSING_SECONDS)
        if self._comm.rank == 0:
            # the accuser may be one whose words reach nobody: behind a link, on a frozen node
            end_all(self._comm, self._text(self._heard))
        outlive_launcher()
        time.sleep(ABORT_SECONDS)
        os._exit(1)

    def _text(self, verdict):
        _, silent, seconds, host = verdict[0]
        return (f"hpc-cr: rank {silent} of {self._comm.size} on {host.decode()} has been silent for"
                f" {seconds:.3g} s (parallel.deadline is {self.deadline:g} s): it hangs, or its"
                " node or the link to it is down; all ranks end, finished entries are kept\n")
