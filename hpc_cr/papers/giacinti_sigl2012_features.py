"""Giacinti & Sigl 2012: statements on what makes the features, and on what they depend."""

import numpy as np

from hpc_cr.anisotropy import ensembles
from hpc_cr.anisotropy.correlation import correlation, covariance, rms
from hpc_cr.papers import Statement
from hpc_cr.papers.giacinti_sigl2012_cases import HIGH, LOW, SMOOTHING, verdict_of

CONVERGED = 0.9
"""Correlation with the last sphere from which a map counts as converged: the two share 81 % of
their variance, which the eye takes for the same map."""
RATIO = 5 ** (1 / 3)  # of 50 to 10 PV if the mean free path grows as R^(1/3)


def convergence(case):
    """From which radius on maps are converged, and the mean free path, over `ensemble`."""
    found = []
    for (rigidity, rig), paper in zip(case.rig.items(), (25.0, 50.0), strict=False):
        last = case.halves(rig)
        every = [
            correlation(case.halves(rig, stop), last, SMOOTHING)
            for stop in range(len(case.stops))
        ]
        stop = case.radius(paper)
        here, at = every[stop], f"at {rigidity:g} PV"
        found.append(
            Statement(
                "figure 2", f"correlation of maps at R = {case.stops[stop]:g} and"
                f" {case.stops[-1]:g} pc {at}", "converged", here.value, here.error, "",
                verdict_of(here.value, here.error, CONVERGED, 1.0),
                f"middle 68 % of single skies: {_range(here.single)} (with their noise)",
            )
        )  # fmt: skip
        radius, error = _crossing(case.stops, every)
        found.append(
            Statement(
                "figure 2", f"radius where that correlation reaches {CONVERGED:g} {at}",
                f"{paper:g} pc", radius, error, "pc",
                verdict_of(radius, error, 0.7 * paper, 1.4 * paper),
                "interpolated in log R; the paper judges by eye",
            )
        )  # fmt: skip
        length, error = case.mean_free_path(rig)
        found.append(
            Statement(
                "p. 3", f"mean free path lambda {at}", f"~{paper:g} pc (locally)", length, error,
                "pc", verdict_of(length, error, 0.7 * paper, 1.4 * paper),
                f"3 D/c = <tr M>/3 at R = {case.stops[-1]:g} pc; convergence takes a few of them",
            )
        )  # fmt: skip
    return found


def _crossing(stops, found):
    """Radius at which the correlation first reaches CONVERGED, and its error; pc."""
    values = np.array([one.value for one in found])
    above = np.flatnonzero(values >= CONVERGED)
    if not len(above) or above[0] == 0 or not np.isfinite(values).all():
        return np.nan, np.nan
    high = above[0]
    low = high - 1
    share = (CONVERGED - values[low]) / (values[high] - values[low])
    decades = np.log(stops[high] / stops[low])
    radius = stops[low] * np.exp(share * decades)
    error = np.hypot((1 - share) * found[low].error, share * found[high].error)
    return float(radius), float(radius * decades * error / (values[high] - values[low]))


def _range(single):
    low, high = np.nanquantile(single, [0.16, 0.84])
    return f"{low:.2f} to {high:.2f}"


def convergence_of_one(case):
    """The same correlation for the field shown."""
    found = []
    for (rigidity, rig), paper in zip(case.rig.items(), (25.0, 50.0), strict=False):
        stop = case.radius(paper)
        here = correlation(case.halves(rig, stop)[:1], case.halves(rig)[:1], SMOOTHING)
        found.append(
            Statement(
                "figure 2", f"the same correlation of the field shown, R = {case.stops[stop]:g} pc"
                f" at {rigidity:g} PV", "converged", here.value, np.nan, "", "open",
                "one realisation, as in the paper: no error but its noise, which is taken out",
            )
        )  # fmt: skip
    return found


