"""Submitting a job: what the user wishes, what is predicted, what is asked SLURM for."""

import math
from pathlib import Path
from typing import NamedTuple

import click

from hpc_cr.cli.submit import slurm
from hpc_cr.cli.submit.scripts import environment, further_options
from hpc_cr.cli.terminal import duration

SAFETY = 1.5
"""Wall time asked for over the predicted one: a node may be slower than where it was measured."""
MARGIN_SECONDS = 300
"""Added to it: the start on all nodes, and the two minutes from the signal to the time limit."""
ROUND_SECONDS = 300
MEMORY_SAFETY = 1.5
MERGE_RATE = 50e6
"""Bytes per second that a merge copies at least, half of which is asked for."""
MERGE_START_SECONDS = 600


class Wishes(NamedTuple):
    """What the user asks for, None where nothing."""

    nodes: int
    per_node: int | None  # ranks
    time: str | None  # as for sbatch
    blocks: int | None  # of an array
    profile: str | None
    partition: str | None
    account: str | None
    more: tuple  # options for sbatch
    output: Path
    overrides: tuple
    script: Path


class Needs(NamedTuple):
    """What is predicted."""

    seconds: float  # of the job, or of the largest block
    node: int  # bytes on a node


def ranks_per_node(wishes, facts):
    """Ranks on each node.

    Raises
    ------
    click.UsageError
        Whole nodes are asked for, and nothing tells how many cores they have.
    """
    if wishes.per_node:
        return wishes.per_node
    if facts is None:
        place = f"partition {wishes.partition}" if wishes.partition else "SLURM partition"
        raise click.UsageError(
            f"--tasks-per-node is needed: sinfo tells of no {place} here, so the cores of a node"
            " are not known"
        )
    return facts.cores


def predict(job, wishes, per_node, done=None, say=lambda text: None):
    """Needs of a job, or of the largest block of an array, from a short measurement here.

    Parameters
    ----------
    job : Job
    wishes : Wishes
    per_node : int
        Ranks on each node.
    done : dict of str to ndarray (n_row, n_rig) of bool, optional
        By case, the entries that the result file holds (`look_at_result`).
    say : callable
        Told what is being measured.

    Returns
    -------
    Needs
    """
    from hpc_cr.campaigns.kinds import planning_of

    planning = planning_of(job.run.kind)
    costs, watch = planning.measure_cases(job, say)
    if wishes.blocks:
        job = _largest_block(job, wishes.blocks)
    seconds = planning.wall_seconds(job, costs, wishes.nodes * per_node, done)
    return Needs(seconds, watch.needs(job, per_node).node)


def _largest_block(job, blocks):
    from hpc_cr.config.blocks import block_of

    parts = [block_of(job, number, blocks) for number in range(1, blocks + 1)]
    return max(parts, key=lambda part: part.run.realisations)


def check(job, wishes):
    """Whether the wishes make sense: before anything is measured or written.

    Raises
    ------
    click.UsageError, JobError
    """
    if wishes.time:
        _asked_time(wishes)
    if wishes.blocks:
        _largest_block(job, wishes.blocks)
    further_options(wishes.more)
    environment(wishes.profile)


def _asked_time(wishes):
    try:
        return slurm.seconds(wishes.time) or math.inf  # to sbatch 0 is no limit
    except ValueError:
        raise click.UsageError(
            f"--time {wishes.time}: expected a time as for sbatch, such as 90 (minutes),"
            " 04:00:00 or 2-00:00:00"
        ) from None


def wall_time(wishes, needs, facts):
    """Wall time to ask for, s."""
    if wishes.time:
        return _asked_time(wishes)
    return _rounded(SAFETY * needs.seconds + MARGIN_SECONDS, facts)


def merge_time(job, facts):
    """Wall time to ask for to merge the blocks of a job, s."""
    from hpc_cr.io.schema import data_bytes

    return _rounded(2 * data_bytes(job) / MERGE_RATE + MERGE_START_SECONDS, facts)


def _rounded(time, facts):
    time = ROUND_SECONDS * math.ceil(time / ROUND_SECONDS)
    return min(time, facts.limit) if facts else time


def memory_asked(needs, facts):
    """Bytes to ask for where a job shares its nodes, and with them their memory."""
    asked = MEMORY_SAFETY * needs.node
    return min(asked, facts.memory) if facts else asked


def lines(job, wishes, per_node, needs, facts):
    """What the user is told, one line each."""
    ranks = wishes.nodes * per_node
    what = f"{wishes.blocks} blocks of its realisations, each on" if wishes.blocks else "on"
    where = f" of partition {facts.name}" if facts else ""
    yield (f"{job.name}: {what} {ranks} rank{'s' * (ranks > 1)} ({wishes.nodes}"
           f" node{'s' * (wishes.nodes > 1)} x {per_node}){where}")
    memory = f"memory: {needs.node / 2**30:.2f} GiB per node (+-25 %)"
    if facts:
        memory += f" of {facts.memory / 2**30:.1f} GiB"
    yield memory
    if facts and needs.node > facts.memory:
        yield ("warning: more than a node has: fewer --tasks-per-node, or a larger"
               " parallel.team_size, so that more ranks share a field")
    yield from _about_time(wishes, needs, wall_time(wishes, needs, facts), facts)


def _about_time(wishes, needs, time, facts):
    asked = "no limit" if time == math.inf else slurm.clock(time)
    if wishes.time:
        reason = "as asked"
    elif facts and time == facts.limit:
        reason = f"the limit of partition {facts.name}"
    else:
        reason = f"{SAFETY} times that and {duration(MARGIN_SECONDS)}, rounded up"
    yield f"wall time: {duration(needs.seconds)} predicted; {asked} requested ({reason})"
    stretches = math.ceil(needs.seconds / max(time - MARGIN_SECONDS, 60))
    if stretches > 1:
        yield f"the job requeues itself at the limit, about {stretches - 1} times"


def look_at_result(job, wishes):
    """What the result file holds already.

    Returns
    -------
    dict of str to ndarray (n_row, n_rig) of bool, or None
        By case, the finished entries in the job's layout; None where there is no file.

    Raises
    ------
    click.UsageError, ResultError
        The folder is missing; the file is complete, or belongs to another job.
    """
    output = wishes.output
    if not output.parent.is_dir():
        raise click.UsageError(f"{output}: there is no folder {output.parent}")
    if not output.exists():
        return None
    if wishes.blocks:
        raise click.UsageError(f"{output} exists, which the blocks are to be merged into:"
                               " -o names another file")
    from hpc_cr.io.results import open_results
    from hpc_cr.io.resume import finished_entries

    with open_results(output) as results:
        done = finished_entries(results, job)
    if all(flags.all() for flags in done.values()):
        raise click.UsageError(f"{output} is complete: nothing to submit")
    return done


def about_result(output, done):
    """What `look_at_result` found, in words, or None."""
    if done is None:
        return None
    finished = sum(int(flags.sum()) for flags in done.values())
    total = sum(flags.size for flags in done.values())
    return f"{output} holds {finished} of {total} entries: the job goes on with the others"
