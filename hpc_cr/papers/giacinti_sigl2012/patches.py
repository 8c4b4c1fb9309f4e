"""Giacinti & Sigl 2012: figure 3, whether excesses come from the side of the denser gas."""

import numpy as np

from hpc_cr.anisotropy.discs import disc_sums
from hpc_cr.frames import patch_pixels, unit_vector
from hpc_cr.papers.giacinti_sigl2012.cases import LOW, SAMPLING, statement

DISC = 5.0  # degrees, as the paper's
NEAR = (10.0, 25.0)  # pc, spheres of one and of a few mean free paths


def patch(case):
    """Place along the gradient near the observer, against the intensity, over the patch."""
    job = case.results.job
    if job.particles.patch is None or not job.output.displacement:
        return []
    rig = case.rig[LOW]
    stops = list(dict.fromkeys(case.radius(pc) for pc in NEAR))
    part = job.particles.patch
    half = part.width / 2 - DISC
    offset = np.linspace(-half, half, 31)
    everywhere = unit_vector(*np.meshgrid(part.l + offset, part.b + offset)).reshape(-1, 3)
    means = disc_means(case, rig, [*stops, -1], everywhere)
    if means is None:
        return []
    spots = disc_means(case, rig, stops, unit_vector(*np.transpose(spots_of(case, rig))))
    found = []
    for number, stop in enumerate(stops):
        at = f"{case.stops[stop]:g} pc"
        found.append(_correlation(case, part, means[number], means[-1], at))
        found += _spots(spots[number], at)
    return found


def spots_of(case, rig):
    """Directions of the figure: two at the patch's strongest excess, two at its deficit."""
    from hpc_cr.figures.panels import Options, Panel
    from hpc_cr.figures.trajectories import extremes_of, view_of

    options = Options(smooth=DISC)
    panel = Panel(case.results, rig, len(case.stops) - 1, options, "")
    return extremes_of(view_of(panel, options))


def disc_means(case, rig, stops, places):
    """Means over discs of the patch of the place along the gradient.

    Parameters
    ----------
    case : Case
    rig : int
    stops : list of int
    places : ndarray (n_place, 3)
        Centres of the discs, unit vectors.

    Returns
    -------
    ndarray (n_stop, n_place) or None
        X.e in pc, e along the gradient, which at the last stop is the relative intensity over
        |g|; None where pixels are wider than discs.
    """
    particles, row = case.results.job.particles, int(case.rows[0])
    patch = particles.patch
    pixels = patch_pixels(particles.nside, patch.l, patch.b, patch.width)
    columns = np.zeros((12 * particles.nside**2, 1 + len(stops)))
    columns[pixels, 0] = 1.0
    gradient = case.gradient(rig)
    along = gradient / np.linalg.norm(gradient)
    for column, stop in enumerate(stops, 1):
        x = case.results.maps("displacement", row, rig, stop)
        columns[pixels, column] = np.nan_to_num(along @ x)
    sums = disc_sums(columns, DISC, places)
    if sums[:, 0].min() < 0.5:
        return None
    return (sums[:, 1:] / sums[:, :1]).T


def _correlation(case, patch, near, far, at):
    value = float(np.corrcoef(near, far)[0, 1])
    discs = max((patch.width - 2 * DISC) ** 2 / (np.pi * DISC**2), 4.0)
    error = float(np.sqrt(max(1 - value**2, 0.0) / (discs - 2)))
    return statement(
        "figure 3", f"correlation over the patch of the intensity at R = {case.stops[-1]:g} pc"
        f" with the place along the gradient at {at}", "hot: dense side", (value, error), "",
        "open",
        f"the error counts the {discs:.0f} discs of {DISC:g} deg that fit in; one patch of one"
        " field: over all skies it is the correlation with eq. 8 that tells", SAMPLING,
    )  # fmt: skip


def _spots(near, at):
    """Where particles of the hot and of the cold directions of the figure cross a near sphere."""
    found = []
    for name, side, which in (("excess", "> 0", slice(0, 2)), ("deficit", "< 0", slice(2, 4))):
        first, second = near[which]
        found.append(
            statement(
                "figure 3",
                f"place along the gradient at {at}, 5 deg discs at the strongest {name}",
                side,
                (near[which].mean(), np.nan),
                "pc",
                "open",
                f"mean of {first:.1f} and {second:.1f} pc; one patch cannot decide",
            )
        )
    return found