def rigidities(case):
    """Features and dipoles at 50 PV against those at 10 PV."""
    if HIGH not in case.rig:
        return []
    low, high = case.rig[LOW], case.rig[HIGH]
    found = []
    for which, name, paper, span in (
        ((2, None), "maps without dipole", "strongly different", (-0.5, 0.5)),
        ((1, 1), "dipoles", "much less rigidity dependent", (0.5, 1.0)),
    ):
        one = correlation(case.halves(low), case.halves(high), SMOOTHING, which)
        found.append(
            Statement(
                "figure 1", f"correlation of the {name} at 10 and 50 PV", paper, one.value,
                one.error, "", verdict_of(one.value, one.error, *span),
            )
        )  # fmt: skip
    squares = np.stack(
        [covariance(case.halves(r), case.halves(r), SMOOTHING) for r in (low, high)], axis=-1
    )
    traces = np.stack(
        [ensembles.coefficients(case.response(r), "isotropic")[:, 0] for r in (low, high)], axis=-1
    )
    for name, values, power in (
        ("r.m.s. of the smoothed maps without dipole", squares, 0.5),
        ("mean free paths", traces, 1.0),
    ):
        value, error = ensembles.function_of_mean(
            lambda m, p=power: np.abs(m[..., 1] / m[..., 0]) ** p, values, case.rows
        )
        found.append(
            Statement(
                "p. 3", f"ratio at 50 to 10 PV of the {name}", "5^(1/3) = 1.71", value, error, "",
                verdict_of(value, error, 0.9 * RATIO, 1.1 * RATIO),
                "at 50 PV the gyroradius is 13.5 pc and resonates with waves of 85 pc, close to"
                " L_max = 150 pc, where lambda grows faster than R^(1/3)",
            )
        )  # fmt: skip
    return found


def energies(case):
    """What is left of the features after averaging over rigidities."""
    halves = np.array([case.halves(rig) for rig in range(len(case.results.rigidities))])
    if len(halves) < 3:
        return []
    mean = halves.mean(axis=0)
    features = rms(mean, SMOOTHING)[0] / np.mean([rms(one, SMOOTHING)[0] for one in halves])
    dipole = rms(mean, 0.0, (1, 1))[0] / np.mean([rms(one, 0.0, (1, 1))[0] for one in halves])
    span = f"{case.results.rigidities.min():g} to {case.results.rigidities.max():g} PV"
    return [
        Statement(
            "p. 3", f"r.m.s. without dipole averaged over {span}, to that of one rigidity",
            "smaller", features, np.nan, "", "open",
            f"equal weights in log R, one realisation; the dipole keeps {dipole:.2f} of its length",
        )
    ]  # fmt: skip


def multipoles(case):
    """Multipoles against the dipole, and equation 8."""
    found = []
    for (rigidity, rig), pc in zip(case.rig.items(), (25.0, 100.0), strict=False):
        at = f"at {rigidity:g} PV"
        last = case.halves(rig)
        for which, name in (((2, 2), "l = 2"), ((2, None), "all l >= 2")):
            squares = np.stack(
                [covariance(last, last, 0.0, w) for w in (which, (1, 1))], axis=-1
            )
            value, error = ensembles.function_of_mean(
                lambda m: np.sqrt(np.abs(m[..., 0] / m[..., 1])), squares, case.rows
            )
            found.append(
                Statement(
                    "eq. 8", f"r.m.s. of {name} over that of the dipole {at}", "same order", value,
                    error, "", verdict_of(value, error, 0.3, 3.0),
                )
            )  # fmt: skip
        found += _prediction(case, rig, case.radius(pc), at)
        value, error = rms(last, SMOOTHING)
        found.append(
            Statement(
                "figure 1", f"r.m.s. of the smoothed map without dipole {at}", "not given",
                100 * value, 100 * error, "%", "open",
                "over all realisations; the paper shows one map",
            )
        )  # fmt: skip
    return found


