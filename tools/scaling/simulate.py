"""Discrete-event simulation of the work distribution (hpc_cr.parallel.distribution).

Simulated are the leaders of all teams, rank 0 and the result file. A leader asks rank 0 for a
task, or has asked ahead; its team makes the field and tracks entry after entry; the leader
measures each sky, writes the entry and reports. Rank 0 takes messages one at a time: between its
own kernel calls while it computes, else after a nap. The file takes a part of every write one at
a time. The order of tasks, their splitting, asking ahead and whether rank 0 computes are the
program's own functions.

Not simulated: start and end of the processes, collective calls, the network's contention.
"""

import heapq
from collections import deque
from itertools import count
from math import ceil
from typing import NamedTuple

import numpy as np

from hpc_cr.campaigns.work import stays_whole
from hpc_cr.parallel import distribution


class Costs(NamedTuple):
    """What everything but tracking takes, in seconds."""

    latency: float = 0.0  # of a message
    request: float = 0.0  # rank 0 answers a request
    report: float = 0.0  # rank 0 takes a report
    nap: float = 0.0  # pause between two looks of a waiting rank
    call: float = 0.1  # kernel call of rank 0
    synthesis: float = 0.0  # one realisation on one core
    piece: float = 5e-3  # of the synthesis: rank 0 serves between two
    sky: float = 0.0  # the leader measures an entry
    write: float = 0.0  # the leader writes an entry into an idle file
    write_shared: float = 0.0  # the part of it that the file does one at a time


class Policy(NamedTuple):
    """How tasks are handed out; the defaults are the program's."""

    split: bool = True  # the last realisations by entry
    ahead: bool = True  # leaders of short tasks ask ahead while there is plenty
    serve_only: bool = False  # rank 0 computes nothing


PLAIN = Policy(split=False, ahead=False)
"""Whole realisations, handed out one at a time on request."""


class Outcome(NamedTuple):
    """What a simulated run came to; shares are of (teams that compute) x (wall time)."""

    seconds: float
    efficiency: float  # wall time of one rank without waits / (ranks x seconds)
    waiting: float  # share: for answers of rank 0
    tail: float  # share: at the end, no task left
    writing: float  # share: in writes
    repeated: float  # share: fields made again because a realisation was split
    manager: float  # share of rank 0's time that goes into messages
    file: float  # share of the time that the file is busy


def simulate(entries, costs, ranks, *, team=1, spread=0.0, speeds=0.0, policy=None, seed=0):
    """Simulate one run.

    Parameters
    ----------
    entries : array (n_realisation, n_entry)
        Expected tracking time of every entry in core-seconds.
    costs : Costs
    ranks, team : int
        Ranks, and ranks per team.
    spread : float
        Relative standard deviation of an entry's time about its expectation (log-normal).
    speeds : float
        Relative standard deviation of the ranks' speeds; a team goes at its slowest rank's.
    policy : Policy, optional
    seed : int

    Returns
    -------
    Outcome
    """
    return _Run(np.asarray(entries, float), costs, ranks, team, spread, speeds,
                policy or Policy(), seed).outcome()


def _tasks(expected, seconds, synthesis, n_teams, policy):
    """Tasks in the order of the program, each a list of tracking times; how many are split."""
    n_entry = expected.shape[1]
    order = np.argsort(-expected.sum(1), kind="stable")
    if policy.split:
        again = np.full(len(order), (n_entry - 1) * synthesis)
        whole = np.array(stays_whole(expected.sum(1)[order], again, n_teams))
    else:
        whole = np.full(len(order), len(order) >= n_teams)
    tasks = [(expected[r].sum(), seconds[r].tolist()) for r in order[whole]]
    tasks += [(expected[r, e], [seconds[r, e]]) for r in order[~whole] for e in range(n_entry)]
    tasks.sort(key=lambda task: -task[0])
    return deque(times for _, times in tasks), int((~whole).sum())


