"""The closing table: what a result file says about the dipole, in a few lines."""

import sys

import numpy as np

from hpc_cr.cli.approaches import approach_lines, patch_lines
from hpc_cr.cli.table import plain, print_table

_DISPENSABLE = ("toward", "median", "noise", "steps", "n")
"""Columns that a narrow terminal does without, in this order; `hpc-cr info --json` has all."""


def print_summary(path, stop=-1, stream=None):
    """Print, per case and rigidity, the dipole over the realisations and what it cost.

    Parameters
    ----------
    path : path-like
        A result file; unfinished ones are summarised with what they hold.
    stop : int
        Index of the stop; default the last.
    stream : file, optional
        Default stdout. A terminal gets a drawn table, anything else aligned plain text.

    Raises
    ------
    hpc_cr.io.errors.ResultError
        The file cannot be read.
    """
    from hpc_cr.io.results import open_results

    stream = sys.stdout if stream is None else stream
    with open_results(path) as results:
        every = list(results.each_case())
        cases = [(c, c.summary(stop)) for c in every if c.job.particles.patch is None]
        exponent = _common_exponent([s.mean_amplitude for _, rows in cases for s in rows])
        if cases:
            header, rows = _table(cases, exponent)
            for line in _heading(cases):
                print(plain(line, stream), file=stream)
            print_table(header, rows, stream, dispensable=_DISPENSABLE)
        told = (*patch_lines(every), *approach_lines(every))
        for line in (*told, *_warnings(every), *_closing(every, path)):
            print(plain(line, stream), file=stream)


def _table(cases, exponent):
    """Column headers (name, unit) and rows of text."""
    power = f"1e{exponent:+03d}" if exponent else ""
    named = any(case.case for case, _ in cases)
    kind = "T" if all(case.stop_kind == "time" for case, _ in cases) else "stop"
    header = [
        *([("case", "")] if named else []),
        ("rigidity", ""),
        (kind, "pc"),
        ("n", ""),
        ("mean", power),
        ("scatter", power),
        ("median", power),
        ("noise", power),
        ("direction", "l, b deg"),
        ("expected", power),
        ("toward", "l, b deg"),
        ("steps", "1e6/s/core"),
    ]
    rows = []
    for case, summaries in cases:
        for rig, s in enumerate(summaries):
            rows.append(
                [
                    *([case.case] if named else []),
                    rigidity_text(s.rigidity),
                    f"{s.stop:.4g}",
                    str(s.n),
                    with_error(s.mean_amplitude, s.mean_amplitude_error, exponent),
                    with_error(s.scatter, s.scatter_error, exponent),
                    with_error(s.median, s.median_error, exponent),
                    with_error(s.noise_floor, None, exponent),
                    _direction(s.direction, s.direction_error_deg),
                    _expected(s, exponent),
                    _direction(_lon_lat(s.expectation), s.expectation_direction_error_deg),
                    _rate(case.steps[:, rig].sum(), case.seconds[:, rig].sum()),
                ]
            )
    return header, rows


def _heading(cases):
    """What the numbers are: definition and gradient."""
    from hpc_cr.frames import lon_lat

    lines = [
        "Dipole over the realisations: mean, scatter (standard deviation) and median of |dipole|,",
        "direction of the mean vector, expected |dipole| and its direction; +-: standard error",
    ]
    gradients = []
    for case, _ in cases:
        size = np.linalg.norm(case.gradient, axis=-1)
        lon, lat = (np.atleast_1d(v)[0] for v in lon_lat(case.gradient))
        each = f"{size[0]:.4g}" if np.ptp(size) == 0 else ", ".join(f"{v:.4g}" for v in size)
        gradients.append(f"gradient {each} / pc toward (l, b) = ({lon:.1f}, {lat:.1f}) deg")
    if len(set(gradients)) == 1:
        return [*lines, gradients[0]]
    return lines + [f"case {c.case}: {text}" for (c, _), text in zip(cases, gradients, strict=True)]


def _warnings(cases):
    """Particles and steps that must not go unnoticed."""
    lines = []
    for case in cases:
        where = f"case {case.case}: " if case.case else ""
        lost, over = int(case.unfinished.sum()), int(case.over_tolerance.sum())
        if lost:
            share = lost / max(int(case.done.sum()) * case.job.n_pix, 1)
            lines.append(
                f"{where}{lost} particles ({100 * share:.2g} %) did not reach the last stop;"
                " they are left out"
            )
        if over:
            lines.append(f"{where}{over} steps were accepted above the tolerance")
    return lines


def _closing(cases, path):
    """Completion, cost, and where the file is."""
    done = sum(int(case.done.sum()) for case in cases)
    total = sum(case.done.size for case in cases)
    steps = sum(int(case.steps.sum()) for case in cases)
    seconds = sum(float(case.seconds.sum()) for case in cases)
    state = "complete" if done == total else f"{done} of {total} entries done"
    return [
        f"{steps:.3g} particle-steps in {seconds:.3g} core-seconds"
        f" ({_rate(steps, seconds)} million steps per second and core)",
        f"Results: {path} ({state})",
    ]


def rigidity_text(rigidity_PV):
    """A rigidity with the prefix people use: 10 TV, 1 PV."""
    for unit, factor in (("EV", 1e-3), ("PV", 1.0), ("TV", 1e3), ("GV", 1e6)):
        if rigidity_PV * factor >= 0.9999:
            return f"{rigidity_PV * factor:.4g} {unit}"
    return f"{rigidity_PV * 1e6:.4g} GV"


def with_error(value, error, exponent):
    """A number and its error in units of a power of ten: "4.13 +- 0.52"; "-" where undefined."""
    if value is None or not np.isfinite(value):
        return "-"
    scaled = value / 10.0**exponent
    if error is None:
        return f"{scaled:.3g}"
    if not np.isfinite(error):
        return f"{scaled:.3g} +- -"
    width = error / 10.0**exponent
    # two digits of the error say how many of the value mean anything
    digits = 2 if width == 0 else int(np.clip(1 - np.floor(np.log10(width)), 0, 3))
    return f"{scaled:.{digits}f} +- {width:.{digits}f}"


def _expected(summary, exponent):
    """|<M> g| with the error along it."""
    size = np.linalg.norm(summary.expectation)
    if not np.isfinite(size):
        return "-"
    along = summary.expectation / size if size > 0 else np.zeros(3)
    error = np.sqrt(np.sum((along * summary.expectation_error) ** 2))
    return with_error(size, error, exponent)


def _direction(direction, error=None):
    lon, lat = direction
    if not np.isfinite(lon + lat):
        return "-"
    text = f"({lon:.0f}, {lat:.0f})"
    if error is None:
        return text
    return f"{text} +- {error:.0f}" if np.isfinite(error) else f"{text} +- -"


def _lon_lat(vector):
    from hpc_cr.frames import lon_lat

    return tuple(float(v) for v in lon_lat(vector)) if np.isfinite(vector).all() else (np.nan,) * 2


def _rate(steps, seconds):
    return f"{steps / seconds / 1e6:.2f}" if seconds > 0 else "-"


def _common_exponent(values):
    """One power of ten for all amplitudes, so that columns compare at a glance."""
    values = [v for v in values if np.isfinite(v) and v > 0]
    return int(np.floor(np.log10(min(values)))) if values else 0
