"""`hpc-cr merge`: result files of blocks of realisations, joined into one."""

import os
import sys
import time
from itertools import islice
from pathlib import Path

import click

NAMED = 6
"""Unfinished entries that are named; all of them are counted."""


@click.command("merge")
@click.argument("pieces", nargs=-1, required=True, metavar="PIECE.h5...",
                type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, metavar="WHOLE.h5", type=click.Path(path_type=Path),
              help="The file to be made; none of the pieces.")
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
def command(pieces, output, overwrite):
    """Join result files of one job, each with some of its realisations, into one.

    The numbers are those of a single run, bit for bit (for the same versions and the same type of
    processor). Pieces come from `hpc-cr run JOB --block I/N` or from jobs that differ in
    run.first_realisation and run.realisations alone. They are left as they are. An entry that is
    in none of them stays unfinished: `hpc-cr run JOB -o WHOLE.h5 --resume` computes it. One that
    is in two is an error, and so are damaged ones and files of other jobs.
    """
    from hpc_cr.cli.reading import reading
    from hpc_cr.cli.terminal import duration
    from hpc_cr.io import provenance
    from hpc_cr.io.join import merge
    from hpc_cr.io.layout import human_bytes
    from hpc_cr.io.lock import FileLock
    from hpc_cr.io.pieces import look_at

    merger = look_at(pieces, output)
    _check_output(output, overwrite)
    with FileLock(output) as lock:
        _check_output(output, overwrite)  # somebody may have made it before we had the lock
        _say_notes(lock.note, merger.notes)
        began = time.monotonic()
        with reading(f"merging {len(pieces)} files", merger.n_bytes) as report:
            # a link stays one: the file is replaced where it really is
            real = Path(os.path.realpath(output))
            merge(merger, real, provenance=provenance.collect(), report=report)
        spent = time.monotonic() - began
    files = f"{len(pieces)} file{'s' if len(pieces) > 1 else ''}"
    print(f"{files} merged: {human_bytes(merger.n_bytes)} of numbers in {duration(spent)}"
          f" ({human_bytes(merger.n_bytes / max(spent, 1e-3))}/s)")
    _print_state(output)


def _say_notes(lock_note, notes):
    lines = [lock_note] if lock_note else []
    lines += [f"{note}; the same bits are promised for the same versions only" for note in notes]
    for line in lines:
        print(f"hpc-cr: note: {line}", file=sys.stderr, flush=True)


def _check_output(output, overwrite):
    from hpc_cr.io.errors import ResultError

    try:
        exists, folder = output.exists(), output.is_dir()
    except (OSError, ValueError) as error:
        raise ResultError(f"{output}: no usable file name: {error}") from None
    if folder:
        raise ResultError(f"{output} is a folder: -o names a file")
    if exists and not overwrite:
        raise ResultError(f"{output} exists: --overwrite replaces it, -o names another file")


def _print_state(output):
    """What the merged file holds, and what it lacks."""
    from hpc_cr.io.pieces import missing_names
    from hpc_cr.io.results import open_results

    with open_results(output) as results:
        cases = list(results.each_case())
        done, total = sum(int(c.done.sum()) for c in cases), sum(c.done.size for c in cases)
        state = "complete" if done == total else f"{done} of {total} entries done"
        print(f"Results: {output} ({state})")
        if done < total:
            names = [name for case in cases for name in islice(missing_names(case), NAMED + 1)]
            more = "; ..." if len(names) > NAMED else ""
            print(f"Unfinished: {'; '.join(names[:NAMED])}{more} (hpc-cr run JOB -o {output}"
                  " --resume computes them)")
