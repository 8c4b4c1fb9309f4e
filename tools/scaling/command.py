"""Commands: run (measured points), predict (simulated ranks), check (simulation against runs)."""

import json
import os
import re
import shlex
import sys
from pathlib import Path

import click

JOB = "jobs/quickstart.toml"
_PAPER = 'jobs/mertsch_funk2015.toml gradient.scale_length="12 kpc" boundary.times=[5,10,20,40]'
_LONG = f"{_PAPER} particles.nside=128"
JOBS = (_LONG, f'{_LONG} particles.rigidities=["10 TV"]',
        f'{_LONG} particles.rigidities=["10 TV"] parallel.team_size=4',
        _PAPER, JOB)
"""Predicted by default: tasks of minutes, of one entry each, in teams; of seconds; of less."""


def _numbers(context, option, text):
    try:
        found = [int(word) for word in text.split(",")]
    except ValueError:
        found = [0]
    if min(found) < 1:
        raise click.BadParameter(f"{text!r} is not a list of positive numbers such as 1,2,4")
    return sorted(set(found))


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def wide_console():
    """Standard output; tables in a file or pipe are not squeezed."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 150)


def _powers(most):
    return ",".join(str(n) for n in sorted({*(2**k for k in range(most.bit_length())), most}))


@click.group(epilog="Run in the root of the checkout.")
def command():
    """Scaling of hpc_cr over ranks and teams (a rank has one thread)."""


@command.command()
@click.option("--job", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=JOB,
              show_default=True, help="Job file of every point.")
@click.option("--set", "settings", multiple=True, metavar="KEY.SUB=VALUE",
              help="Change a key of the job; may be repeated.")
@click.option("--ranks", callback=_numbers, default=lambda: _powers(_cores()),
              help="Numbers of ranks; default: powers of two up to the cores here.")
@click.option("--teams", callback=_numbers, default="1,2", show_default=True,
              help="Ranks per team.")
@click.option("--kind", type=click.Choice(["strong", "weak", "both"]), default="both",
              show_default=True, help="The same job on all ranks, or the same per rank.")
@click.option("--realisations", type=click.IntRange(min=1),
              help="Of the strong points and the largest weak one; default: the job's.")
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True,
              help="Runs of each point; the points take turns.")
@click.option("-o", "--output", type=click.Path(path_type=Path), default="results/scaling.json",
              show_default=True, help="JSON file; table and figure beside it.")
@click.option("--dry-run", is_flag=True, help="Print the command lines only.")
@click.option("--submit", is_flag=True, help="Hand every run to SLURM as a batch job.")
@click.option("--collect", is_flag=True, help="Only gather what is finished.")
@click.option("--launch", metavar="COMMAND",
              help='How ranks are started, such as "srun --mpi=pmix -K" (before -n N);'
              " default: mpirun, in a batch job as jobs/slurm/common.sh does it.")
@click.option("--sbatch", "options", multiple=True, metavar="OPTION",
              help='More for sbatch, such as "--partition=compute"; may be repeated.')
def run(job, settings, ranks, teams, kind, realisations, repeats, output, dry_run, submit,
        collect, launch, options):
    """Measure strong and weak scaling on this machine, or through SLURM."""
    from hpc_cr.config import JobError, load_job
    from tools.scaling import study

    try:
        loaded = load_job(job, settings)
    except JobError as error:
        raise click.UsageError(str(error)) from None
    kinds = {"strong", "weak"} if kind == "both" else {kind}
    points = study.points(ranks, teams, realisations or loaded.run.realisations, kinds)
    if not points:
        raise click.UsageError("no team fits the ranks: --teams are larger than all --ranks")
    folder = output.resolve().with_suffix("")
    every = [(point, repeat) for repeat in range(repeats) for point in points]
    job, python = job.resolve(), sys.executable
    if dry_run and not submit:
        for point, repeat in every:
            out = study.files(folder, point, repeat)[0]
            click.echo(shlex.join(study.command(point, job, out, settings, python,
                                                study.starter(launch, point.ranks))))
        return
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if submit:
            for point, repeat in every:
                script = folder / f"{point.name}-{repeat}.sbatch"
                script.write_text(study.batch_script(point, repeat, job, folder, settings, python,
                                                     launch, options))
                click.echo(f"sbatch {script}" if dry_run else study.submit(script))
            return
        if not collect:
            _run_all(study, every, job, folder, settings, python, launch)
    except study.StudyError as error:
        raise click.ClickException(str(error)) from None
    records, missing = study.collect(points, repeats, folder)
    if missing:
        click.echo(f"{missing} of {len(every)} runs are not finished", err=True)
    if not records:
        raise click.ClickException(f"nothing is finished in {folder}")
    _write(output, kinds, records, {"job": str(job), "settings": list(settings)})


def _run_all(study, every, job, folder, settings, python, launch):
    for point, repeat in _progress(every, lambda item: f"{item[0].name}, run {item[1] + 1}"):
        study.run(point, repeat, job, folder, settings, python, launch)


def _progress(items, label):
    """Go through items with a bar on stderr."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=len(items))
        for item in items:
            bar.update(task, description=label(item))
            yield item
            bar.advance(task)