class _Leader:
    """A team: what its leader does and has."""

    __slots__ = ("answer", "asked", "entry", "idle_since", "speed", "taken", "times", "waits")

    def __init__(self, speed):
        self.speed = speed
        self.times = None  # of the present task
        self.entry = 0
        self.asked = False
        self.answer = None  # of rank 0, not yet looked at
        self.waits = False
        self.idle_since = 0.0
        self.taken = -np.inf  # when the last task was taken


class _Run:
    """State of a simulated run. Event handlers take the time and a leader's number."""

    def __init__(self, expected, costs, ranks, team, spread, speeds, policy, seed):
        rng = np.random.default_rng(seed)
        sigma = np.sqrt(np.log1p(spread**2))
        seconds = expected * rng.lognormal(-sigma**2 / 2, sigma, expected.shape)
        self.costs, self.ranks, self.team, self.policy = costs, ranks, team, policy
        self.serve_only = policy.serve_only and ranks > team
        self.n_leaders = ranks // team if not self.serve_only else 1 + (ranks - 1) // team
        computing = self.n_leaders - self.serve_only
        self.tasks, self.n_split = _tasks(expected, seconds, costs.synthesis, computing,
                                           policy)
        slowness = np.maximum(1 + speeds * rng.standard_normal((self.n_leaders, team)), 0.1)
        self.leaders = [_Leader(slow) for slow in slowness.max(1) / slowness.mean()]
        n_entry = expected.shape[1]
        self.work = float(seconds.sum()) + len(expected) * (
            costs.synthesis + n_entry * (costs.sky + costs.write))
        self.again = self.n_split * (n_entry - 1) * costs.synthesis
        self.synthesis = costs.synthesis / team
        self.events, self.order = [], count()
        self.inbox, self.serving, self.served = deque(), False, 0.0
        self.file_free = self.file_busy = self.waited = self.written = self.ended = 0.0
        self.refused = np.zeros(self.n_leaders)
        # rank 0's own work: stretches of (seconds, seconds between two looks at the messages)
        self.stretches, self.left, self.pause, self.since = deque(), None, 0.0, 0.0
        self.version, self.looks = 0, False

    def at(self, time, handler, *arguments):
        heapq.heappush(self.events, (time, next(self.order), handler, arguments))

    def outcome(self):
        for number in range(1, self.n_leaders):
            self.ask(0.0, number)
            self.leaders[number].waits = True
        self.rank0_next(0.0)
        while self.events:
            time, _, handler, arguments = heapq.heappop(self.events)
            handler(time, *arguments)
        wall = self.ended
        teams = self.n_leaders - self.serve_only
        whole = teams * wall
        refused = self.refused[1:] if self.serve_only else self.refused
        return Outcome(wall, self.work / (self.ranks * wall), self.waited / whole,
                       float((wall - refused).sum()) / whole, self.written / whole,
                       self.again / (self.ranks * wall), self.served / wall, self.file_busy / wall)

    # leaders -----------------------------------------------------------------------------------

    def ask(self, time, number):
        self.leaders[number].asked = True
        self.at(time + self.costs.latency, self.message, self.costs.request, number)

    def answered(self, time, number, answer):
        """An answer has come; a waiting leader sees it at its next look."""
        leader = self.leaders[number]
        leader.answer = answer
        if leader.waits:
            leader.waits = False
            self.at(time + self.costs.nap / 2, self.take, number)

    def take(self, time, number):
        """The leader looks at the answer of rank 0."""
        leader = self.leaders[number]
        times, may_ask = leader.answer
        leader.answer, leader.asked = None, False
        self.waited += time - leader.idle_since
        if times is None:
            self.refused[number] = time
            return
        short = time - leader.taken < distribution.SHORT_SECONDS
        leader.taken = time
        if may_ask and short and self.policy.ahead:
            self.ask(time, number)
        leader.times, leader.entry = times, 0
        self.track(time + self.synthesis * leader.speed, number)

    def track(self, time, number):
        leader = self.leaders[number]
        tracking = leader.times[leader.entry] * leader.speed / self.team
        self.at(time + tracking + self.costs.sky, self.write, number)

    def write(self, time, number):
        """An entry goes into the file."""
        begins = max(time, self.file_free)
        self.file_free = begins + self.costs.write_shared
        self.file_busy += self.costs.write_shared
        done = max(self.file_free, time + self.costs.write)
        self.written += done - time
        self.at(done, self.rank0_wrote if number == 0 else self.wrote, number)

    def wrote(self, time, number):
        leader = self.leaders[number]
        self.ended = max(self.ended, time)
        self.at(time + self.costs.latency, self.message, self.costs.report, None)
        leader.entry += 1
        if leader.entry < len(leader.times):
            self.track(time, number)
            return
        leader.idle_since = time
        if leader.answer is not None:
            self.take(time, number)
            return
        leader.waits = True
        if not leader.asked:
            self.ask(time, number)

    # rank 0 as manager -------------------------------------------------------------------------

    def message(self, time, cost, number):
        """A message has come to rank 0: a request of a leader, or a report (number None)."""
        self.inbox.append((cost, number))
        if self.serving or self.looks:
            return
        if self.left is None:  # serves only, or has no more to compute
            self.looks = True
            self.at(time + self.costs.nap / 2, self.serve)
        elif self.pause:
            steps = ceil((time - self.since) / self.pause)
            look = min(max(self.since + steps * self.pause, time), self.since + self.left)
            self.looks = True
            self.at(look, self.rank0_pauses, self.version)

    def serve(self, time):
        """Take one message; then the next, or go on computing."""
        self.looks = False
        if not self.inbox:
            self.serving = False
            if self.left is not None:
                self.rank0_goes_on(time)
            return
        self.serving = True
        cost, number = self.inbox.popleft()
        self.served += cost
        if number is not None:
            times = self.tasks.popleft() if self.tasks else None
            plenty = distribution.plenty(len(self.tasks), self.n_leaders)
            self.at(time + cost + self.costs.latency, self.answered, number, (times, plenty))
        self.at(time + cost, self.serve)

    # rank 0 as leader --------------------------------------------------------------------------

    def rank0_next(self, time):
        """Rank 0 takes its next task, or only serves from now on."""
        leader = self.leaders[0]
        if self.serve_only or not self.tasks:
            self.refused[0] = time
            self.left = None
            self.serve(time)
            return
        leader.times, leader.entry = self.tasks.popleft(), 0
        self.stretches.append((self.synthesis, self.costs.piece))
        self.rank0_track()
        self.rank0_stretch(time)

    def rank0_track(self):
        leader = self.leaders[0]
        tracking = leader.times[leader.entry] * leader.speed / self.team
        self.stretches.append((tracking, min(self.costs.call, tracking)))
        self.stretches.append((self.costs.sky, self.costs.sky))

    def rank0_stretch(self, time):
        """The next stretch begins, or the entry is written (no look at messages meanwhile)."""
        if not self.stretches:
            self.left, self.pause = 0.0, 0.0
            self.write(time, 0)
            return
        self.left, self.pause = self.stretches.popleft()
        self.serve(time)

    def rank0_goes_on(self, time):
        self.since = time
        self.version += 1
        self.at(time + self.left, self.rank0_pauses, self.version)

    def rank0_pauses(self, time, version):
        """End of a stretch, or of a kernel call during which a message came."""
        if version != self.version:
            return
        self.version += 1
        self.left -= time - self.since
        if self.left <= 1e-9:
            self.looks = False
            self.rank0_stretch(time)
        else:
            self.serve(time)

    def rank0_wrote(self, time, number):
        self.ended = max(self.ended, time)
        leader = self.leaders[0]
        leader.entry += 1
        if leader.entry < len(leader.times):
            self.rank0_track()
            self.rank0_stretch(time)
        else:
            self.rank0_next(time)
