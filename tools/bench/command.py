"""Which problems run, how often, and where their figures go."""

import json
from pathlib import Path

import click

PROBLEMS = {
    "machine": "memory latency and bandwidth of one core",
    "P1": "backtracking on three nested 128^3 levels",
    "P2": "backtracking on one 256^3 level",
    "P3": "synthesis of a 256^3 level",
    "start": "from the command to the first step",
    "P4": "the quickstart on 1 and 2 ranks",
    "P5": "cost of the paper",
    "P6": "memory",
    "P7": "the transport equation of the Galaxy",
}
"""Name -> what it measures, in the order of running."""


def run(name, rounds, job_rounds, overrides, say):
    """Figures of one problem (list of Figure); overrides are for P1 to P4 and P7."""
    if name == "machine":
        from tools.bench import machine

        return machine.measure(rounds, say)
    if name in ("P1", "P2"):
        from tools.bench import kernels

        make = kernels.nested_job if name == "P1" else kernels.single_job
        return kernels.measure(make(overrides=overrides), rounds, say)
    if name == "P3":
        from tools.bench import synthesis

        return synthesis.measure(rounds, say, overrides=overrides)
    if name == "P7":
        from tools.bench import transport

        return transport.measure(rounds, say, overrides)
    if name == "P5":
        from tools.bench import paper

        return paper.measure(job_rounds, say)
    from tools.bench import jobs

    if name == "start":
        return jobs.measure_start(rounds, say)
    if name == "P4":
        return jobs.measure_time(job_rounds, say, overrides)
    return jobs.measure_memory(say)


@click.command(epilog="Problems: " + "; ".join(f"{k}: {v}" for k, v in PROBLEMS.items()))
@click.argument("problems", nargs=-1, type=click.Choice(list(PROBLEMS)))
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True,
              help="Runs of each figure and its yardstick, which take turns.")
@click.option("--job-rounds", type=click.IntRange(min=1), default=1, show_default=True,
              help="Runs of P4 and P5, half a minute each.")
@click.option("--set", "overrides", multiple=True, metavar="KEY.SUB=VALUE",
              help="Change a key of the jobs of P1 to P4 and P7; may be repeated.")
@click.option("-o", "--output", type=click.Path(path_type=Path), default="results/bench.json",
              show_default=True, help="JSON file with every run.")
@click.option("--compare", type=click.Path(path_type=Path), metavar="OLD.json",
              help="Print how the figures changed since this file was written.")
def command(problems, rounds, job_rounds, overrides, output, compare):
    """Time the named problems (all by default), each beside a yardstick of the same minutes."""
    from rich.console import Console

    from tools.bench import machine, report

    try:
        old = report.read(compare) if compare else None
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    facts, figures = machine.facts(), []
    chosen = [name for name in PROBLEMS if name in problems] or list(PROBLEMS)
    news = Console(stderr=True)
    with news.status("") as status:
        for name in chosen:
            figures += run(name, rounds, job_rounds, overrides,
                           lambda text, name=name: status.update(f"{name}: {text}"))
    found = report.document(facts, figures, {"problems": chosen, "rounds": rounds,
                                              "job_rounds": job_rounds, "set": overrides})
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(found, indent=1) + "\n")
    screen = Console()
    screen.print(f"{facts['cpu']}, {facts['cores']} cores, commit {facts['commit'][:12]}"
                 f"{' with changes' if facts['dirty'] else ''}", highlight=False)
    screen.print(report.table(found))
    if old:
        screen.print(report.comparison(old, found))
    screen.print(f"written: {output}", highlight=False)
