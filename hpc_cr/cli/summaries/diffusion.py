"""The closing table of a diffusion job: coefficients, and whether they have reached a plateau."""

import numpy as np

from hpc_cr.cli.approaches import grouped_lines, range_text
from hpc_cr.cli.summary import rate_text, rigidity_text
from hpc_cr.cli.table import plain, print_table
from hpc_cr.constants import PC_C_CM2_PER_S
from hpc_cr.diffusion.coefficients import BOUNDED, ERRORS, FALLING, PLATEAU, RISING
from hpc_cr.diffusion.theory import field_line_walk

MARKS = {PLATEAU: "", FALLING: "<", RISING: ">"}
"""Before a value: an upper and a lower bound on a limit that may not exist; "?" elsewhere."""
CGS_POWER = 28

_DISPENSABLE = ("steps", "L_c", "n")
"""Columns that a narrow terminal does without, in this order; `hpc-cr info --json` has all."""


def print_results(every, stop, stream):
    """Print the diffusion coefficients and what they rest on; all stops enter."""
    found = [(case, [case.coefficients(rig) for rig in range(len(case.rigidities))])
             for case in every]
    lines = [(case, [case.field_line_limit(rig) for rig in range(len(case.rigidities))])
             for case in every]
    shown = [_of(case, one) for case, parts in found for one in parts]
    told = [one for parts in shown for one in parts.values()]
    for line in _heading({_mark(one) for one in (*told, *sum((of for _, of in lines), []))}):
        print(plain(line, stream), file=stream)
    print_table(*_table(found), stream, dispensable=_DISPENSABLE)
    for line in plateau_lines(found):
        print(plain(line, stream), file=stream)
    header, rows = _line_table(lines)
    if rows:
        print(plain("Field lines, D_FL = <x x>/(2 s), and theory for weak turbulence,"
                    " (L_c/8) (B_rms/B0)^2:", stream), file=stream)
        print_table(header, rows, stream)


def documents(cases):
    """The same for JSON, with every stop and estimator: {"results": [...]}."""
    return {"results": [_result(case, rig)
                        for case in cases for rig in range(len(case.rigidities))]}  # fmt: skip


def plateau_lines(found):
    """Lines for people on where there is a plateau: from (case, coefficients per rigidity)."""
    lines = []
    for case, every in found:
        told = [(rig, _of(case, one)) for rig, one in enumerate(every)]
        lines += grouped_lines(case, [(rig, one) for rig, one in told
                                      if any(c.n_realisation for c in one.values())], statement)
    return ["Growth of <X X> between stops T, and bound (95 %) on its change along a plateau:",
            *lines] if lines else []  # fmt: skip


def statement(found):
    """One or several coefficients with the same state and reason, in words."""
    first = found[0]
    if first.state == PLATEAU:
        since = f" from T = {first.since:.4g} pc" if len(found) == 1 else ""
        return f"plateau{since} within {_bounds(found)}"
    if first.reason == BOUNDED:
        return f"{first.state}: {BOUNDED}"
    if first.state in (FALLING, RISING):
        if len(found) == 1:
            power = f"{first.exponent:.2f} +- {first.exponent_error:.2f}"
        else:
            power = range_text([one.exponent for one in found], ".2f")
        return f"{first.state} as T^({power}): {first.reason}"
    if first.reason != ERRORS:
        return f"not decided ({first.reason})"
    return f"not decided ({ERRORS}: {_bounds(found)})"


def _bounds(found):
    """Bounds on the change in per cent."""
    bounds = [100 * one.bound for one in found]
    form = ".2g" if max(bounds) < 99.5 else ".0f"
    return f"{range_text(bounds, form)} %"


def number(value, error):
    """A number with its error, two digits of it: "0.00873 +- 0.00010"; "-" where undefined."""
    if not np.isfinite(value):
        return "-"
    if not np.isfinite(error):
        return f"{value:.3g} +- -"
    size = max(abs(value), error)
    if not size or 1e-4 <= size < 1e6:
        digits = int(np.clip(1 - np.floor(np.log10(error)), 0, 7)) if error > 0 else 3
        return f"{value:.{digits}f} +- {error:.{digits}f}"
    power = int(np.floor(np.log10(size)))
    return f"({number(value / 10.0**power, error / 10.0**power)})e{power:+03d}"


def _of(case, coefficients):
    """What people are shown of a case: the trace beside a uniform field is for JSON."""
    if len(coefficients) == 1:
        return coefficients
    return {name: one for name, one in coefficients.items() if name != "D_iso"}