def _prediction(case, rig, stop, at):
    """a_lm at the last sphere against |delta| int G.e Y* with G from a sphere of a few lambda."""
    length = float(case.mean_free_path(rig)[0])
    gradient, last = case.gradient(rig), case.halves(rig)
    near = case.halves(rig, stop)
    plain = correlation(near, last, 0.0, (2, 10))
    direction = case.results.direction_alm_half[case.rows, rig, stop]
    # where a particle is expected to get to from X, moving along U
    ahead = near + length * np.einsum("ahjm,j->ahm", direction, gradient)
    with_memory = correlation(ahead, last, 0.0, (2, 10))
    pc = f"{case.stops[stop]:g} pc = {case.stops[stop] / length:.1f} lambda"
    return [
        Statement(
            "eq. 8", f"correlation of a_lm (l = 2 to 10) with eq. 8, G_p at {pc} {at}", "1",
            plain.value, plain.error, "", verdict_of(plain.value, plain.error, CONVERGED, 1.0),
            "structure is still added outside of that sphere",
        ),
        Statement(
            "eq. 8", f"slope of a_lm against eq. 8, G_p at {pc} {at}", "1", plain.slope,
            plain.slope_error, "", verdict_of(plain.slope, plain.slope_error, 0.95, 1.05),
            "a particle that crosses a sphere keeps going: with lambda U added to X the slope is"
            f" {with_memory.slope:.2f} +- {with_memory.slope_error:.2f}",
        ),
    ]  # fmt: skip


def patch(case):
    """Whether excesses come from the side of the denser gas within a few mean free paths."""
    from hpc_cr.anisotropy.discs import disc_sums
    from hpc_cr.frames import patch_pixels, unit_vector

    particles = case.results.job.particles
    patch, row, rig = particles.patch, int(case.rows[0]), case.rig[LOW]
    if patch is None or not case.results.job.output.displacement:
        return []
    pixels = patch_pixels(particles.nside, patch.l, patch.b, patch.width)
    half = patch.width / 2 - 5.0
    places = unit_vector(
        *np.meshgrid(patch.l + np.linspace(-half, half, 31), patch.b + np.linspace(-half, half, 31))
    ).reshape(-1, 3)
    stop = case.radius(25.0)
    columns = np.zeros((12 * particles.nside**2, 3))
    columns[pixels, 0] = 1.0
    for column, s in ((1, stop), (2, -1)):
        x = case.results.maps("displacement", row, rig, s)
        columns[pixels, column] = np.nan_to_num(case.gradient(rig) @ x)
    sums = disc_sums(columns, 5.0, places)
    if sums[:, 0].min() < 0.5:  # pixels wider than the discs
        return []
    near, far = (sums[:, 1:] / sums[:, :1]).T
    value = float(np.corrcoef(near, far)[0, 1])
    independent = max((2 * half) ** 2 / (np.pi * 5.0**2), 4.0)
    error = float(np.sqrt((1 - value**2) / (independent - 2)))
    return [
        Statement(
            "figure 3", f"correlation of the intensity at R = {case.stops[-1]:g} pc with Y at"
            f" {case.stops[stop]:g} pc, 5 deg discs of the patch", "hot: +Y, cold: -Y", value,
            error, "", verdict_of(value, error, 0.5, 1.0),
            f"the error counts the {independent:.0f} discs that fit into the patch",
        )
    ]  # fmt: skip


def large_scale(case):
    """Small scales beside a uniform field."""
    found = []
    for rigidity, rig in case.rig.items():
        last = case.halves(rig)
        square, error = ensembles.mean_and_error(covariance(last, last, SMOOTHING), case.rows)
        value = np.sqrt(max(float(square), 0.0))
        field = np.linalg.norm(case.results.job.regular_field)
        found.append(
            Statement(
                "p. 4", f"r.m.s. of the smoothed map without dipole at {rigidity:g} PV with a"
                f" uniform field of {field:g} uG", "small scales appear too", 100 * value,
                100 * float(error) / (2 * value) if value else np.nan, "%",
                "agrees" if square > 3 * error else "open",
                f"its square is {square / error:.0f} standard errors above zero"
                if error > 0 else "",
            )
        )  # fmt: skip
    return found
