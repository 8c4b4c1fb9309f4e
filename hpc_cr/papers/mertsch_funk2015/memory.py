"""Statements of Mertsch & Funk 2015 that concern every case: what is forgotten, and what stays.

Each function takes the panel of a case at one rigidity and the last stop.
"""

import numpy as np

from hpc_cr.anisotropy import alignment, scattering
from hpc_cr.anisotropy.convergence import approach, responses
from hpc_cr.anisotropy.ensembles import mean_and_error
from hpc_cr.anisotropy.resampling import bootstrap
from hpc_cr.figures import style
from hpc_cr.figures.local_field import angles
from hpc_cr.figures.memory import scattering_time
from hpc_cr.io.errors import ResultError
from hpc_cr.papers import Statement
from hpc_cr.papers.observed import (
    at_each_stop,
    case_text,
    count,
    noise_share,
    observed,
    plus_minus,
    start_text,
)
from hpc_cr.papers.verdicts import FEWEST, above, below, equal

HIGHER = (3, 4)
"""Multipoles that are gone too soon for a rate: compared at the first stop."""
QUIET = 0.125
"""Largest sampling noise, over the mean |delta|, at which directions of dipoles are compared."""


def needs(name):
    """Leave a statement out where the file, of an older format version, has no such dataset."""

    def decorate(make):
        def statements(panel):
            try:
                panel.results.require(f"anisotropy/{name}")
            except ResultError:
                return []
            return make(panel)

        return statements

    return decorate


def converged(panel):
    """The distribution of arrival directions converges after a few scattering times."""
    response = panel.results.response[panel.rows, panel.rig]
    what, mean = next(iter(responses(response, panel.symmetry).items()))
    found = approach(mean, panel.results.stops[panel.rig], panel.realisation)
    if not np.isfinite(found.previous):
        return []  # a single stop has no change
    note = f"{found.state}: {found.reason}" if found.reason else found.state
    if np.isfinite(found.bound):
        note += f"; at most {100 * found.bound:.0f} % from its limit (95 %)"
    verdict = {"converged": "agrees", "not converged": "differs"}.get(found.state, "open")
    return [
        Statement(
            "p. 3",
            f"{case_text(panel)}, {style.rigidity(panel.rigidity)}: change of the mean {what} from"
            f" T = {found.previous:.3g} to {found.last:.3g} pc",
            "converges",
            100 * found.change,
            100 * found.change_error,
            "%",
            verdict if count(panel) >= FEWEST else "open",
            note,
        )
    ]


@needs("memory")
def decays(panel):
    """A multipole in the directions at -T decays as exp(-l (l + 1) T/(2 tau))."""
    memory = panel.results.memory[panel.rows, panel.rig]
    time, group = panel.results.stops[panel.rig], panel.realisation
    tau, tau_error = scattering_time(panel)
    start = f"{case_text(panel)}, {style.rigidity(panel.rigidity)}"
    decay = f"{start}: decay of multipoles at -T,"
    found = scattering.decay(memory, time, group, 1)
    value = found.rate * tau  # l (l + 1)/2 = 1 for the dipole
    error = float(np.hypot(found.error * tau, found.rate * tau_error))
    note = f"{_span(found, time)}; tau = {plus_minus(tau, tau_error)} pc/c, the paper's tau_sc/2"
    if panel.field is None:
        note += "; 1/3 where only the pitch angle about a local field is scattered"
    ratio = scattering.decay_ratio(memory, time, group, 2)
    rows = [
        Statement("p. 3", f"{decay} rate of l = 1 times tau = 3 D/c^2", "1", value, error, "",
                  equal(value, error, 1.0, count(panel)), note),
        Statement("p. 3", f"{decay} rate of l = 2 over that of l = 1", "3", ratio.rate,
                  ratio.error, "", equal(ratio.rate, ratio.error, 3.0, count(panel)),
                  _span(ratio, time)),
    ]  # fmt: skip
    gyrotropic = panel.field is not None
    mean, error = mean_and_error(memory[:, 0], group)
    for l in HIGHER:  # noqa: E741
        expected = scattering.diffusion_memory(l, time[0], tau, gyrotropic)
        # d ln P/d ln tau = l (l + 1) T/(2 tau)
        slope = expected * l * (l + 1) * time[0] / (2 * tau**2)
        total = float(np.hypot(error[l], slope * tau_error))
        pull = f"; pull {(mean[l] - expected) / total:.1f}" if np.isfinite(total) else ""
        share = f"/{2 * l + 1}" if gyrotropic else ""
        rows.append(
            Statement("p. 3", f"{start}: what is left of l = {l} at T = {time[0]:.3g} pc,"
                      f" <P_{l}(n.U)>", f"{expected:.2g}", float(mean[l]), float(error[l]), "",
                      equal(mean[l], total, expected, count(panel)),
                      f"expected: exp(-{l * (l + 1) // 2} T/tau){share}{pull}")
        )  # fmt: skip
    value, error = mean_and_error(memory[:, 0, 3] - memory[:, 0, 4], group)
    rows.append(
        Statement("p. 3", f"{start}: <P_3> - <P_4> at T = {time[0]:.3g} pc", "> 0", float(value),
                  float(error), "", above(value, error, 0.0, count(panel)),
                  "the time constant tau_sc/(l (l + 1)) lets l = 4 decay before l = 3")
    )  # fmt: skip
    return rows


