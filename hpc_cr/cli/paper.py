"""hpc-cr paper: what a published paper says, measured in a result file, and its figures."""

import json
import sys

import click


@click.command("paper")
@click.argument("name", required=False)
@click.argument("out", metavar="OUT.h5", required=False, type=click.Path())
@click.option("--figures", "folder", metavar="FOLDER", type=click.Path(),
              help="Draw the paper's figures there.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The table as JSON.")
def command(name, out, folder, as_json):
    """Compare a result file with the paper NAME: its statements as numbers with errors.

    OUT.h5 is the result of the job of the same name (`hpc-cr jobs NAME`).
    """
    from hpc_cr.config.errors import nearest
    from hpc_cr.papers import PAPERS, draw_figures, module_of

    if name is None:
        width = max(map(len, PAPERS))
        for key, reference in PAPERS.items():
            click.echo(f"{key:{width}}  {reference}")
        return
    if name not in PAPERS:
        guess = nearest(name, PAPERS)
        hint = f"did you mean {guess}?" if guess else f"papers: {', '.join(PAPERS)}"
        raise click.UsageError(f"no paper {name!r}; {hint}")
    if out is None:
        raise click.UsageError(f"{name}: missing the result file, OUT.h5")
    from hpc_cr.io.results import open_results

    with open_results(out) as results:
        found = module_of(name).statements(results)
    if as_json:
        from hpc_cr.cli.document import valid

        json.dump(valid([s._asdict() for s in found]), sys.stdout, indent=2, allow_nan=False)
        print()
    else:
        _print(PAPERS[name], found)
    if folder is not None:
        # the table may be piped as JSON
        draw_figures(name, out, folder, lambda path: click.echo(f"Figure: {path}", err=as_json))


def _print(reference, found):
    """Reference, table, and the notes below it."""
    from hpc_cr.cli.table import print_table

    print(reference)
    header = [(name, "") for name in ("where", "statement", "paper", "here", "verdict")]
    rows, notes = [], []
    for s in found:
        mark = ""
        if s.note:
            notes.append(s.note)
            mark = f" ({len(notes)})"
        rows.append([s.where, s.text, s.paper, _with_unit(s), s.verdict + mark])
    print_table(header, rows, sys.stdout, left=("where", "statement", "paper", "verdict"))
    for number, note in enumerate(notes, 1):
        print(f"({number}) {note}")


def _with_unit(s):
    """Value with error in units of the power of ten that suits it."""
    import numpy as np

    from hpc_cr.cli.summary import with_error

    if not np.isfinite(s.value):
        return "-"
    small = s.value != 0 and not 1e-2 <= abs(s.value) < 1e4
    exponent = int(np.floor(np.log10(abs(s.value)))) if small else 0
    text = with_error(s.value, s.error if np.isfinite(s.error) else None, exponent)
    if exponent:
        text = f"({text})e{exponent:+03d}"
    return f"{text} {s.unit}".rstrip()
