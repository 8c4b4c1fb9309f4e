"""Kachelriess 2018, pages 4 and 5: the cloud of particles around a source in concrete fields.

Each function takes the cases of the job single_source by name (B_rms/B0 = 0.25, 0.5 and 1 in a
total field of 1 uG).
"""

import numpy as np

from hpc_cr.papers.kachelriess2018.files import LEVELS, OUTER_SCALE
from hpc_cr.papers.kachelriess2018.measured import Number, at, equal, rig_of, statement, words
from hpc_cr.papers.verdicts import below

REFERENCE_PV = 1.0
NEAR = 0.1
"""What "quasi-Gaussian" and "independent of the field" are granted."""
COHERENCE = OUTER_SCALE / 5
RING, CORE = (20.0, 30.0), (0.0, 5.0)
"""Distances from the field line that are compared, pc."""


def source_statements(cases):
    """Fick's law, equation 4 in concrete fields, the Gaussian, and what distance does."""
    chosen = [cases[name] for name in LEVELS if name in cases]
    chosen = [case for case in chosen if rig_of(case, REFERENCE_PV) is not None]
    found = [s for case in chosen for s in ficks_law(case)]
    found += [s for case in chosen for s in dipole(case)]
    found += [s for case in chosen for s in gaussian(case)]
    return found + [s for case in chosen for s in distance(case)]


def _count(case, rig):
    return len(np.unique(case.realisation[case.done[:, rig]]))


def _label(case):
    return f"eta = {LEVELS[case.case]:g}, {at(REFERENCE_PV)}"


def ficks_law(case):
    """Equation 3: the flow is 3 j/(c n) = -3 D grad n/(c n), the sky dipole its opposite."""
    rig = rig_of(case, REFERENCE_PV)
    stop = case.stops.shape[1] - 1
    d = case.dipoles(rig, stop)
    # <u> = -delta/3: 3 <u> along the field, against -3 D d ln n/ds, half-way between the cells
    flow = (d.flow.value[1:] + d.flow.value[:-1]) / 2
    flow_error = np.hypot(d.flow.error[1:], d.flow.error[:-1]) / 2
    use = np.isfinite(flow) & np.isfinite(d.gradient) & (flow_error > 0) & (d.gradient_error > 0)
    if not use.any():
        return []
    size = np.hypot(flow_error, d.gradient_error)[use]
    weight = d.gradient[use] / size**2
    total = np.sum(weight * d.gradient[use])
    value = np.sum(weight * flow[use]) / total
    # neighbouring cells share their noise
    error = np.sqrt(2 * np.sum((weight * size) ** 2)) / total
    number = Number(value, error, _count(case, rig))
    return [
        statement(
            "eq. 3",
            f"{_label(case)}: 3 <u_par> of the particles over -3 D_par (d ln n/ds)/c,"
            f" T = {case.stops[rig, stop]:.3g} pc",
            "1",
            number,
            "",
            equal(value, error, 1.0, number.n, NEAR),
            "both point away from the source: eq. 3 as printed is the flow; on the sky the excess"
            " comes from the source's side, delta = +3 D_ab d_b n/(c n)",
        )
    ]


def dipole(case):
    """3 R/(2 c T) whatever the field."""
    rig = rig_of(case, REFERENCE_PV)
    every = [case.dipoles(rig, stop) for stop in range(case.stops.shape[1])]
    value, error = every[-1].ratio, every[-1].ratio_error
    if not np.isfinite(value):  # the cells do not resolve the cloud
        return []
    known = [stop for stop, one in enumerate(every) if np.isfinite(one.ratio)]
    times = ", ".join(f"{case.stops[rig, stop]:.3g}" for stop in known)
    each = ", ".join(f"{every[stop].ratio:.2f}" for stop in known)
    steep = words(every[-1].gradient_ratio, every[-1].gradient_ratio_error)
    number = Number(value, error, _count(case, rig))
    others = []
    for rigidity in case.rigidities:
        other = rig_of(case, rigidity)
        if other is None or other == rig:
            continue
        one = case.dipoles(other, len(every) - 1)
        if np.isfinite(one.ratio):
            others.append(f"{at(rigidity)} {words(one.ratio, one.ratio_error)}")
    also = f"; {', '.join(others)}" if others else ""
    return [
        statement(
            "eq. 4",
            f"{_label(case)}: dipole along the field lines over 3 s/(2 c T),"
            f" T = {case.stops[rig, -1]:.3g} pc",
            "1, any field",
            number,
            "",
            equal(value, error, 1.0, number.n, NEAR),
            f"towards the source, from the flow; from the density's gradient {steep}; T = {times}"
            f" pc: {each}{also}; {NEAR:g} is granted",
        )
    ]


