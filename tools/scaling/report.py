"""Efficiencies, table and figure of a measured scaling study."""

from statistics import median

DISTURBED = 0.1
"""Cores' worth of other processes above which a point is marked."""


def rows(records, kind):
    """One row per point of a kind of scaling.

    Efficiencies are relative to the point with the fewest ranks (its smallest team), repeat by
    repeat, so that a slow minute of the machine cancels: strong p0 T0/(p T), weak T0/T.

    Parameters
    ----------
    records : list of dict
        From `study.collect`.
    kind : {"strong", "weak"}

    Returns
    -------
    list of dict
        ranks, team, realisations; tracking_seconds, command_seconds, tracking_efficiency,
        command_efficiency, writing_share, waiting_share, end_share and others, each (median,
        minimum, maximum) or None.
    """
    chosen = _chosen(records, kind)
    if not chosen:
        return []
    first = min(chosen)
    base = {r["repeat"]: r for r in chosen[first]}
    found = []
    for (ranks, team), runs in sorted(chosen.items(), key=lambda item: (item[0][1], item[0][0])):
        row = {"ranks": ranks, "team": team, "realisations": runs[0]["realisations"],
               "base": f"{first[0]} rank{'s' * (first[0] > 1)}"}
        for name in ("tracking_seconds", "command_seconds", "writing_share", "waiting_share",
                     "end_share", "others"):
            row[name] = _summary([run[name] for run in runs])
        for name in ("tracking", "command"):
            scale = first[0] / ranks if kind == "strong" else 1.0
            row[f"{name}_efficiency"] = _summary(
                [scale * base[run["repeat"]][f"{name}_seconds"] / run[f"{name}_seconds"]
                 for run in runs if run["repeat"] in base])
        found.append(row)
    return found


def _chosen(records, kind):
    """Runs of a kind of scaling by (ranks, team)."""
    if not records:
        return {}
    most = max(r["realisations"] for r in records)
    widest = max(r["ranks"] for r in records)
    found = {}
    for record in records:
        wanted = most if kind == "strong" else max(most * record["ranks"] // widest, 1)
        if record["realisations"] == wanted:
            found.setdefault((record["ranks"], record["team"]), []).append(record)
    return found


def _summary(values):
    values = [value for value in values if value is not None]
    return (median(values), min(values), max(values)) if values else None


def table(found, kind):
    """Rows as a rich table."""
    from rich.table import Table

    shown = Table(title=f"{kind} scaling: median (minimum-maximum); efficiency to {_base(found)}",
                  title_justify="left")
    for name in ("ranks", "team", "realisations", "tracking s", "efficiency %",
                 "whole command s", "efficiency %", "writes %", "waits %", "end %", "others"):
        shown.add_column(name, justify="right", overflow="fold")
    for row in found:
        shown.add_row(
            str(row["ranks"]), str(row["team"]), str(row["realisations"]),
            _range(row["tracking_seconds"], 1, "{:.1f}"),
            _range(row["tracking_efficiency"], 100, "{:.0f}"),
            _range(row["command_seconds"], 1, "{:.1f}"),
            _range(row["command_efficiency"], 100, "{:.0f}"),
            *(_range(row[name], 100, "{:.2f}") for name in ("writing_share", "waiting_share",
                                                            "end_share")),
            _range(row["others"], 1, "{:.1f}"))
    return shown


def remarks(found):
    """Lines to read with the table."""
    lines = ["tracking: from the start to the end in the file's run record; writes, waits for"
             " tasks and the end (for the last rank): shares of the leaders' tracking time;"
             " others: cores used by other processes meanwhile"]
    if any(row["others"] and row["others"][0] > DISTURBED for row in found):
        lines.append("the machine was busy with other work: efficiencies are not to be relied on")
    return lines


def _base(found):
    return found[0]["base"] if found else "nothing"


def _range(values, scale, form):
    if values is None:
        return ""
    middle, low, high = (form.format(scale * value) for value in values)
    return middle if low == high else f"{middle} ({low}-{high})"


def figure(series, path):
    """Efficiency of tracking over ranks, for each kind of scaling and team size, as a PNG.

    Parameters
    ----------
    series : dict of str to list of dict
        Rows by kind.
    path : path-like
    """
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(6.0, 3.8), layout="constrained")
    axes = drawn.add_subplot()
    markers = {"strong": "o-", "weak": "s--"}
    for kind, found in series.items():
        for team in sorted({row["team"] for row in found}):
            mine = [row for row in found if row["team"] == team and row["tracking_efficiency"]]
            middle, low, high = ([100 * row["tracking_efficiency"][i] for row in mine]
                                 for i in range(3))
            bars = [[m - a for m, a in zip(middle, low, strict=True)],
                    [b - m for m, b in zip(middle, high, strict=True)]]
            axes.errorbar([row["ranks"] for row in mine], middle, bars, fmt=markers[kind],
                          capsize=3, label=f"{kind}, teams of {team}")
    axes.axhline(100, color="0.6", lw=0.8)
    every = sorted({row["ranks"] for found in series.values() for row in found})
    axes.set_xscale("log", base=2)
    axes.set_xticks(every, [str(n) for n in every])
    axes.set_ylim(0, None)
    axes.set_xlabel("ranks")
    base = next((_base(found) for found in series.values() if found), "")
    axes.set_ylabel(f"efficiency of tracking, % of {base}")
    axes.legend()
    drawn.savefig(path, dpi=150)
