"""`hpc-cr check`: do the finished entries have the numbers that were written?"""

import sys
import time

import click

SHOWN = 10
"""Damaged entries that are named; of more, only the number is said."""


@click.command("check")
@click.argument("files", metavar="OUT.h5 ...", nargs=-1, required=True, type=click.Path())
def command(files):
    """Compare every finished entry of all cases with its checksum.

    Damaged entries are named; `hpc-cr run --resume` computes them anew. A job may be writing the
    file: what it has finished is checked.

    Exit status: 0 every finished entry is whole; 2 damaged entries, or no readable result file.
    """
    from hpc_cr.cli.main import EXIT_WRONG_INPUT
    from hpc_cr.io.errors import ResultError

    wrong = False
    for path in files:
        try:
            damaged, text = _check(path)
            print(text, flush=True)
        except ResultError as error:
            damaged = [str(error)]
        for line in damaged:
            print(f"hpc-cr: {line}", file=sys.stderr, flush=True)
        wrong |= bool(damaged)
    return EXIT_WRONG_INPUT if wrong else 0


def _check(path):
    """What is damaged, line by line, and what was verified, in a line."""
    from hpc_cr.cli.reading import reading
    from hpc_cr.io.layout import human_bytes
    from hpc_cr.io.results import open_results
    from hpc_cr.io.verify import finished_bytes, verify

    with open_results(path) as results:
        jobs = {case.case: case.job for case in results.each_case()}
        total = sum(job.n_row * len(job.particles.rigidities) for job in jobs.values())
        began, n, n_bytes, damaged = time.monotonic(), 0, 0, []
        with reading(f"checking {path}", finished_bytes(results)) as advance:
            for entry in verify(results):
                n, n_bytes = n + 1, n_bytes + entry.n_bytes
                advance(entry.n_bytes)
                if not entry.whole:
                    job = jobs[entry.case]
                    damaged.append(job.entry_name(entry.row, entry.rig, entry.case))
    rate = n_bytes / max(time.monotonic() - began, 1e-9)
    state = "every one is whole" if not damaged else f"{len(damaged)} DAMAGED"
    verified = (
        f"{path}: {n} finished entries of {total}, {human_bytes(n_bytes)}"
        f" at {human_bytes(rate)}/s: {state if n else 'nothing to check'}"
    )
    return _complaints(path, damaged), verified


def _complaints(path, damaged):
    """One line per damaged entry, at most SHOWN of them, and what to do."""
    if not damaged:
        return []
    lines = [f"{path}: damaged: {name}" for name in damaged[:SHOWN]]
    if len(damaged) > SHOWN:
        lines.append(f"{path}: and {len(damaged) - SHOWN} more")
    return [*lines, f"{path}: run the job again with --resume to compute them anew"]
