"""When the ranks of a run were at work on which entries, and when they waited.

A bar is an entry, from its beginning (the synthesis of its field included) to its end, in the
colour of its case and rigidity; what is white is time that gave no entry: the start, waiting, the
end, and work that a stop cut off. Rows are the ranks that led entries, by host. Where there are
more than fit, a row is a host (or a part of one, or several), and its height the share of its
ranks that are at work.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.campaigns.accounts import finished_entries
from hpc_cr.figures import style
from hpc_cr.figures.panels import FigureError

MAX_ROWS = 48
"""Bars above each other that can be told apart; a run with more leading ranks is drawn by host."""
SHARED_ROWS = 24
"""Rows of a drawing by host."""
MAX_PANELS = 12
BINS = 600
"""Columns of a drawing by host: about one for two pixels."""
FEW = 300
"""Entries up to which each bar has an edge, so that neighbours can be told apart."""

_UNITS = ((172800, "d", 86400), (7200, "h", 3600), (180, "min", 60), (0, "s", 1))


def draw(opened, options):
    """One panel per run.

    Parameters
    ----------
    opened : sequence of hpc_cr.io.results.Results
        Files, of any case.
    options : hpc_cr.figures.panels.Options
        cases chooses entries, run the run ("all" for every one that finished an entry).

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        The file does not tell when entries were computed, or no such run.
    """
    chosen = [one for results in opened for one in _runs(results, options)]
    if len(chosen) > MAX_PANELS:
        raise FigureError(f"{len(chosen)} runs are more than fit on a page ({MAX_PANELS});"
                          " choose with --run")  # fmt: skip
    kinds = list(dict.fromkeys(kind for run in chosen for kind in run.kinds))
    colours = dict(zip(kinds, _colours(len(kinds)), strict=True))
    rows = [_rows(run) for run in chosen]
    heights = [float(np.clip((0.13 if len(r[0].members) == 1 else 0.22) * len(r), 0.8, 6.5)) + 0.75
               for r in rows]  # fmt: skip
    figure, all_axes = _page(heights)
    for axes, run, row in zip(all_axes, chosen, rows, strict=True):
        scale, unit = _unit(run.length)
        (_bars if len(run.leaders) <= MAX_ROWS else _shares)(axes, run, row, colours, scale)
        axes.set_xlim(0, run.length / scale)
        axes.set_xlabel(f"time since the start of the run [{unit}]")
        _label_rows(axes, run, row)
        axes.set_title(run.title(len(opened) > 1), linespacing=1.3, loc="left")
    from matplotlib.patches import Patch

    handles = [Patch(color=colour, label=kind) for kind, colour in colours.items()]
    style.legend_below(figure, handles, min(len(handles), 4))
    return figure


class Run:
    """One run with its entries.

    Parameters
    ----------
    results : Results
    number : int
        Row of /provenance/runs.
    entries : hpc_cr.campaigns.accounts.Entries
        Of this run.
    names : list of str
        Of the cases.
    """

    def __init__(self, results, number, entries, names):
        self.results, self.number, self.entries = results, number, entries
        self.record = results.runs[number]
        pairs = zip(entries.case.tolist(), entries.rig.tolist(), strict=True)
        labels = {pair: self._label(*pair, names) for pair in sorted(set(pairs))}
        self.kind = [labels[pair] for pair in zip(entries.case.tolist(), entries.rig.tolist(),
                                                  strict=True)]  # fmt: skip
        self.kinds = list(dict.fromkeys(labels.values()))
        self.length = float(max(entries.ended.max(), self.record["wall"]))
        # leading ranks by host, hosts in the order of their first rank
        order = np.argsort(entries.rank, kind="stable")
        first = {}
        for host, rank in zip(entries.host[order], entries.rank[order], strict=True):
            first.setdefault(str(host), int(rank))
        known = set(zip(entries.host.tolist(), entries.rank.tolist(), strict=True))
        self.leaders = sorted(known, key=lambda one: (first[one[0]], one[1]))

    def _label(self, case, rig, names):
        value = [c.rigidities for c in self.results.each_case()][case][rig]
        return f"{names[case]}, {style.rigidity(value)}" if names[case] else style.rigidity(value)

    def title(self, with_file):
        """Two lines: which run, and how busy its ranks were."""
        r = self.record
        name = f"{self.results.path.name}, run" if with_file else "run"
        started = r["started"].replace("T", " ").rstrip("Z")
        ranks = f"{r['ranks']} ranks" + (f" in teams of {r['team_size']}" * (r["team_size"] > 1))
        how = "; heights: share of a row's ranks" if len(self.leaders) > MAX_ROWS else ""
        busy = np.sum(self.entries.ended - self.entries.began) / (self.length * len(self.leaders))
        return (f"{name} {self.number}: {started} UTC, {ranks}, {r['state']}\n"
                f"{len(self.entries.run)} entries, {len(self.leaders)} leading ranks"
                f" at work for {100 * busy:.0f} % of the time{how}")  # fmt: skip


def _runs(results, options):
    """The chosen runs of one file."""
    cases = list(results.each_case())
    if cases[0].origin is None:
        raise FigureError(f"{results.path}: format version 1 does not tell when entries were"
                          " computed")  # fmt: skip
    entries = finished_entries(cases)
    entries = entries.take(np.isfinite(entries.began) & (entries.run >= 0))
    names = [case.case for case in cases]
    if options.cases:
        entries = entries.take(np.isin(np.array(names)[entries.case], options.cases))
    runs = results.runs
    if options.run == "all":
        numbers = sorted(set(entries.run.tolist()))
    else:
        numbers = [_number(results, options.run, len(runs))]
    found = [Run(results, n, entries.take(entries.run == n), names)
             for n in numbers if (entries.run == n).any()]  # fmt: skip
    if not found:
        which = "no run" if options.run == "all" else f"run {numbers[0]} of {len(runs)}"
        raise FigureError(f"{results.path}: {which} finished an entry; --run chooses another")
    return found


def _number(results, text, count):
    """Row of a run given by its number, or counted from the last one."""
    try:
        return range(count)[int(text)]
    except (ValueError, IndexError):
        raise FigureError(f"{results.path}: no run {text!r}; there are {count},"
                          f' 0 to {count - 1}, or "all"') from None  # fmt: skip


class Row(NamedTuple):
    """One row of a panel: its leading ranks as (host, rank), and what stands beside it."""

    members: list
    label: str
    host: str


def _rows(run):
    """Rows of a run's panel: ranks, or parts of hosts, or groups of hosts."""
    hosts = {}
    for host, rank in run.leaders:
        hosts.setdefault(host, []).append(rank)
    if len(run.leaders) <= MAX_ROWS:
        return [Row([one], f"rank {one[1]}", one[0]) for one in run.leaders]
    if len(hosts) <= SHARED_ROWS // 2:
        size = -(-len(run.leaders) // (SHARED_ROWS - len(hosts)))
        parts = [(host, ranks[i : i + size])
                 for host, ranks in hosts.items() for i in range(0, len(ranks), size)]  # fmt: skip
        return [Row([(host, rank) for rank in part], f"ranks {part[0]} to {part[-1]}", host)
                for host, part in parts]  # fmt: skip
    names, size = list(hosts), -(-len(hosts) // SHARED_ROWS)
    groups = [names[i : i + size] for i in range(0, len(names), size)]
    return [
        Row([(host, rank) for host in group for rank in hosts[host]],
            " to ".join(_short(host) for host in dict.fromkeys((group[0], group[-1]))), "")
        for group in groups
    ]  # fmt: skip


def _bars(axes, run, rows, colours, scale):
    """A bar per entry."""
    place = {row.members[0]: index for index, row in enumerate(rows)}
    e = run.entries
    y = np.array([place[one] for one in _leaders(e)])
    edge = {"edgecolor": "white", "linewidth": 0.4} if len(y) <= FEW else {"linewidth": 0}
    for kind in run.kinds:
        mine = np.array([one == kind for one in run.kind])
        axes.barh(y[mine], (e.ended - e.began)[mine] / scale, 0.8, e.began[mine] / scale,
                  color=colours[kind], rasterized=len(y) > 5000, gid=kind, **edge)  # fmt: skip


def _shares(axes, run, rows, colours, scale):
    """The share of a row's ranks that are at work, against time."""
    place = {one: index for index, row in enumerate(rows) for one in row.members}
    e = run.entries
    y, kinds = np.array([place[one] for one in _leaders(e)]), np.array(run.kind)
    edges = np.linspace(0, run.length, BINS + 1)
    for index, row in enumerate(rows):
        base = np.zeros(BINS)
        for kind in run.kinds:
            mine = (y == index) & (kinds == kind)
            share = at_work(e.began[mine], e.ended[mine], edges) / len(row.members)
            # the axis points down: a row's floor is at its larger end
            low, high = (index + 0.4 - 0.8 * level for level in (base, base + share))
            axes.stairs(high, edges / scale, baseline=low, fill=True, color=colours[kind], gid=kind)
            base += share


def at_work(began, ended, edges):
    """Mean number of intervals that are open in each bin of time.

    Parameters
    ----------
    began, ended : ndarray (n,)
    edges : ndarray (n_bin + 1,), ascending

    Returns
    -------
    ndarray (n_bin,)
    """

    def passed(moments):
        """Sum over the moments of the time since then, at each edge."""
        moments = np.sort(moments)
        sums, before = np.append(0.0, np.cumsum(moments)), np.searchsorted(moments, edges)
        return before * edges - sums[before]

    return np.diff(passed(began) - passed(ended)) / np.diff(edges)


def _label_rows(axes, run, rows):
    """Names of the rows at the left, of their hosts at the right with lines between them."""
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [row.label for row in rows])
    axes.tick_params(axis="y", length=0, right=False)
    first = 0
    for index in range(1, len(rows) + 1):
        if index < len(rows) and rows[index].host == rows[first].host:
            continue
        axes.text(1.01, (first + index - 1) / 2, _short(rows[first].host), fontsize=7, va="center",
                  transform=axes.get_yaxis_transform())  # fmt: skip
        if index < len(rows) and rows[first].host:
            axes.axhline(index - 0.5, color=style.GREY, linewidth=0.5)
        first = index


def _leaders(entries):
    """(host, rank) of each entry."""
    return zip(entries.host.tolist(), entries.rank.tolist(), strict=True)


def _short(host):
    """A host's name without its domain."""
    return host.partition(".")[0]


def _unit(seconds):
    """Divisor and name of the unit that suits a time span."""
    return next((size, name) for least, name, size in _UNITS if seconds >= least)


def _colours(count):
    """As many colours as there are cases and rigidities."""
    if count <= len(style.SEQUENCE):
        return style.SEQUENCE[:count]
    from matplotlib import colormaps

    return [colormaps["viridis"](value) for value in np.linspace(0, 1, count)]


def _page(heights, extra=0.35):
    """A figure over both columns with axes of these heights in inches, one below the other."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(style.DOUBLE, sum(heights) + extra), layout="constrained")
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    return figure, [figure.add_subplot(grid[i]) for i in range(len(heights))]
