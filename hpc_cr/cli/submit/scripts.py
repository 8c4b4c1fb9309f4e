"""From a user's wishes to batch scripts: names, options of sbatch, environment."""

import math
import shlex
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import click

from hpc_cr.cli.submit import batch, slurm


class Script(NamedTuple):
    """A batch script and where it goes."""

    path: Path
    text: str


def scripts(job, job_path, wishes, per_node, time, memory, merge_time):
    """The batch scripts: of the job, and for an array of the merge that follows it.

    Parameters
    ----------
    job : Job
    job_path : Path
        Its file.
    wishes : hpc_cr.cli.submit.submission.Wishes
    per_node : int
        Ranks on each node.
    time : float
        Wall time, s.
    memory : int
        Bytes to ask for on a node that is shared with others' jobs.
    merge_time : float
        Wall time of an array's merge, s.

    Returns
    -------
    list of Script
    """
    words = [str(job_path), "-o", str(wishes.output)]
    for override in wishes.overrides:
        words += ["--set", override]
    options = {
        "--job-name": job.name,
        "--array": f"0-{wishes.blocks - 1}" if wishes.blocks else None,
        "--nodes": str(wishes.nodes),
        "--ntasks-per-node": str(per_node),
        "--time": slurm.clock(time),
        **_place(wishes),
    }
    if wishes.per_node:
        # a share of a node: the default memory of a core need not be enough
        options |= {"--exclusive": None, "--mem": f"{math.ceil(memory / 2**20)}M"}
    options |= further_options(wishes.more)
    settings = [f"HPC_CR_BLOCKS={wishes.blocks}"] if wishes.blocks else []
    ready = "array" if wishes.blocks else "single-node" if wishes.nodes == 1 else "many-nodes"
    loads = environment(wishes.profile)
    path, *further = script_paths(wishes)
    found = [Script(path, batch.compose(ready, options, words, loads, settings))]
    for path in further:
        options = {"--job-name": f"{job.name}-merge", "--time": slurm.clock(merge_time),
                   **_place(wishes)}
        parts = [str(part_name(wishes.output, number, wishes.blocks))
                 for number in range(1, wishes.blocks + 1)]
        words = ["-o", str(wishes.output), *parts]
        found.append(Script(path, batch.compose("merge", options, words, loads)))
    return found


def script_paths(wishes):
    """Paths of the batch scripts: of the job, and of an array's merge."""
    merge = wishes.script.with_name(f"{wishes.script.stem}-merge.sbatch")
    return [wishes.script, merge] if wishes.blocks else [wishes.script]


def part_name(output, number, blocks):
    """File of block `number` of `blocks` of a result file OUT.h5: OUT-IofN.h5 (Path)."""
    return output.with_name(f"{output.name.removesuffix('.h5')}-{number}of{blocks}.h5")


def _place(wishes):
    return {"--partition": wishes.partition, "--account": wishes.account,
            "--chdir": str(Path.cwd())}


def further_options(more):
    """Options of sbatch as the user writes them ("--qos=long"), by name."""
    found = {}
    for option in more:
        if not option.startswith("-"):
            raise click.UsageError(f"--sbatch {option}: expected an option of sbatch, such as"
                                   " --sbatch=--qos=long")
        name, _, value = option.partition("=")
        found[name] = value
    return found


def environment(profile):
    """Shell text that loads a profile, or else the program that runs now."""
    prefix = Path(sys.prefix)
    if profile:
        return f"venv={_quoted(prefix)}\n{batch.profile_text(profile)}"
    # conda has a bin/activate of its own, which is something else
    if (prefix / "pyvenv.cfg").exists() and (prefix / "bin" / "activate").exists():
        return f". {_quoted(prefix / 'bin' / 'activate')}"
    folder = prefix / "bin"
    if not (folder / "hpc-cr").exists():
        folder = Path(shutil.which("hpc-cr") or sys.executable).parent
    return f"export PATH={_quoted(folder)}:$PATH"


def _quoted(path):
    return shlex.quote(str(path))