def _span(found, time):
    if found.n_stop < 2:
        return "does not stand out of its error at two T"
    return f"fit from T = {time[0]:.3g} to {time[found.n_stop - 1]:.3g} pc"


@needs("local_field")
def local_field(panel):
    """The dipole points along the total field as the trajectories sample it."""
    panel = quiet(panel)
    found = angles(panel)
    best = int(np.argmin(found.median))
    angle, error = found.median[best], found.error[best]
    each = ", ".join(f"{m:.0f} at {r:.3g}" for r, m in zip(found.radius, found.median, strict=True))
    start = f"{start_text(panel)}: median angle of the dipole's axis to the field"
    radius = found.radius[best]
    place = f"averaged over {radius:.3g} pc" if radius > 0 else "at the observer's place"
    noise = f"sampling noise is {100 * noise_share(panel):.0f} % of the mean |delta|"
    rows = [
        Statement(
            "p. 4",
            f"{start} {place}, where it is smallest",
            "small",
            angle,
            error,
            "deg",
            below(angle, error, alignment.RANDOM_MEDIAN, count(panel)),
            f"median in deg at a radius in pc: {each}; random axes: 60 deg; the smallest of"
            f" several favours it; {noise}",
        )
    ]
    if panel.field is not None:
        value, error = nearer_than_regular(panel)
        each = at_each_stop(panel.results, panel.rigidity, nearer_than_regular, digits=1)
        rows.append(
            Statement("p. 4", f"{start} averaged over r_g = {found.radius[1]:.2g} pc, minus that"
                      " to B0", "< 0", value, error, "deg",
                      below(value, error, 0.0, count(panel)), f"{each} deg; {noise}")
        )  # fmt: skip
    return rows


def quiet(panel):
    """The same case and rigidity at the last stop where sampling noise is below QUIET of |delta|.

    Noise grows with T and turns the dipoles, the field's difference from B0 does not. At the
    quietest stop where there is none.
    """
    stops = range(panel.results.stops.shape[1])
    panels = [observed(panel.results, panel.rigidity, stop) for stop in stops]
    noise = [noise_share(p) for p in panels]
    good = [p for p, share in zip(panels, noise, strict=True) if share < QUIET]
    return good[-1] if good else panels[int(np.argmin(noise))]


def nearer_than_regular(panel):
    """Median angle to the field over a gyroradius minus that to the regular one, with its error."""
    local = panel.results.local_field[panel.rows, panel.rig, 1]
    pair = [alignment.axis_angles(panel.dipoles, axis) for axis in (local, panel.field)]
    value, error = bootstrap(_difference_of_medians, np.stack(pair, axis=-1), panel.realisation)
    return float(value), float(error)


def _difference_of_medians(pair):
    first, second = np.median(pair, axis=0)
    return first - second
