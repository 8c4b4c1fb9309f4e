"""A campaign: fields and trajectories, shared out over MPI ranks.

Rank 0 lays the file out and distributes tasks; the leader of each team receives them; the team
synthesises the realisation's grids together, each rank follows its share of the particles into
arrays that the team shares, and the leader measures them and writes the entry. What particles do
and what is measured is the business of an experiment (`hpc_cr.campaigns.experiments`).
"""

import os
import socket
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hpc_cr.campaigns.kinds import make_tasks, unit_of_work, workshop_of
from hpc_cr.campaigns.times import Times
from hpc_cr.campaigns.warm_up import warm_up
from hpc_cr.campaigns.work import idle_share
from hpc_cr.io import layout, provenance
from hpc_cr.io.errors import ResultError
from hpc_cr.io.join import extend
from hpc_cr.io.lock import FileLock
from hpc_cr.io.results import open_results
from hpc_cr.io.resume import check_resumable, must_lay_out, other_versions
from hpc_cr.io.verify import finished_bytes
from hpc_cr.io.writer import ResultWriter, mark_killed
from hpc_cr.parallel.communicator import AgreedError, SingleProcess, agree
from hpc_cr.parallel.distribution import Distribution
from hpc_cr.parallel.heartbeat import Heartbeat
from hpc_cr.parallel.teams import Team
from hpc_cr.trajectories.directions import observer_positions

WORTH_A_NOTE = 0.1
"""Idle share of the teams' time that the user is told about."""


class Outcome(NamedTuple):
    """How a run ended."""

    complete: bool
    stopped_by: str | None  # name of the signal


class Progress:
    """What rank 0 tells the display; this one is silent (see `hpc_cr.cli.progress`)."""

    def note(self, text):
        """A line of news."""

    def reading(self, label, n_bytes):
        """Finished entries are read: the context of a function that is told how many bytes were."""
        return nullcontext(lambda n_bytes: None)

    def begin(self, entries, done, cost, unit):
        """Work begins: entries in all and finished before, cost expected and what it counts."""

    def entry(self, cost, steps):
        """One entry is finished."""

    def tick(self):
        """Called often; shows the state now and then."""

    def end(self, seconds):
        """Tracking has ended; core-seconds of all ranks by activity (`Times.totals`)."""


def run(job, path, comm, signals, *, resume=False, overwrite=False, progress=None):
    """Run a job into a result file; collective over `comm`.

    Parameters
    ----------
    job : Job
    path : Path
    comm : Comm
    signals : StopSignals
        Active.
    resume, overwrite : bool
        What to do with a file that exists.
    progress : Progress, optional
        Display, on rank 0.

    Returns
    -------
    Outcome
        The same on all ranks.

    Raises
    ------
    AgreedError
        On all ranks: the file or the memory are not to be had. Any other exception is a failure
        of one rank, and the caller ends all (`parallel.communicator.failing_together`); the lock
        is then held until the process ends.
    """
    progress = progress or Progress()
    # a link to a file elsewhere: the file is made, renamed and locked where it really is
    path = Path(os.path.realpath(path)) if os.path.islink(path) else path
    lock = FileLock(path) if comm.rank == 0 else None
    with Heartbeat(comm, job.parallel.deadline) as heartbeat:
        poll = _until_signal(signals, heartbeat.beat)
        try:
            done, anew = agree(comm, lambda: _look_at_file(job, path, lock, resume, overwrite,
                                                           progress, poll),
                               ResultError, heartbeat.meet)
            if isinstance(done, str):
                outcome = Outcome(False, done)
            elif not anew and all(flags.all() for flags in done.values()):
                outcome = Outcome(True, None)
            else:
                outcome = _run_missing(job, path, comm, done, anew, signals, progress, heartbeat)
        except AgreedError:
            if lock is not None:
                lock.release()
            raise
    if lock is not None:
        lock.release()
    return outcome


class _Stopped(Exception):
    """A signal came while rank 0 alone was at work on the file; its name."""


def _until_signal(signals, beat):
    """A `poll` that ends what is being done when a signal comes."""
    def poll():
        beat()
        if signals.looked_at():
            raise _Stopped(signals.received)
    return poll