def gaussian(case):
    """The cloud is quasi-Gaussian over scales much longer than L_coh."""
    rig = rig_of(case, REFERENCE_PV)
    spread = case.spread(rig)
    width = np.sqrt(2 * spread.parallel * case.stops[rig])
    n = _count(case, rig)
    found = []
    for axis, text in ((0, "along"), (1, "across")):
        value, error = spread.kurtosis[-1, axis], spread.kurtosis_error[-1, axis]
        each = ", ".join(
            f"{w / COHERENCE:.2g} L_coh {k:.2f}"
            for w, k in zip(width, spread.kurtosis[:, axis], strict=True)
        )
        across = "" if axis == 0 else " (widths are those along the field)"
        found.append(
            statement(
                "p. 4",
                f"{_label(case)}: <x^4>/(3 <x^2>^2) {text} the field, cloud"
                f" {width[-1] / COHERENCE:.2g} L_coh wide",
                "1: Gaussian",
                Number(value, error, n),
                "",
                equal(value, error, 1.0, n, NEAR),
                f"width and ratio: {each}{across}; {NEAR:g} is granted",
            )
        )
    return found


def distance(case):
    """Low energies are suppressed by the distance from the source's field line."""
    shares = {}
    for rigidity in (case.rigidities.min(), case.rigidities.max()):
        rig = rig_of(case, rigidity)
        if rig is not None:
            shares[rigidity] = ring_share(case, rig)
    if len(shares) < 2:
        return []
    (low, (first, first_error)), (high, (second, second_error)) = shares.items()
    value = first / second
    error = value * np.hypot(first_error / first, second_error / second)
    number = Number(value, error, min(_count(case, rig_of(case, r)) for r in shares))
    return [
        statement(
            "p. 5",
            f"eta = {LEVELS[case.case]:g}: density 20-30 pc from the source's field line over that"
            f" within 5 pc, at {at(low)} over at {at(high)}, T = {case.stops[0, -1]:.3g} pc",
            "< 1",
            number,
            "",
            below(value, error, 1.0, number.n),
            f"shares {words(first, first_error)} and {words(second, second_error)}: slower"
            " diffusion across the field suppresses low energies",
        )
    ]


def ring_share(case, rig, stop=-1):
    """Density in RING over that in CORE, all along the field, and its error."""
    stop = range(case.stops.shape[1])[stop]
    mean, _, error = case.mean_density(rig, stop)
    step = np.diff(case.along)[:, None]
    edges = case.perpendicular
    parts = []
    for low, high in (RING, CORE):
        use = (edges[:-1] >= low) & (edges[1:] <= high)
        # cells whose field line is not known count for nothing, empty ones do
        volume = np.where(np.isfinite(mean[:, use]), step * np.diff(edges**2)[use], 0.0)
        if not volume.any():
            return np.nan, np.nan
        total = np.nansum(mean[:, use] * volume) / volume.sum()
        noise = np.sqrt(np.nansum((error[:, use] * volume) ** 2)) / volume.sum()
        parts.append((total, noise))
    (ring, ring_error), (core, core_error) = parts
    if not (ring > 0 and core > 0):
        return np.nan, np.nan
    return ring / core, ring / core * np.hypot(ring_error / ring, core_error / core)
