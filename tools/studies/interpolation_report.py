"""Tables and figure of the study of interpolations."""

from typing import NamedTuple

import numpy as np

from tools.studies.interpolation_measures import CELLS, KERNELS, REFERENCE
from tools.studies.interpolation_schemes import POTENTIAL, SCHEMES

ALLOWED = 1.0
"""Error of response and diffusion, %, that decides."""
MODEL_CELLS, MODEL_PERIODS = 128, 4
"""Cells per side, and longest waves per box, of the job whose price is given."""
NODE_BYTES, CELL_BYTES = 8, 64
"""Per cell in half precision, by layout."""
KERNEL_OF = {"trilinear, plain": "trilinear, nodes", "trilinear": "trilinear, nodes",
             "Catmull-Rom": "Catmull-Rom", "B-spline": "B-spline"}


def mean_and_error(values):
    """Mean and standard error along the first axis."""
    values = np.asarray(values, float)
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))


class Row(NamedTuple):
    """One interpolation with a number of cells; each quantity as (value, standard error)."""

    scheme: str
    cells: float
    field: tuple  # relative r.m.s. error, %
    divergence: tuple  # r.m.s. div B x (shortest wave/2 pi)/B_rms, %
    # by set-up: change of M and D against the reference, %: value and error, each (2, n_stop)
    changes: dict
    levels: float  # that the job needs
    mebibytes: float  # layout "nodes"
    time: tuple  # per step, over that of trilinear interpolation of 4 cells in the same layout


def rows(found):
    """All `Row`s of a study."""
    field = {key: mean_and_error([r[key] for r in found["field"]]) for key in found["field"][0]}
    transport = {name: {key: np.array([r[key] for r in done]) for key in done[0]}
                 for name, done in found["transport"].items()}
    reference = "{}|{:g}".format(*REFERENCE)
    band = found["settings"]["longest_pc"] / found["settings"]["shortest_pc"]

    def levels(cells):
        return np.log(band) / np.log(MODEL_CELLS / (MODEL_PERIODS * cells))

    result = []
    for scheme in (*SCHEMES, POTENTIAL):
        ratio = np.array(time_ratio(found, scheme))
        for cells in CELLS:
            key = f"{scheme}|{cells:g}"
            changes = {name: _change(values[key], values[reference])
                       for name, values in transport.items() if key in values and key != reference}
            value, error = 100 * np.array(field[key])
            n = levels(cells)
            result.append(Row(scheme, cells, (value[0], error[0]), (value[1], error[1]), changes,
                              n, n * MODEL_CELLS**3 * NODE_BYTES / 2**20,
                              tuple(ratio * n / levels(4.0))))
    return result


def _change(values, reference):
    """Change of the mean over realisations (first axis) and its standard error, %.

    That of a ratio of means: what is common to both drops out.
    """
    ratio = values.mean(axis=0) / reference.mean(axis=0)
    _, error = mean_and_error(values - ratio * reference)
    return 100 * (ratio - 1), 100 * error / reference.mean(axis=0)


def time_ratio(found, scheme):
    """Time per step and level over trilinear interpolation in the same layout: value, error."""
    kernel = found["time"]["kernel"]

    def per_step(name):
        return np.mean([kernel[f"{name}|{rigidity}"] for rigidity in ("1", "10")], axis=0)

    ratio = per_step(KERNEL_OF.get(scheme, "B-spline")) / per_step("trilinear, nodes")
    if scheme == POTENTIAL:
        plain = found["time"]["plain"]
        # as much slower than the B-spline as its plain code is
        ratio = ratio * np.array(plain[POTENTIAL]) / np.array(plain["B-spline"])
    return _median(ratio)


def _median(values):
    """Median and its standard error."""
    values = np.asarray(values, float)
    return np.median(values), 1.25 * values.std(ddof=1) / np.sqrt(len(values))


def good(row, setups):
    """Whether M and D change by less than ALLOWED, or twice an error below it, in all set-ups."""
    return set(row.changes) == set(setups) and all(
        np.all((np.abs(value) < np.maximum(ALLOWED, 2 * error)) & (error < ALLOWED))
        for value, error in row.changes.values())


def _both(value, error, digits=2):
    # small errors with their first digit
    if 0 < error < 0.5 * 10**-digits:
        digits = int(np.ceil(-np.log10(error)))
    return f"{value:.{digits}f} +- {error:.{digits}f}"


def _line(*columns):
    return "| " + " | ".join(columns) + " |"


def _head(*columns):
    return [_line(*columns), _line(*["---"] * len(columns))]