def _both(show, poll):
    """A function for numbers of bytes that shows them and polls."""
    def report(n_bytes):
        show(n_bytes)
        poll()
    return report


def _look_at_file(job, path, lock, resume, overwrite, progress, poll):
    """Lock the file (rank 0).

    Returns
    -------
    done : dict of str to ndarray (n_row, n_rig) of bool, str or None
        What is finished in a file that is to be resumed, by case; the name of a signal that came.
    anew : bool
        Whether a file has to be laid out: there is none to go on with, or it has no room for
        what the job asks for.
    """
    _is_there(path, resume, overwrite)
    lock.acquire()
    if lock.note:
        progress.note(lock.note)
    # another job may have made it before we had the lock
    if not (_is_there(path, resume, overwrite) and resume):
        return None, True
    with open_results(path) as results:
        n_bytes = finished_bytes(results)
    try:
        with progress.reading("checking finished entries", n_bytes) as show:
            done = check_resumable(path, job, _both(show, poll))
    except _Stopped as signal:
        return str(signal), False
    anew = must_lay_out(path, job)
    if not anew:
        mark_killed(path)
    for difference in other_versions(path, provenance.collect()):
        progress.note(f"note: {difference}; the same bits are promised for the same versions only")
    return done, anew


def _is_there(path, resume, overwrite):
    """Whether the file exists; a ResultError if it must not."""
    try:
        exists = path.exists()
        if path.is_dir():
            raise ResultError(f"{path} is a folder: -o names a file")
    except (OSError, ValueError) as error:
        raise ResultError(f"{path}: no usable file name: {error}") from None
    if exists and not resume and not overwrite:
        raise ResultError(f"{path} exists: --resume completes it, --overwrite replaces it,"
                          " -o names another file")
    return exists


def _run_missing(job, path, comm, done, anew, signals, progress, heartbeat):
    # memory and kernels come before the file: an old one is replaced when nothing can go wrong
    progress.note("preparing: memory, kernels, file")
    team = Team(comm, job.parallel.team_size)
    heartbeat.beat()
    workshop = workshop_of(job.run.kind)(job, comm, team)
    warm_up(job, comm, heartbeat.and_ask(signals.looked_at))
    heartbeat.watch_calls()
    if anew:
        done = agree(comm, lambda: _lay_out(job, path, done, progress, signals, heartbeat.beat),
                     ResultError, heartbeat.meet)
        if isinstance(done, str):
            workshop.clear()
            heartbeat.meet()
            team.free()
            return Outcome(False, done)
    mpi = None if isinstance(comm, SingleProcess) else team.leaders
    heartbeat.meet()
    writer = ResultWriter(path, job, comm=mpi) if team.leader else None
    heartbeat.meet()
    times = Times()
    slot = 0
    if comm.rank == 0:
        if not writer.parallel and comm.size > 1:
            progress.note("h5py has no parallel HDF5: rank 0 writes for all")
        slot = writer.record_start(provenance.collect(), ranks=comm.size, nodes=team.nodes,
                                   team_size=job.parallel.team_size)
        tasks = make_tasks(job.cases, done, team.number)
        _note_idle(job, done, tasks, team.number, progress)
        books = _Books(writer, slot, times, progress, done)
        progress.begin(books.total, books.finished, sum(task.cost for task in tasks),
                       unit_of_work(job.run.kind))
        distribution = Distribution(comm, team.number, signals, tasks, books.on_report, books.tick,
                                    heartbeat)
    else:
        distribution = Distribution(comm, team.number, signals, heartbeat=heartbeat)
    heartbeat.meet()
    slot = comm.bcast(slot, root=0)
    _work(workshop, distribution, writer, times, slot)
    with times.of("end"):
        distribution.finish()
    times.gather(comm, team)
    complete = None
    if comm.rank == 0:
        writer.check_present()
        complete = books.finished == books.total
        how = "complete" if complete else f"stopped by {distribution.stopped_by}"
        writer.record_end(slot, how, times.elapsed, times.totals)
    progress.end(times.totals)
    heartbeat.meet()
    if writer is not None:
        writer.close()
    workshop.clear()
    heartbeat.meet()
    team.free()
    return Outcome(comm.bcast(complete, root=0), distribution.stopped_by)


