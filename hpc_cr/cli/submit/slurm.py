"""What SLURM says: limits of a partition, and job numbers of submitted scripts."""

import re
import subprocess
from typing import NamedTuple

import click


class Partition(NamedTuple):
    """The smallest node of a partition, and its time limit."""

    name: str
    limit: float  # s; infinite where there is none
    memory: int  # bytes of a node
    cores: int  # of a node
    nodes: int


def partition(names=None):
    """Facts about a partition.

    Parameters
    ----------
    names : str, optional
        As for sbatch; of several, separated by commas, each number is the smallest. Default: the
        site's default partition.

    Returns
    -------
    Partition or None
        None where there is no sinfo, or no such partition (sbatch will say so).
    """
    command = ["sinfo", "--noheader", "-o", "%P|%l|%m|%c|%Z|%D"]
    if names:
        command += ["--partition", names]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    rows = [line.strip().split("|") for line in done.stdout.splitlines() if line.count("|") == 5]
    if not names:
        rows = [row for row in rows if row[0].endswith("*")]
    if done.returncode != 0 or not rows:
        return None
    _, limits, memory, cpus, threads, nodes = zip(*rows, strict=True)
    return Partition(
        name=names or rows[0][0].rstrip("*"),
        limit=min(seconds(limit) for limit in limits),
        memory=min(_number(m) for m in memory) * 2**20,
        cores=min(_number(c) // _number(t) for c, t in zip(cpus, threads, strict=True)),
        nodes=sum(_number(n) for n in nodes),
    )


def _number(text):
    """Of "64" or "64+" (nodes that differ)."""
    return int(re.match(r"\d+", text)[0])


def seconds(text):
    """A time as SLURM writes it, in s: minutes, M:S, H:M:S, D-H, D-H:M, D-H:M:S, or infinite.

    Raises
    ------
    ValueError
        If it is no such time.
    """
    if text.lower() in ("infinite", "unlimited"):
        return float("inf")
    match = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", text, re.ASCII)
    if not match:
        raise ValueError(text)
    days, first, second, third = match.groups()
    if days is not None:
        hours, minutes, rest = first, second, third
    elif third is not None:
        hours, minutes, rest = first, second, third
    else:
        hours, minutes, rest = 0, first, second
    return (
        int(days or 0) * 86400 + int(hours) * 3600 + int(minutes or 0) * 60 + int(rest or 0)
    )  # fmt: skip


def clock(time):
    """Seconds as SLURM reads them: "HH:MM:SS", "D-HH:MM:SS" from a day on, or "UNLIMITED"."""
    if time == float("inf"):
        return "UNLIMITED"
    days, rest = divmod(int(time), 86400)
    text = f"{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"
    return f"{days}-{text}" if days else text


def submit(script, *options):
    """Hand a script to sbatch.

    Returns
    -------
    str
        The job's number.

    Raises
    ------
    click.UsageError
        There is no sbatch, or it refuses the script: then its own words.
    """
    try:
        done = subprocess.run(["sbatch", "--parsable", *options, str(script)],
                              capture_output=True, text=True)  # fmt: skip
    except FileNotFoundError:
        raise click.UsageError(
            f"there is no sbatch here: {script} is written, submit it on a login node"
        ) from None
    if done.returncode != 0:
        words = "; ".join(line.removeprefix("sbatch: ").removeprefix("error: ")
                          for line in done.stderr.strip().splitlines())  # fmt: skip
        raise click.UsageError(f"sbatch refuses {script}: {words or 'without a reason'}")
    return done.stdout.strip().split(";")[0]
