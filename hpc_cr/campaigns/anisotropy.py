"""The anisotropy campaign: fields, backtracking and skies, shared out over MPI ranks.

Rank 0 lays the file out and distributes tasks; the leader of each team receives them; the team
synthesises the realisation's grids together, each rank backtracks its share of the particles
into arrays that the team shares, and the leader measures the sky and writes the entry.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.campaigns.times import Times
from hpc_cr.campaigns.warm_up import warm_up
from hpc_cr.campaigns.work import idle_share, make_tasks
from hpc_cr.campaigns.workshop import Workshop
from hpc_cr.io import layout, provenance
from hpc_cr.io.errors import ResultError
from hpc_cr.io.lock import FileLock
from hpc_cr.io.writer import ResultWriter, check_resumable, other_versions
from hpc_cr.parallel.communicator import AgreedError, SingleProcess, agree
from hpc_cr.parallel.distribution import Distribution
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

    def begin(self, entries, done, cost):
        """Tracking begins: entries in all and finished before, particle-steps expected."""

    def entry(self, cost, steps):
        """One entry is finished."""

    def tick(self):
        """Called often; shows the state now and then."""

    def end(self):
        """Tracking has ended."""


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
    lock = FileLock(path) if comm.rank == 0 else None
    try:
        done = agree(comm, lambda: _look_at_file(job, path, lock, resume, overwrite, progress),
                     ResultError)
        if done is not None and all(flags.all() for flags in done.values()):
            outcome = Outcome(True, None)
        else:
            outcome = _run_missing(job, path, comm, done, signals, progress)
    except AgreedError:
        if lock is not None:
            lock.release()
        raise
    if lock is not None:
        lock.release()
    return outcome


def _look_at_file(job, path, lock, resume, overwrite, progress):
    """Lock the file (rank 0); the done flags by case of one to be resumed, None for a new one."""
    try:
        exists = path.exists()
        if path.is_dir():
            raise ResultError(f"{path} is a folder: -o names a file")
    except (OSError, ValueError) as error:
        raise ResultError(f"{path}: no usable file name: {error}") from None
    if exists and not resume and not overwrite:
        raise ResultError(f"{path} exists: --resume completes it, --overwrite replaces it,"
                          " -o names another file")
    lock.acquire()
    if lock.note:
        progress.note(lock.note)
    if not (resume and exists):
        return None
    done = check_resumable(path, job)
    for difference in other_versions(path, provenance.collect()):
        progress.note(f"note: {difference}; the same bits are promised for the same versions only")
    return done


def _run_missing(job, path, comm, done, signals, progress):
    # memory and kernels come before the file: an old one is replaced when nothing can go wrong
    progress.note("preparing: memory, kernels, file")
    team = Team(comm, job.parallel.team_size)
    workshop = Workshop(job, comm, team)
    warm_up(job, comm, signals.looked_at)
    if done is None:
        done = agree(comm, lambda: _create(job, path), ResultError)
    mpi = None if isinstance(comm, SingleProcess) else team.leaders
    writer = ResultWriter(path, job, comm=mpi) if team.leader else None
    times = Times()
    if comm.rank == 0:
        if not writer.parallel and comm.size > 1:
            progress.note("h5py has no parallel HDF5: rank 0 writes for all")
        slot = writer.record_start(provenance.collect(), ranks=comm.size,
                                   team_size=job.parallel.team_size)
        tasks = make_tasks(job.cases, done, team.number)
        _note_idle(job, done, tasks, team.number, progress)
        flags = np.concatenate([flags.ravel() for flags in done.values()])
        progress.begin(flags.size, int(flags.sum()), sum(task.cost for task in tasks))

        def on_report(report):
            name, row, rig, numbers, cost = report
            if "response" in numbers:  # h5py without MPI: this rank writes for all
                with times.of("write"):
                    writer.write_entry(name, row, rig, numbers)
            progress.entry(cost, numbers["steps"])

        distribution = Distribution(comm, team.number, signals, tasks, on_report, progress.tick)
    else:
        distribution = Distribution(comm, team.number, signals)
    _work(workshop, distribution, writer, times)
    with times.of("end"):
        distribution.finish()
    progress.end()
    complete = None
    if comm.rank == 0:
        complete = all(writer.done_flags(case.name).all() for case in job.cases)
        writer.record_end(slot, "complete" if complete else f"stopped by {distribution.stopped_by}")
    times.save(comm, team)
    if writer is not None:
        writer.close()
    workshop.clear()
    team.free()
    return Outcome(comm.bcast(complete, root=0), distribution.stopped_by)


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


def _create(job, path):
    """Lay the file out (rank 0); done flags by case, all unset."""
    observers = {case.name: observer_positions(case.job) for case in job.cases}
    layout.create(path, job, provenance=provenance.collect(), observers=observers)
    return {case.name: np.zeros((case.job.n_row, len(case.job.particles.rigidities)), bool)
            for case in job.cases}


def _work(workshop, distribution, writer, times):
    """Tasks until there are none, or a signal."""
    team = workshop.team
    message = np.empty(workshop.message_length, np.int64)
    while True:
        if team.leader:
            with times.of("wait"):
                task = distribution.next_task()
            workshop.encode(message, task)
        team.broadcast(message, distribution.poll)
        decoded = workshop.decode(message)
        if decoded is None:
            return
        case, realisation, entries = decoded
        for row, rig in entries:
            with times.of("compute"):
                numbers = workshop.compute(case, realisation, row, rig, distribution.poll)
            if numbers is None:
                break
            if not team.leader:
                continue
            name, cost = workshop.cases[case].name, workshop.cost(case, rig)
            numbers["rank"] = distribution.comm.rank
            if writer.can_write:
                with times.of("write"):
                    writer.write_entry(name, row, rig, numbers)
                numbers = {"steps": numbers["steps"]}
            distribution.report((name, row, rig, numbers, cost))
