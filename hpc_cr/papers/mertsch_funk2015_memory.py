"""Statements of Mertsch & Funk 2015 that concern every case: what is forgotten, and what stays.

Each function takes the panel of a case at one rigidity and the last stop.
"""

import numpy as np

from hpc_cr.anisotropy import alignment, scattering
from hpc_cr.anisotropy.convergence import approach, responses
from hpc_cr.anisotropy.resampling import bootstrap
from hpc_cr.figures import style
from hpc_cr.figures.local_field import angles
from hpc_cr.figures.memory import scattering_time
from hpc_cr.papers import Statement
from hpc_cr.papers.observed import below, case_text, equal, start_text

MULTIPOLES = (2, 3, 4)
"""Compared with the dipole's decay."""


def converged(panel):
    """The distribution of arrival directions converges after a few scattering times."""
    response = panel.results.response[panel.rows, panel.rig]
    what, along = next(iter(responses(response, panel.symmetry).items()))
    found = approach(along, panel.results.stops[panel.rig], panel.realisation)
    note = f"{found.state}: {found.reason}" if found.reason else found.state
    if np.isfinite(found.bound):
        note += f"; at most {100 * found.bound:.0f} % from its limit (95 %)"
    return [
        Statement(
            "p. 3",
            f"{case_text(panel)}, {style.rigidity(panel.rigidity)}: change of the mean {what} from"
            f" T = {found.previous:.3g} to {found.last:.3g} pc",
            "converges",
            100 * found.change,
            100 * found.change_error,
            "%",
            {"converged": "agrees", "not converged": "differs"}.get(found.state, "open"),
            note,
        )
    ]


def homogeneous(panel):
    """No gradient, no anisotropy."""
    left = panel.results.memory[panel.rows, panel.rig, :, 0] - 1
    return [
        Statement(
            "p. 3",
            f"{case_text(panel)}: largest anisotropy from a homogeneous, isotropic density at -T"
            " (g = 0)",
            "none",
            float(np.abs(left).max()),
            0.0,
            "",
            "agrees" if np.all(left == 0) else "differs",
            "intensities are copied along trajectories: 1 everywhere stays 1 everywhere",
        )
    ]


def decays(panel):
    """A multipole in the directions at -T decays as exp(-l (l + 1) T/(2 tau))."""
    memory = panel.results.memory[panel.rows, panel.rig]
    time, group = panel.results.stops[panel.rig], panel.realisation
    tau, tau_error = scattering_time(panel)
    found = scattering.decay(memory, time, group, 1)
    start = f"{case_text(panel)}, {style.rigidity(panel.rigidity)}: decay of multipoles at -T,"
    value = found.rate * tau  # l (l + 1)/2 = 1 for the dipole
    error = float(np.hypot(found.error * tau, found.rate * tau_error))
    note = f"{_span(found, time)}; tau = {tau:.3g} +- {tau_error:.2g} pc/c, the paper's tau_sc/2"
    if panel.field is None:
        note += "; 1/3 where only the pitch angle about a local field is scattered"
    rows = [
        Statement("p. 3", f"{start} rate of l = 1 times tau = 3 D/c^2", "1", value, error, "",
                  equal(value, error, 1.0), note)
    ]  # fmt: skip
    for degree in MULTIPOLES:
        found = scattering.decay_ratio(memory, time, group, degree)
        expected = degree * (degree + 1) / 2
        rows.append(
            Statement("p. 3", f"{start} rate of l = {degree} over that of l = 1", f"{expected:g}",
                      found.rate, found.error, "", equal(found.rate, found.error, expected),
                      _span(found, time))
        )  # fmt: skip
    return rows


def _span(found, time):
    if found.n_stop < 2:
        return "does not stand out of its error at two T"
    return f"fit from T = {time[0]:.3g} to {time[found.n_stop - 1]:.3g} pc"


def local_field(panel):
    """The dipole points along the total field as the trajectories sample it."""
    found = angles(panel)
    best = int(np.argmin(found.median))
    angle, error = found.median[best], found.error[best]
    each = ", ".join(f"{m:.0f} at {r:.3g}" for r, m in zip(found.radius, found.median, strict=True))
    start = f"{start_text(panel)}: median angle of the dipole's axis to the field"
    radius = found.radius[best]
    place = f"averaged over {radius:.3g} pc" if radius > 0 else "at the observer's place"
    rows = [
        Statement(
            "p. 4",
            f"{start} {place}, where it is smallest",
            "small",
            angle,
            error,
            "deg",
            below(angle, error, alignment.RANDOM_MEDIAN),
            f"median in deg at a radius in pc: {each}; random axes: 60 deg",
        )
    ]
    if panel.field is not None:
        to_regular = alignment.axis_angles(panel.dipoles, panel.field)
        pair = np.stack([found.single[:, best], to_regular], axis=-1)
        value, error = bootstrap(_difference_of_medians, pair, panel.realisation)
        rows.append(
            Statement("p. 4", f"{start} {place}, minus that to B0", "< 0",
                      value, error, "deg", below(value, error, 0.0),
                      "the radius is the best of those tried, which favours it")
        )  # fmt: skip
    return rows


def _difference_of_medians(pair):
    first, second = np.median(pair, axis=0)
    return first - second
