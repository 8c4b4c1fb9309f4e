"""Whether the means have reached their limit, in words: one line per case and rigidity.

Rigidities of a case that say the same share a line. What the words mean:
`hpc_cr.anisotropy.convergence`.
"""

from itertools import groupby

import numpy as np

from hpc_cr.anisotropy.convergence import ERRORS

HEADING = {
    "time": "Change with the stopping time, and bound (95 %) on what is still to come:",
    "radius": "Change with the radius, and bound (95 %) on what is still to come:",
}
WIDTH = 100


def approach_lines(cases):
    """Lines for people.

    Parameters
    ----------
    cases : sequence of Results

    Returns
    -------
    list of str
        Empty where nothing is finished, or every case shows a part of the sky.
    """
    lines = []
    for case in cases:
        found = [(rig, case.approaches(rig)) for rig in range(len(case.rigidities))]
        found = [(rig, one) for rig, one in found if any(a.n_realisation for a in one.values())]
        lines += grouped_lines(case, found, statement)
    kinds = {case.stop_kind for case in cases}
    return [HEADING["time" if "time" in kinds else "radius"], *lines] if lines else []


def patch_lines(cases):
    """One line per case that shows a part of the sky only."""
    return [
        f"{f'case {case.case}: ' if case.case else ''}a part of the sky has no dipole;"
        " its maps are the result (hpc-cr figure sky-map)"
        for case in cases
        if case.job.particles.patch is not None
    ]


def approach_document(cases):
    """For JSON: a list with an element per case, rigidity and quantity."""
    return [
        {
            "case": case.case,
            "rigidity_PV": case.rigidities[rig],
            "stop_kind": case.stop_kind,
            "quantity": quantity,
            **one._asdict(),
        }
        for case in cases
        for rig in range(len(case.rigidities))
        for quantity, one in case.approaches(rig).items()
    ]


def statement(found):
    """One Approach, or several with the same state and reason, in words."""
    found = [found] if hasattr(found, "state") else list(found)
    first = found[0]
    if first.state == "converged":
        return f"converged within {range_text([100 * one.bound for one in found], '.2g')} %"
    if first.state == "not converged" and len(found) > 1:
        changes = range_text([100 * one.change for one in found], "+.2g")
        return f"not converged: {changes} % in the last step"
    if first.state == "not converged":
        left = f", up to {100 * first.bound:.2g} % to come" if np.isfinite(first.bound) else ""
        return f"not converged: {change_text(first)}{left}"
    if len(found) > 1 or first.reason != ERRORS:
        return f"not decided ({first.reason})"
    return f"not decided ({first.reason}: {change_text(first)})"


def change_text(one):
    """The last change with its error, "+13.3 +- 0.7 % from 276 to 552 pc"."""
    change, error = 100 * one.change, 100 * one.change_error
    digits = int(np.clip(-np.floor(np.log10(error)), 0, 3)) if error > 0 else 1
    return (
        f"{change:+.{digits}f} +- {error:.{digits}f} % from {one.previous:.4g} to {one.last:.4g} pc"
    )


def grouped_lines(case, found, words):
    """Statements on quantities of a case: rigidities that say the same share a line.

    Parameters
    ----------
    case : Results
    found : list of (int, dict of str to a tuple with state and reason)
        Index of the rigidity, and what was found by quantity.
    words : callable
        From what was found of a quantity at the rigidities of a line to words.

    Returns
    -------
    list of str
    """
    lines = []
    for _, group in groupby(found, key=lambda pair: [(a.state, a.reason)
                                                     for a in pair[1].values()]):  # fmt: skip
        lines += _line(case, list(group), words)
    return lines


def _line(case, group, words):
    from hpc_cr.cli.summary import rigidity_text

    rigidities = [case.rigidities[rig] for rig, _ in group]
    where = " to ".join(rigidity_text(r) for r in dict.fromkeys((rigidities[0], rigidities[-1])))
    where = f"{case.case}, {where}" if case.case else where
    told = {name: words([one[name] for _, one in group]) for name in group[0][1]}
    if len(set(told.values())) == 1 and len(told) > 1:
        told = {", ".join(told): next(iter(told.values()))}
    lines = [f"  {where}:"]
    for name, text in told.items():
        part = f" {name} {text}" + ("" if name == list(told)[-1] else ";")
        if len(lines[-1] + part) > WIDTH:
            lines.append("     ")
        lines[-1] += part
    return lines


def range_text(values, form):
    """The smallest and the largest of some numbers, or the one that they are."""
    low, high = format(min(values), form), format(max(values), form)
    return low if low == high else f"{low} to {high}"
