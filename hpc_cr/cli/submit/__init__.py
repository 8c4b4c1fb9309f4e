"""`hpc-cr submit`: write a batch script for SLURM and hand it to sbatch."""

from pathlib import Path

import click


@click.command("submit")
@click.argument("job", type=click.Path(path_type=Path))
@click.option("--nodes", type=click.IntRange(min=1), default=1, show_default=True,
              help="Nodes of the job, or of each block of an array.")
@click.option("--tasks-per-node", "per_node", type=click.IntRange(min=1),
              help="Ranks per node; default: whole nodes with a rank on every core.")
@click.option("--time", metavar="TIME",
              help="Wall time as for sbatch; default: the prediction, with a safety factor.")
@click.option("--array", "blocks", type=click.IntRange(min=2), metavar="N",
              help="N jobs, each with a block of the realisations, and one that merges.")
@click.option("--profile", metavar="NAME",
              help="What the script loads: a shipped profile or a file; default: the environment"
              " of this hpc-cr.")
@click.option("--partition", metavar="NAME", help="As for sbatch.")
@click.option("--account", metavar="NAME", help="As for sbatch.")
@click.option("--sbatch", "more", multiple=True, metavar="--OPTION[=VALUE]",
              help="Another option of sbatch, such as --sbatch=--qos=long; may be repeated.")
@click.option("-o", "--output", type=click.Path(path_type=Path),
              help="Result file; default: the job's name with .h5 in the current folder.")
@click.option("--set", "overrides", multiple=True, metavar="KEY.SUB=VALUE",
              help="Change a key of the job, as for `hpc-cr run`.")
@click.option("--script", type=click.Path(path_type=Path),
              help="The script to write; default: the job's name with .sbatch.")
@click.option("--dry-run", is_flag=True, help="Print the script; write and submit nothing.")
def command(job, output, overrides, script, dry_run, **wishes):
    """Submit JOB.toml to SLURM.

    Checks the job, predicts its wall time and memory from a short measurement on this machine's
    core, writes a batch script into the current folder and hands it to sbatch. The job requeues
    itself at its time limit until it is complete.
    """
    from hpc_cr.cli.submit import batch, scripts, slurm, submission
    from hpc_cr.config import load_job

    path, job = job, load_job(job, overrides)
    wishes = submission.Wishes(**wishes, output=output or Path(f"{job.name}.h5"),
                               overrides=overrides, script=script or Path(f"{job.name}.sbatch"))
    submission.check(job, wishes)
    if not dry_run:
        for place in scripts.script_paths(wishes):
            batch.check(place)
    done = submission.look_at_result(job, wishes)
    found = submission.about_result(wishes.output, done)
    facts = slurm.partition(wishes.partition)
    per_node = submission.ranks_per_node(wishes, facts)
    needs = _predict(job, wishes, per_node, done)
    news = submission.lines(job, wishes, per_node, needs, facts)
    for line in filter(None, (*job.warnings, found, *news)):
        click.echo(f"hpc-cr: {line}", err=dry_run)
    ready = scripts.scripts(job, path, wishes, per_node,
                            submission.wall_time(wishes, needs, facts),
                            submission.memory_asked(needs, facts),
                            submission.merge_time(job, facts))
    if dry_run:
        click.echo("\n".join(script.text for script in ready), nl=False)
    else:
        _submit(ready, wishes)


def _predict(job, wishes, per_node, done):
    from rich.console import Console

    from hpc_cr.cli.submit.submission import predict

    with Console(stderr=True).status("") as status:
        return predict(job, wishes, per_node, done, status.update)


def _submit(ready, wishes):
    """Write the scripts and hand them to sbatch."""
    from hpc_cr.cli.submit import batch, slurm

    for script in ready:
        batch.write(script.path, script.text)
    first, *others = ready
    number = slurm.submit(first.path)
    click.echo(f"hpc-cr: job {number} submitted: {first.path}, result {wishes.output}")
    for script in others:
        # afterok waits for every block, however often it is requeued
        after = slurm.submit(script.path, f"--dependency=afterok:{number}",
                             "--kill-on-invalid-dep=yes")
        click.echo(f"hpc-cr: job {after} submitted: {script.path}, when all blocks are complete")
