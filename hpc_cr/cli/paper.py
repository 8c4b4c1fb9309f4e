"""hpc-cr paper: what a published paper says, measured in result files, and its figures."""

import json
import sys
from contextlib import ExitStack
from itertools import zip_longest
from shutil import get_terminal_size
from textwrap import wrap

import click

WIDTH = 120
"""Characters of a line where nobody says how many there are."""
MIN_WIDTH = 80
"""Below that a terminal has to wrap lines itself."""
PAPER_WIDTH = 14
MIN_STATEMENT = 30


@click.command("paper")
@click.argument("name", required=False)
@click.argument("outs", metavar="[OUT.h5 ...]", nargs=-1, type=click.Path())
@click.option("--figures", "folder", metavar="FOLDER", type=click.Path(),
              help="Draw the paper's figures there.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The table as JSON.")
def command(name, outs, folder, as_json):
    """Compare a result file with the paper NAME: its statements as numbers with errors.

    OUT.h5 is the result of the job of the same name (`hpc-cr jobs NAME`). A paper whose statements
    come from several jobs takes their files in any order; each adds the statements it serves.
    """
    from hpc_cr.config.errors import nearest
    from hpc_cr.papers import PAPERS, check_kinds, draw_figures, module_of

    if name is None:
        width = max(map(len, PAPERS))
        for key, reference in PAPERS.items():
            click.echo(f"{key:{width}}  {reference}")
        return
    if name not in PAPERS:
        guess = nearest(name, PAPERS)
        hint = f"did you mean {guess}?" if guess else f"papers: {', '.join(PAPERS)}"
        raise click.UsageError(f"no paper {name!r}; {hint}")
    if not outs:
        raise click.UsageError(f"{name}: missing the result file, OUT.h5")
    from hpc_cr.io.results import open_results

    with ExitStack() as files:
        opened = [files.enter_context(open_results(out)) for out in outs]
        check_kinds(name, opened)
        found = module_of(name).statements(*opened)
        rests = [_finished(results, name) for results in opened]
    if as_json:
        from hpc_cr.cli.document import valid

        json.dump(valid([s._asdict() for s in found]), sys.stdout, indent=2, allow_nan=False)
        print()
    else:
        errors = getattr(module_of(name), "ERRORS", "standard error over realisations")
        _print(PAPERS[name], found, rests, errors)
    if folder is not None:
        # the table may be piped as JSON
        draw_figures(name, outs, folder, lambda path: click.echo(f"Figure: {path}", err=as_json),
                     lambda text: click.echo(f"left out: {text}", err=True))  # fmt: skip


def _finished(results, name):
    """Lines that say what a file is, if not of the paper's own job, and what it holds."""
    lines, job = [], results.job.name
    if results.kind == "anisotropy" and job != name:
        lines.append(f"a file of the job {job}, in which the cases have the paper's fields")
    counts = [(case.case, int(case.done.all(axis=1).sum()), len(case.done))
              for case in results.each_case()]  # fmt: skip
    if results.kind == "anisotropy":
        count = ", ".join(f"{case} {done} of {total}".strip() for case, done, total in counts)
        return [*lines, f"finished skies: {count}"]
    partly = [f"{case} {done} of {total}" for case, done, total in counts if done < total]
    state = f"unfinished: {', '.join(partly)}" if partly else "all finished"
    cases = f"{len(counts)} case{'s' * (len(counts) > 1)}"
    return [*lines, f"{results.path} (job {job}): {cases}, {counts[0][2]} rows, {state}"]


def _print(reference, found, rests, errors):
    """Reference, what the numbers and errors rest on, the table, the notes below it."""
    from hpc_cr.cli.table import plain, print_table

    width = _width()
    print(reference)
    for line in sum(rests, []):
        print(line)
    scaled = any("(b)" in s.text for s in found)
    sizes = "; (a): response as computed, (b): scaled to B/C" if scaled else ""
    print(plain(f"+-: {errors}, or what the note says{sizes}", sys.stdout))
    header = [(name, "") for name in ("where", "statement", "paper", "here", "verdict")]
    rows, notes = [], []
    for s in found:
        mark = ""
        if s.note:
            if s.note not in notes:
                notes.append(s.note)
            mark = f" ({notes.index(s.note) + 1})"
        rows.append([s.where, s.text, s.paper, _with_unit(s), s.verdict + mark])
    rows = _wrapped(rows, [name for name, _ in header], width)
    print_table(header, rows, sys.stdout, left=("where", "statement", "paper", "verdict"))
    for number, note in enumerate(notes, 1):
        first = f"({number}) "
        lines = wrap(note, width, initial_indent=first, subsequent_indent=" " * len(first))
        print(plain("\n".join(lines), sys.stdout))


def _width():
    """Characters of a line: those of the terminal, else enough for most."""
    from hpc_cr.cli.terminal import on_terminal

    return max(get_terminal_size().columns, MIN_WIDTH) if on_terminal(sys.stdout) else WIDTH


def _wrapped(rows, names, width):
    """Rows whose statement and paper's value go on in further lines, to fit the width."""
    others = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    frame = 3 * len(names) + 1  # of a drawn table
    limits = others.copy()
    limits[2] = min(others[2], PAPER_WIDTH)
    limits[1] = max(width - frame - limits[0] - sum(limits[2:]), MIN_STATEMENT)
    lines = []
    for row in rows:
        cells = [wrap(cell, limit, subsequent_indent="  " * (column == 1)) or [""]
                 for column, (cell, limit) in enumerate(zip(row, limits, strict=True))]  # fmt: skip
        lines += [list(line) for line in zip_longest(*cells, fillvalue="")]
    return lines


def _with_unit(s):
    """Value with error in units of the power of ten that suits it."""
    import numpy as np

    from hpc_cr.cli.summary import with_error

    if not np.isfinite(s.value):
        return "-"
    least = 0.1 if 0 < s.error < 1e-3 else 1e-2  # three decimals would not show such an error
    small = s.value != 0 and not least <= abs(s.value) < 1e4
    exponent = int(np.floor(np.log10(abs(s.value)))) if small else 0
    text = with_error(s.value, s.error if np.isfinite(s.error) else None, exponent)
    if exponent:
        text = f"({text})e{exponent:+03d}"
    return f"{text} {s.unit}".rstrip()