def _write(output, kinds, records, settings):
    from hpc_cr.io.provenance import collect as provenance
    from tools.scaling import report

    series = {kind: report.rows(records, kind) for kind in sorted(kinds)}
    output.write_text(json.dumps({"format": "hpc-cr scaling", "format_version": 1, **settings,
                                  "provenance": provenance(), "records": records,
                                  **series}, indent=1) + "\n")
    picture = output.with_suffix(".png")
    report.figure(series, picture)
    console = wide_console()
    for kind, found in series.items():
        console.print(report.table(found, kind))
    for line in report.remarks([row for found in series.values() for row in found]):
        console.print(line)
    console.print(f"{output} {picture}")


@command.command()
@click.option("--job", "jobs", multiple=True, metavar="'FILE [KEY=VALUE ...]'", default=JOBS,
              show_default=True, help="Job whose first case is measured, with changed keys.")
@click.option("--ranks", callback=_numbers, default=_powers(1 << 16), show_default=True)
@click.option("--realisations", type=click.IntRange(min=1), default=100_000, show_default=True)
@click.option("--spread", type=click.FloatRange(min=0), default=0.05, show_default=True,
              help="Relative standard deviation of an entry's time among realisations.")
@click.option("--spread-of", type=click.Path(path_type=Path, exists=True), metavar="FILE.h5",
              help="Take the spread of core-seconds in a result file instead.")
@click.option("--speeds", type=click.FloatRange(min=0), default=0.02, show_default=True,
              help="Relative standard deviation of the ranks' speeds.")
@click.option("--network", type=click.FloatRange(min=0), default=5e-6, show_default=True,
              help="Assumed: seconds of a message between nodes.")
@click.option("--disk", type=click.FloatRange(min=0), nargs=3, default=(1e-3, 5e4, 1e10),
              show_default=True, help="Assumed parallel file system: seconds of a small write,"
              " small writes per second and bytes per second of all ranks together.")
@click.option("-o", "--output", type=click.Path(path_type=Path),
              default="results/scaling-prediction.json", show_default=True)
def predict(jobs, ranks, realisations, spread, spread_of, speeds, network, disk, output):
    """Predict the efficiency on many ranks from short measurements here."""
    from rich.console import Console

    from hpc_cr.config import JobError
    from tools.scaling import measure
    from tools.scaling import predict as simulated
    from tools.scaling.study import StudyError

    if spread_of:
        spread = measure.spread_of(spread_of)[1]
    news = Console(stderr=True)
    try:
        with news.status("messages and writes") as status:
            machine = measure.machine(Path(JOB).resolve())
            found = {}
            for text in jobs:
                status.update(f"short measurement of {text}")
                label, job, team = _one_case(text)
                found[label] = (measure.of_job(job), team)
            points = simulated.predict(found, machine, ranks, realisations, spread, speeds,
                                       network, disk, status.update)
    except (JobError, StudyError) as error:
        raise click.UsageError(str(error)) from None
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(
        {"format": "hpc-cr scaling prediction", "format_version": 1, "machine": machine,
         "jobs": {label: {**job, "team": team} for label, (job, team) in found.items()},
         "spread": spread, "speeds": speeds, "network": network, "disk": disk,
         "points": points}, indent=1) + "\n")
    picture = output.with_suffix(".png")
    simulated.figure(points, picture)
    console = wide_console()
    for table in simulated.tables(points):
        console.print(table)
    console.print(f"{output} {picture}")


def _one_case(text):
    """Label, job of the first case, and team of "FILE KEY=VALUE ..."."""
    from hpc_cr.config import load_job

    file, *changes = re.split(r" (?=[a-z_]+\.[a-z_]+=)", text)
    job = load_job(Path(file), changes).cases[0].job
    label = ", ".join([Path(file).stem, *(change.partition(".")[2] for change in changes)])
    return label, job, job.parallel.team_size


@command.command()
@click.option("--ranks", callback=_numbers, default="2,4,8,16", show_default=True)
@click.option("--tasks", type=click.IntRange(min=1), default=20, show_default=True,
              help="Per rank.")
@click.option("--seconds", type=click.FloatRange(min=0.001), default=0.2, show_default=True)
@click.option("--spread", type=click.FloatRange(min=0), default=0.2, show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path),
              default="results/scaling-check.json", show_default=True)
def check(ranks, tasks, seconds, spread, output):
    """Hold the simulation against real queues of tasks that sleep."""
    from rich.console import Console

    from tools.scaling import predict as simulated
    from tools.scaling.study import StudyError

    try:
        with Console(stderr=True).status("messages") as status:
            found = simulated.check(ranks, tasks, seconds, spread, status.update)
    except StudyError as error:
        raise click.ClickException(str(error)) from None
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(found, indent=1) + "\n")
    wide_console().print(simulated.check_table(found))
