"""Work distribution: rank 0 hands out tasks on request and computes too.

Messages are plain send and receive (one-sided operations fail across nodes with some MPI
libraries). Rank 0 serves requests between its own kernel calls, and while it waits. Where
tasks are short, leaders ask for the next one when they begin one, so as not to wait for the end
of a kernel call; not near the end, when a task that a busy leader holds would keep an idle one
from it. A signal on any rank is reported to rank 0, which tells all: every rank stops within a
kernel call or two. No call blocks: a rank that waits for another one goes on giving signs of life.
"""

import signal
import time
from collections import deque

import numpy as np

from hpc_cr.parallel.communicator import NAP_SECONDS, anyone, wait

TAG_REQUEST, TAG_TASK, TAG_REPORT, TAG_STOP = 1, 2, 3, 4

SHORT_SECONDS = 10.0
"""Length of a task below which waiting for rank 0, about 0.05 s, is worth avoiding."""


def plenty(tasks_left, n_teams):
    """Whether so many tasks are left that a team may hold one before it can begin it."""
    return tasks_left > 2 * n_teams


class Distribution:
    """One rank's end of the work distribution.

    Parameters
    ----------
    comm : Comm
        All ranks.
    n_teams : int
        Number of leaders, who ask for tasks; rank 0 is one of them.
    signals : StopSignals
    tasks : list, rank 0 only
        What `next_task` returns, in this order.
    on_report : callable, rank 0 only
        Called with each object given to `report` anywhere.
    tick : callable, optional
        Called whenever the rank polls.
    heartbeat : Heartbeat, optional
        Beats whenever the rank polls or waits.
    """

    def __init__(self, comm, n_teams, signals, tasks=(), on_report=None, tick=None, heartbeat=None):
        self._anyone = anyone(comm)
        self.comm = comm
        self.signals = signals
        self.stopped_by = None
        self._announced = False
        self._tasks = deque(tasks)
        self._on_report = on_report
        self._tick = tick
        self._beat = heartbeat.beat if heartbeat is not None else lambda: None
        self._n_teams = n_teams
        self._asked = False
        self._last_taken = float("-inf")
        self._waiting_leaders = n_teams - 1
        self._reports_sent = self._reports_taken = 0

    def poll(self):
        """Serve messages and look for signals; returns whether to stop."""
        self._beat()
        if self.signals.received and not self._announced:
            self._announce(self.signals.received)
        if self.comm.rank == 0:
            self._serve()
        elif self.comm.Iprobe(source=0, tag=TAG_STOP):
            self.stopped_by = self.comm.recv(source=0, tag=TAG_STOP)
            self._announced = True
        if self._tick is not None:
            self._tick()
        return self.stopped_by is not None

    def _announce(self, signal):
        self._announced = True
        self.stopped_by = self.stopped_by or signal
        if self.comm.rank != 0:
            self.comm.send(signal, dest=0, tag=TAG_STOP)
            return
        for rank in range(1, self.comm.size):
            self.comm.send(signal, dest=rank, tag=TAG_STOP)

    def _serve(self):
        comm, anyone = self.comm, self._anyone
        if comm.size == 1:
            return
        while (message := comm.improbe(source=anyone, tag=TAG_REPORT)) is not None:
            self._on_report(self._arrived(message.irecv()))
            self._reports_taken += 1
        while comm.Iprobe(source=anyone, tag=TAG_STOP):
            signal = comm.recv(source=anyone, tag=TAG_STOP)
            if not self._announced:
                self._announce(signal)
        while comm.Iprobe(source=anyone, tag=TAG_REQUEST):
            leader = comm.recv(source=anyone, tag=TAG_REQUEST)
            task = self._take()
            if task is None:
                self._waiting_leaders -= 1
            comm.send((task, plenty(len(self._tasks), self._n_teams)), dest=leader, tag=TAG_TASK)

    def _arrived(self, request):
        """The object of a message under way: a large one takes two ranks, and may take time."""
        while not (outcome := request.test())[0]:
            self._beat()
            time.sleep(NAP_SECONDS)
        return outcome[1]

    def _take(self):
        return self._tasks.popleft() if self._tasks and self.stopped_by is None else None

    def next_task(self):
        """The next task for this leader, or None when there is no more (leaders only)."""
        self.poll()
        if self.comm.rank == 0:
            return self._take()
        while True:
            self._ask()
            while not self.comm.Iprobe(source=0, tag=TAG_TASK):
                self.poll()
                time.sleep(NAP_SECONDS)
            task, may_ask = self.comm.recv(source=0, tag=TAG_TASK)
            self._asked = False
            # after a stop rank 0 still waits until it has refused every leader
            if task is None or self.stopped_by is None:
                break
        now = time.monotonic()
        short = now - self._last_taken < SHORT_SECONDS
        self._last_taken = now
        if task is not None and may_ask and short:
            self._ask()
        return task

    def _ask(self):
        if not self._asked:
            self.comm.send(self.comm.rank, dest=0, tag=TAG_REQUEST)
            self._asked = True

    def report(self, thing):
        """Give rank 0 an object (leaders only)."""
        if self.comm.rank == 0:
            self._on_report(thing)
        else:
            wait(self.comm.isend(thing, dest=0, tag=TAG_REPORT), self.poll)
            self._reports_sent += 1

    def finish(self):
        """Serve until every rank is here, and take in what is still under way."""
        while self.comm.rank == 0 and self._waiting_leaders > 0:
            self.poll()
            time.sleep(NAP_SECONDS)
        wait(self.comm.Ibarrier(), self.poll)
        # reports may still be under way behind the barrier's own messages
        sent = self._all_reduced(self._reports_sent, "SUM")
        while self.comm.rank == 0 and self._reports_taken < sent:
            self.poll()
        # a stop notice that reached some ranks only counts for all
        name = self.stopped_by
        number = self._all_reduced(0 if name is None else signal.Signals[name].value, "MAX")
        self.stopped_by = signal.Signals(number).name if number else None
        self.poll()

    def _all_reduced(self, number, operation):
        """Sum (SUM) or largest (MAX) of the ranks' integers."""
        if self.comm.size == 1:
            return number
        from mpi4py import MPI

        result = np.empty(1, np.int64)
        request = self.comm.Iallreduce(np.array([number]), result, op=getattr(MPI, operation))
        wait(request, self.poll)
        return int(result[0])
