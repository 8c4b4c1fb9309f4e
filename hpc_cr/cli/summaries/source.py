"""The closing table of a source job: how clouds spread, how Gaussian they are, their dipole."""

import numpy as np

from hpc_cr.cli.summaries.diffusion import MARKS, number
from hpc_cr.cli.summary import rate_text, rigidity_text
from hpc_cr.cli.table import plain, print_table

_DISPENSABLE = ("steps", "particles", "n", "in cells")
"""Columns that a narrow terminal does without, in this order; `hpc-cr info --json` has all."""


def print_results(every, stop, stream):
    """Print what the clouds have come to at a stop."""
    for line in (
        "Clouds around a burst at time T, mean over n realisations +- its standard error:",
        "D from the growth of <X^2> along and across the uniform field over all T (> still rising,",
        "< still falling, ? not decided), kurtosis about the clouds' means (1: Gaussian), share of",
        "the particles in the cells, dipole in the cloud over 3s/2cT (1: diffusive) from the flow",
        "and from the density's gradient",
    ):
        print(plain(line, stream), file=stream)
    print_table(*_table(every, stop), stream, dispensable=_DISPENSABLE)
    print("A dipole above 1 remembers the beginning: the diffusive one needs T of many mean free"
          " paths.\nNo dipole where the first cell is wider than half of the cloud, or the last one"
          " ends within\ntwo of its widths; none from the gradient without a plateau of D.",
          file=stream)  # fmt: skip
    for line in _unknown(every):
        print(plain(line, stream), file=stream)


def documents(cases):
    """The same for JSON, at every stop, with the cells: {"results": [...]}."""
    return {"results": [_result(case, rig, stop) for case in cases
                        for rig in range(len(case.rigidities))
                        for stop in range(case.stops.shape[1])]}  # fmt: skip


def _table(every, stop):
    """Column headers (name, unit) and rows of text."""
    named = any(case.case for case in every)
    header = [*([("case", "")] if named else []), ("rigidity", ""), ("T", "pc"), ("n", ""),
              ("particles", ""), ("D_par", "pc c"), ("D_perp", "pc c"), ("kurtosis", "par"),
              ("kurtosis", "perp"), ("in cells", "%"), ("flow", "3s/2cT"), ("gradient", "3s/2cT"),
              ("steps", "1e6/s/core")]  # fmt: skip
    rows = []
    for case in every:
        for rig, rigidity in enumerate(case.rigidities):
            spread, done = case.spread(rig), case.done[:, rig]
            found, inside = case.dipoles(rig, stop), 100 * case.in_cells(rig, stop)[0]
            rows.append([
                *([case.case] if named else []), rigidity_text(rigidity),
                f"{case.stops[rig, stop]:.4g}", str(int(done.sum())),
                str(_particles(case, rig)),
                *(_marked(one) for one in case.coefficients(rig).values()),
                *(number(spread.kurtosis[stop, i], spread.kurtosis_error[stop, i])
                  for i in range(2)),
                f"{inside:.3g}" if np.isfinite(inside) else "-",
                number(found.ratio, found.ratio_error),
                number(found.gradient_ratio, found.gradient_ratio_error),
                rate_text(case.steps[:, rig].sum(), case.seconds[:, rig].sum()),
            ])  # fmt: skip
    return header, rows


def _marked(one):
    """A coefficient with the mark of one that has no plateau."""
    if not np.isfinite(one.value):
        return "-"
    return MARKS.get(one.state, "?") + number(one.value, one.error)


def _unknown(every):
    """A line per entry whose field lines, and so its cells, are not all known."""
    for case in every:
        for rig, rigidity in enumerate(case.rigidities):
            known = case.known_lines(rig)
            if known < 1:
                name = f"{case.case}, " if case.case else ""
                yield (f"{name}{rigidity_text(rigidity)}: {100 * known:.3g} % of the sources' field"
                       " lines are known along the cells; the others leave out their cells")


def _particles(case, rig):
    """Particles that reached the last stop in all realisations together."""
    started = int(case.done[:, rig].sum()) * case.job.particles.count
    return started - int(case.unfinished[:, rig].sum())


def _result(case, rig, stop):
    spread, found = case.spread(rig), case.dipoles(rig, stop)
    mean, poisson, error = case.mean_density(rig, stop)
    inside, inside_error = case.in_cells(rig, stop)
    return {
        "case": case.case,
        "rigidity_PV": case.rigidities[rig],
        "gyroradius_pc": case.job.gyroradii[rig],
        "coherence_length_pc": case.job.coherence_length,
        "stop": case.stops[rig, stop],
        "stop_unit": "pc",
        "n_realisation": int(len(np.unique(case.realisation[case.done[:, rig]]))),
        "spread_pc": {name: (getattr(spread, name)[stop], getattr(spread, f"{name}_error")[stop])
                      for name in ("parallel", "perpendicular", "own_perpendicular")},
        "kurtosis": spread.kurtosis[stop],
        "kurtosis_error": spread.kurtosis_error[stop],
        "coefficients": {name: {"value_pc": one.value, "error_pc": one.error, "state": one.state}
                         for name, one in case.coefficients(rig).items()},
        "field_lines_known": case.known_lines(rig),
        "in_cells": inside,
        "in_cells_error": inside_error,
        "along_pc": case.along,
        "perpendicular_pc": case.perpendicular,
        "density_per_pc3": mean,
        "density_poisson_error": poisson,
        "density_error": error,
        "dipole": {
            "place_pc": found.places,
            "gaussian": found.gaussian,
            "flow": found.flow.value,
            "flow_error": found.flow.error,
            "particles": found.flow.particles,
            "between_pc": found.between,
            "gradient": found.gradient,
            "gradient_error": found.gradient_error,
        },
        "flow_over_gaussian": found.ratio,
        "flow_over_gaussian_error": found.ratio_error,
        "gradient_over_gaussian": found.gradient_ratio,
        "gradient_over_gaussian_error": found.gradient_ratio_error,
        "steps": int(case.steps[:, rig].sum()),
        "core_seconds": float(case.seconds[:, rig].sum()),
        "unfinished": int(case.unfinished[:, rig].sum()),
        "over_tolerance": int(case.over_tolerance[:, rig].sum()),
    }  # fmt: skip