class _Books:
    """What rank 0 keeps of a run: finished entries, and signs of life in the file.

    Attributes
    ----------
    finished, total : int
        Entries of all cases. What the ranks report counts: another node's flags may reach this
        one's view of the file late.
    """

    LIFE_SECONDS = 10.0

    def __init__(self, writer, slot, times, progress, done):
        self._writer, self._slot, self._times, self._progress = writer, slot, times, progress
        self.total = sum(flags.size for flags in done.values())
        self.finished = sum(int(flags.sum()) for flags in done.values())
        self._last = times.elapsed

    def on_report(self, report):
        """An entry was finished."""
        name, row, rig, numbers, cost = report
        if "origin" in numbers:  # h5py without MPI: this rank writes for all
            with self._times.of("writing"):
                self._writer.write_entry(name, row, rig, numbers)
        self.finished += 1
        self._progress.entry(cost, numbers["steps"])

    def tick(self):
        """Called often."""
        self._progress.tick()
        now = self._times.elapsed
        if now - self._last >= self.LIFE_SECONDS:
            self._last = now
            self._writer.check_present()
            self._writer.record_life(self._slot, now)


def _note_idle(job, done, tasks, n_teams, progress):
    """Tell the user when teams will wait for one another at the end, and which would not."""
    share = idle_share([task.cost for task in tasks], n_teams)
    if share <= WORTH_A_NOTE:
        return
    text = f"note: about {100 * share:.0f} % of the time of {n_teams} teams will be idle at the end"
    factor = 2
    while n_teams // factor > 1:
        fewer = n_teams // factor
        less = idle_share([task.cost for task in make_tasks(job.cases, done, fewer)], fewer)
        if less <= share / 4:
            size = job.parallel.team_size * factor
            text += f"; parallel.team_size = {size} leaves {100 * less:.0f} %"
            break
        factor *= 2
    progress.note(text)


def _lay_out(job, path, done, progress, signals, poll):
    """Lay the file out (rank 0), with the finished entries of an old one.

    Returns
    -------
    dict of str to ndarray (n_row, n_rig) of bool, or str
        Done flags by case; the name of a signal that came before the old file was replaced.
    """
    if done is not None:
        return _extend(job, path, progress, _until_signal(signals, poll))
    observers = {case.name: observer_positions(case.job) for case in job.cases}
    layout.create(path, job, provenance=provenance.collect(), observers=observers, poll=poll)
    return {case.name: np.zeros((case.job.n_row, len(case.job.particles.rigidities)), bool)
            for case in job.cases}


def _extend(job, path, progress, poll):
    """The part of `_lay_out` for a file that is there."""
    with open_results(path) as results:
        n_bytes = finished_bytes(results)
    progress.note(f"the file is laid out anew for what the job asks for; its finished entries"
                  f" ({layout.human_bytes(n_bytes)}) are copied")
    try:
        with progress.reading("copying finished entries", n_bytes) as show:
            return extend(path, job, provenance=provenance.collect(), report=_both(show, poll))
    except _Stopped as signal:
        return str(signal)


def _work(workshop, distribution, writer, times, slot):
    """Tasks until there are none, or a signal; `slot` is the run's in the file."""
    team = workshop.team
    host = socket.gethostname()
    message = np.empty(workshop.message_length, np.int64)
    while True:
        with times.of("waiting"):
            if team.leader:
                workshop.encode(message, distribution.next_task())
            team.broadcast(message, distribution.poll)
        decoded = workshop.decode(message)
        if decoded is None:
            return
        for case, realisation, row, rig in decoded:
            began = times.elapsed
            numbers = workshop.compute(case, realisation, row, rig, distribution.poll, times)
            if numbers is None:
                break
            if not team.leader:
                continue
            name, cost = workshop.cases[case].name, workshop.cost(case, rig)
            numbers["rank"] = distribution.comm.rank
            numbers["origin"] = (slot, host, began, times.elapsed)
            if writer.can_write:
                with times.of("writing"):
                    writer.write_entry(name, row, rig, numbers)
                numbers = {"steps": numbers["steps"]}
            distribution.report((name, row, rig, numbers, cost))