def tables(found):
    """The study's tables as text."""
    settings, table = found["settings"], rows(found)
    lines = [f"Field: {len(found['field'])} realisations, one level. Job: waves of"
             f" {settings['longest_pc']:g} to {settings['shortest_pc']:.3g} pc,"
             f" {MODEL_CELLS} cells, {MODEL_PERIODS} periods, layout \"nodes\", half precision;"
             " time per step over that of trilinear interpolation with 4 cells.", "",
             *_head("interpolation", "cells", "error of B [%]", "div B [%]", "levels", "MiB",
                    "time")]
    lines += [_line(row.scheme, f"{row.cells:g}", _both(*row.field), _both(*row.divergence),
                    f"{row.levels:.2f}", f"{row.mebibytes:.0f}", _both(*row.time)) for row in table]
    names = [f"{quantity} at {stop:g} lambda [%]" for name in found["transport"]
             for quantity in ("M", "D") for stop in settings[name]["stops"]]
    lines += ["", "Change of response M and running diffusion coefficient D against"
              f" {REFERENCE[0]} with {REFERENCE[1]:g} cells: " + ", then ".join(
                  f"{name} ({len(done)} realisations x {settings[name]['observers']} places)"
                  for name, done in found["transport"].items()) + ".", "",
              *_head("interpolation", "cells", *names)]
    for row in table:
        if row.changes:
            changes = []
            for name in found["transport"]:
                change = [np.ravel(part) for part in row.changes.get(name, ())]
                empty = [""] * (2 * len(settings[name]["stops"]))
                changes += [_both(*both) for both in zip(*change, strict=True)] or empty
            lines.append(_line(row.scheme, f"{row.cells:g}", *changes))
    lines += ["", "Kernels, three levels of 128^3 in half precision:", "",
              *_head("kernel", "bytes per cell", "1 PV [ns per step]", "10 PV [ns per step]",
                     "over trilinear in cells, 1 PV", "10 PV")]
    kernel = found["time"]["kernel"]
    for name in KERNELS:
        mine = [np.array(kernel[f"{name}|{rigidity}"]) for rigidity in ("1", "10")]
        first = [np.array(kernel[f"trilinear, cells|{rigidity}"]) for rigidity in ("1", "10")]
        lines.append(_line(
            name, str(CELL_BYTES if name.endswith("cells") else NODE_BYTES),
            *[_both(*_median(values), 1) for values in mine],
            *[_both(*_median(a / b)) for a, b in zip(mine, first, strict=True)]))
    fitting = sorted((row for row in table if good(row, found["transport"])),
                     key=lambda row: row.time[0])
    lines += ["", f"Off by less than {ALLOWED:g} % (or 2 standard errors) in every M and D,"
              " cheapest first: "
              + "; ".join(f"{row.scheme} {row.cells:g}" for row in fitting) + ".", ""]
    return "\n".join(lines)


def draw(found, path):
    """Figure: errors of the field, its divergence, and changes of M over cells per wave."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    table, setups = rows(found), list(found["transport"])
    figure = Figure(figsize=(9.0, 7.0), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(2, 2).ravel()
    for scheme, marker in zip((*SCHEMES, POTENTIAL), "xosD^", strict=True):
        mine = [row for row in table if row.scheme == scheme]
        style = {"marker": marker, "label": scheme, "markersize": 5, "linewidth": 1, "capsize": 2}
        curves = [([(row.cells, *row.field) for row in mine]),
                  ([(row.cells, *row.divergence) for row in mine])]
        # the response at the last stop
        curves += [[(row.cells, row.changes[name][0][0, -1], row.changes[name][1][0, -1])
                    for row in mine if name in row.changes] for name in setups]
        for axes, curve in zip(panels, curves, strict=True):
            if curve:
                axes.errorbar(*np.array(curve).T, **style)
    for axes in panels:
        axes.set(xlabel="cells per shortest wave", xscale="log",
                 xlim=(0.93 * CELLS[0], 1.07 * CELLS[-1]))
        axes.set_xticks(CELLS, [f"{c:g}" for c in CELLS])
        axes.minorticks_off()
    for axes, label in zip(panels, ("error of B [% of $B_{rms}$]",
                                    r"div B $\cdot L_{min}/2\pi$ [% of $B_{rms}$]"), strict=False):
        axes.set(ylabel=label, yscale="log")
    for axes, name in zip(panels[2:], setups, strict=True):
        stop = found["settings"][name]["stops"][-1]
        axes.set(ylabel=rf"change of M at {stop:g} $\lambda$ [%]", title=name)
        axes.axhspan(-ALLOWED, ALLOWED, color="0.9", zorder=0)
    panels[0].legend(fontsize=8)
    figure.savefig(path, dpi=120)