def _table(found):
    """Column headers (name, unit) and rows of text."""
    named = any(case.case for case, _ in found)
    lengths = sorted({len(one) for _, every in found for one in every})
    first = {(1,): "D_iso", (3,): "D_par"}.get(tuple(lengths), "D_par (or D_iso)")
    names = [first, "D_perp"] if 3 in lengths else [first]
    header = [*([("case", "")] if named else []), ("rigidity", ""), ("n", ""), ("L_c", "pc"),
              ("r_g/L_c", ""), *(one for name in names for one in ((name, "pc c"), ("trend", "%"))),
              *((name, f"1e{CGS_POWER} cm2/s") for name in names), ("steps", "1e6/s/core")]
    rows = []
    for case, every in found:
        length = case.job.coherence_length if case.job.turbulence.rms else np.nan
        for rig, coefficients in enumerate(every):
            shown = list(_of(case, coefficients).values())
            shown += [None] * (len(names) - len(shown))
            rows.append([*([case.case] if named else []), rigidity_text(case.rigidities[rig]),
                         str(int(case.done[:, rig].sum())), _plain(length, ".4g"),
                         _plain(case.job.gyroradii[rig] / length, ".3g"),
                         *(cell for one in shown for cell in (_cell(one, 1.0), _trend(one))),
                         *(_cell(one, PC_C_CM2_PER_S / 10.0**CGS_POWER) for one in shown),
                         rate_text(case.steps[:, rig].sum(), case.seconds[:, rig].sum())])
    return header, rows


def _plain(value, form):
    return format(value, form) if np.isfinite(value) else "-"


def _line_table(found):
    """The same for field lines: from (case, limits per rigidity)."""
    named = any(case.case for case, _ in found)
    header = [*([("case", "")] if named else []), ("rigidity", ""), ("B_rms/B0", ""),
              ("D_FL", "pc"), ("trend", "%"), ("theory", "pc")]
    rows = [[*([case.case] if named else []), rigidity_text(case.rigidities[rig]),
             f"{_level(case):.3g}", _cell(one, 1.0), _trend(one), f"{_walk(case):.4g}"]
            for case, limits in found for rig, one in enumerate(limits) if one is not None]
    return header, rows


def _level(case):
    return case.job.turbulence.rms / case.job.regular.strength


def _walk(case):
    return float(field_line_walk(_level(case), case.job.coherence_length))


def _mark(one):
    known = one is not None and np.isfinite(one.value)
    return MARKS.get(one.state, "?") if known else ""


def _cell(one, unit):
    return "-" if one is None else _mark(one) + number(one.value * unit, one.error * unit)


def _trend(one):
    """What is left of a trend, per cent."""
    return "-" if one is None else _plain(100 * one.trend, ".1f")


def _heading(marks):
    """What the numbers are."""
    words = {"<": "< still falling", ">": "> still rising", "?": "? not decided"}
    lines = ["Diffusion coefficients from displacements (v = c), mean over n realisations +- its",
             "standard error; trend: what growth changes by between the stops, a second error;",
             "r_g in sqrt(B0^2 + B_rms^2), L_c: two-sided coherence length"]
    told = [words[mark] for mark in words if mark in marks]
    return [*lines, f"no plateau: {', '.join(told)}"] if told else lines


def _result(case, rig):
    limit, lines = case.field_line_limit(rig), case.field_line_coefficient(rig)
    hall = case.hall(rig)
    found = {
        "case": case.case,
        "rigidity_PV": case.rigidities[rig],
        "gyroradius_pc": case.job.gyroradii[rig],
        "coherence_length_pc": case.job.coherence_length if case.job.turbulence.rms else None,
        "n_realisation": int(case.done[:, rig].sum()),
        "coefficients": {name: _coefficient(one) for name, one in case.coefficients(rig).items()},
        "stop_pc": case.stops[rig],
        "running": {
            name: {estimator: {"mean_pc": mean, "error_pc": error}
                   for estimator, (mean, error) in by_estimator.items()}
            for name, by_estimator in case.running(rig).items()
        },
        "hall": hall and {"mean_pc": hall[0], "error_pc": hall[1]},
        "kurtosis": _kurtosis(case, rig),
        "field_line": limit and {
            "limit": _coefficient(limit),
            "distance_pc": lines[0], "mean_pc": lines[1], "error_pc": lines[2],
            "theory_pc": _walk(case),
        },
        "steps": int(case.steps[:, rig].sum()),
        "core_seconds": float(case.seconds[:, rig].sum()),
        "unfinished": int(case.unfinished[:, rig].sum()),
        "over_tolerance": int(case.over_tolerance[:, rig].sum()),
    }  # fmt: skip
    return found


def _coefficient(one):
    return {
        "value_pc": one.value,
        "error_pc": one.error,
        "value_cm2_per_s": one.value * PC_C_CM2_PER_S,
        "error_cm2_per_s": one.error * PC_C_CM2_PER_S,
        "state": one.state,
        "reason": one.reason,
        "since_pc": one.since,
        "until_pc": one.until,
        "exponent": one.exponent,
        "exponent_error": one.exponent_error,
        "trend": one.trend,
        "total_error_pc": one.total,
        "change_bound": one.bound,
        "n_realisation": one.n_realisation,
    }


def _kurtosis(case, rig):
    """Mean over realisations at every stop, (n_stop, 3)."""
    done = case.done[:, rig]
    if not done.any():
        return None
    return case.kurtosis[done, rig].mean(axis=0)
