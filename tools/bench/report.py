"""Tables and files of the benchmark."""

import json
from pathlib import Path

FORMAT = 1


def document(facts, figures, settings):
    """All of a run for JSON."""
    return {"format": "hpc-cr bench", "format_version": FORMAT, "machine": facts,
            "settings": settings, "figures": [figure.document() for figure in figures]}


def read(path):
    """A document written before; ValueError with one line if it is none."""
    try:
        found = json.loads(Path(path).read_text())
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{path}: not a JSON file") from None
    if not isinstance(found, dict) or found.get("format") != "hpc-cr bench":
        raise ValueError(f"{path}: not a file of make bench")
    return found


def number(value):
    """A number in four digits."""
    return f"{value:.4g}"


def _range(found):
    return (f"{number(found['median'])} ({number(found['min'])}-{number(found['max'])})"
            if found["min"] != found["max"] else number(found["median"]))


def table(found):
    """The figures as a rich table: median (minimum-maximum), and the same of their ratios."""
    from rich.table import Table

    shown = Table(title="median (minimum-maximum) of the runs", title_justify="left")
    for name in ("problem", "figure", "value", "unit", "ratio", "to"):
        shown.add_column(name, overflow="fold")
    before = None
    for figure in found["figures"]:
        if before not in (None, figure["problem"]):
            shown.add_section()
        name = figure["name"] + (f" ({figure['note']})" if "note" in figure else "")
        ratio = _range(figure["ratio"]) if "ratio" in figure else ""
        shown.add_row("" if before == figure["problem"] else figure["problem"], name,
                      _range(figure), figure["unit"], ratio, figure.get("yardstick", ""))
        before = figure["problem"]
    return shown


def comparison(old, new):
    """Before over after of each figure that both documents hold, as a rich table.

    Where there is a yardstick the ratios to it are compared, so that a faster machine does not
    count as a faster program; otherwise the values themselves.
    """
    from rich.table import Table

    shown = Table(title=f"before: {_commit(old)}; after: {_commit(new)}", title_justify="left")
    for name in ("problem", "figure", "before", "after", "before/after", "compared"):
        shown.add_column(name, overflow="fold")
    earlier = {(f["problem"], f["name"]): f for f in old["figures"]}
    for figure in new["figures"]:
        other = earlier.get((figure["problem"], figure["name"]))
        if other is None:
            continue
        normalised = "ratio" in figure and "ratio" in other
        one, two = ((f["ratio"] if normalised else f)["median"] for f in (other, figure))
        shown.add_row(figure["problem"], figure["name"], number(one), number(two),
                      f"{one / two:.2f}" if two else "",
                      f"ratio to {figure['yardstick']}" if normalised else figure["unit"])
    return shown


def _commit(found):
    facts = found["machine"]
    return (f"{facts['commit'][:12]}{' with changes' if facts['dirty'] else ''} on {facts['cpu']},"
            f" {facts['time']}")
