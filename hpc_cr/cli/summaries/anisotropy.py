"""The closing table of an anisotropy job: the dipole over the realisations."""

import numpy as np

from hpc_cr.cli.approaches import approach_document, approach_lines, patch_lines
from hpc_cr.cli.summary import rate_text, rigidity_text, with_error
from hpc_cr.cli.table import plain, print_table

_DISPENSABLE = ("toward", "median", "noise", "steps", "n")
"""Columns that a narrow terminal does without, in this order; `hpc-cr info --json` has all."""


def print_results(every, stop, stream):
    """Print the dipoles at a stop and whether they have converged."""
    cases = [(c, c.summary(stop)) for c in every if c.job.particles.patch is None]
    exponent = _common_exponent([s.mean_amplitude for _, rows in cases for s in rows])
    if cases:
        header, rows = _table(cases, exponent)
        for line in _heading(cases):
            print(plain(line, stream), file=stream)
        print_table(header, rows, stream, dispensable=_DISPENSABLE)
    for line in (*patch_lines(every), *approach_lines(every)):
        print(plain(line, stream), file=stream)


def documents(cases):
    """The same for JSON, at every stop: {"results": [...], "convergence": [...]}."""
    found = [
        _result(case, summary)
        for case in cases
        for summary in _by_rigidity([case.summary(i) for i in range(case.stops.shape[1])])
    ]
    return {"results": found, "convergence": approach_document(cases)}


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
                    rate_text(case.steps[:, rig].sum(), case.seconds[:, rig].sum()),
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
        each = f"{size[0]:.4g}" if np.ptp(size) == 0 else ", ".join(f"{v:.4g}" for v in size)
        towards = dict.fromkeys(f"({lon:.1f}, {lat:.1f})" for lon, lat in
                                zip(*map(np.atleast_1d, lon_lat(case.gradient)), strict=True))
        origin = f" of {case.job.gradient.from_}" if case.job.gradient.from_ else ""
        gradients.append(f"gradient{origin} {each} / pc toward (l, b) = {', '.join(towards)} deg")
    if len(set(gradients)) == 1:
        return [*lines, gradients[0]]
    return lines + [f"case {c.case}: {text}" for (c, _), text in zip(cases, gradients, strict=True)]


def _by_rigidity(summaries):
    """From stop by stop to rigidity by rigidity, stops ascending."""
    return [s for rigidity in zip(*summaries, strict=True) for s in rigidity]


def _result(case, s):
    rig = int(np.argmin(np.abs(case.rigidities - s.rigidity)))
    return {
        "case": case.case,
        "rigidity_PV": s.rigidity,
        "stop": s.stop,
        "stop_kind": case.stop_kind,
        "stop_unit": "pc",
        "n": s.n,
        "n_realisation": s.n_realisation,
        "gradient_per_pc": s.gradient,
        "dipole_mean": s.mean_amplitude,
        "dipole_mean_error": s.mean_amplitude_error,
        "dipole_median": s.median,
        "dipole_median_error": s.median_error,
        "dipole_scatter": s.scatter,
        "dipole_scatter_error": s.scatter_error,
        "dipole_rms_debiased": s.rms_debiased,
        "noise_floor": s.noise_floor,
        "vector_mean": s.vector_mean,
        "vector_mean_error": s.vector_mean_error,
        "direction_lb_deg": s.direction,
        "direction_error_deg": s.direction_error_deg,
        "expectation": s.expectation,
        "expectation_error": s.expectation_error,
        "steps": int(case.steps[:, rig].sum()),
        "core_seconds": float(case.seconds[:, rig].sum()),
        "unfinished": int(case.unfinished[:, rig].sum()),
        "over_tolerance": int(case.over_tolerance[:, rig].sum()),
    }


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


def _common_exponent(values):
    """One power of ten for all amplitudes, so that columns compare at a glance."""
    values = [v for v in values if np.isfinite(v) and v > 0]
    return int(np.floor(np.log10(min(values)))) if values else 0
