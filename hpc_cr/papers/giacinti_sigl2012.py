"""Giacinti & Sigl 2012, PRL 109, 071101 (arXiv:1111.2536): small-scale anisotropies.

Particles of 10 and 50 PV are backtracked through Kolmogorov turbulence (4 uG, L_max = 150 pc) to
spheres of 10 to 250 pc around the observer, outside of which the density has a gradient of
1/(290 pc). The cases of its job: maps, patch, energies, ensemble, large-scale.
"""

import numpy as np

from hpc_cr.anisotropy import skymaps
from hpc_cr.anisotropy.correlation import correlation, rms
from hpc_cr.anisotropy.features import find_features
from hpc_cr.papers import PaperFigure
from hpc_cr.papers import giacinti_sigl2012_dipoles as of_dipoles
from hpc_cr.papers import giacinti_sigl2012_features as of_features
from hpc_cr.papers.giacinti_sigl2012_cases import SMOOTHING, Case

_MAPS = {"cases": ("maps",), "rigidities": ("10 PV", "50 PV")}
_SMOOTH = {"smooth": SMOOTHING, "subtract_dipole": True}

FIGURES = {
    "figure 1": PaperFigure(
        "sky-map",
        _MAPS | _SMOOTH | {"stops": ("250 pc",)},
        "intensity without its dipole at 10 and 50 PV, averaged over discs of 20 degrees radius",
    ),
    "figure 2": PaperFigure(
        "sky-map",
        _MAPS | _SMOOTH | {"stops": ("100 pc", "50 pc", "25 pc", "10 pc")},
        "the same with the boundary on smaller spheres",
    ),
    "figure 3": PaperFigure(
        "trajectories",
        {"cases": ("patch",), "directions": ((173, 13), (175, 11), (162, 3), (169, 2))},
        "30 by 30 degrees in detail, and four particles: two from the deficit of this field, two"
        " from beside it (the paper's own directions are the figure's default)",
    ),
    "significance": PaperFigure(
        "sky-map",
        _MAPS | _SMOOTH | {"stops": ("250 pc",), "significance": True},
        "figure 1 in standard deviations of its noise",
    ),
    "convergence": PaperFigure(
        "map-correlation",
        {"cases": ("maps", "energies", "ensemble"), "smooth": SMOOTHING},
        "likeness of the skies at different radii and rigidities",
    ),
    "dipoles": PaperFigure(
        "dipole-map",
        {"cases": ("ensemble",), "rigidities": ("10 PV", "50 PV")},
        "dipoles of all realisations",
    ),
    "multipoles": PaperFigure(
        "power-spectrum",
        {"cases": ("ensemble", "large-scale"), "rigidities": ("10 PV", "50 PV")},
        "angular power spectra, with and without a large-scale field",
    ),
}


def statements(results):
    """What the paper says, measured in a result file of its job.

    Parameters
    ----------
    results : hpc_cr.io.results.Results
        Any case of the file.

    Returns
    -------
    list of hpc_cr.papers.Statement
        Those that the file's cases allow.
    """
    cases = {one.case: Case(one) for one in results.each_case()}
    found = []
    for name, measure in (
        ("ensemble", of_dipoles.dipoles),
        ("maps", of_dipoles.maps),
        ("ensemble", of_features.convergence),
        ("maps", of_features.convergence_of_one),
        ("ensemble", of_features.rigidities),
        ("energies", of_features.energies),
        ("ensemble", of_features.multipoles),
        ("patch", of_features.patch),
        ("large-scale", of_features.large_scale),
    ):
        case = cases.get(name)
        if case is not None and case.ready:
            found += measure(case)
    return found


def feature_table(results, rigidity, case="maps"):
    """Significant features of a case's first sky, smoothed over 20 degrees, the strongest first.

    Parameters
    ----------
    results : hpc_cr.io.results.Results
        Any case of the file.
    rigidity : float
        PV.
    case : str
        With displacement maps.

    Returns
    -------
    list of hpc_cr.anisotropy.features.Feature
    """
    one = next(c for c in results.each_case() if c.case == case)
    rig = int(np.argmin(np.abs(one.rigidities - rigidity)))
    intensity = skymaps.intensity_map(one.maps("displacement", 0, rig), one.gradient[rig])
    return find_features(skymaps.residual_map(intensity, SMOOTHING), SMOOTHING)


def equation_8(results, rigidity, radius, l_max=10):
    """a_lm of the last sphere against the paper's eq. 8 with G_p from a smaller sphere, per l.

    Parameters
    ----------
    results : hpc_cr.io.results.Results
        Any case of the file; the case ensemble is used.
    rigidity : float
        10 or 50 PV.
    radius : float
        Of the sphere that gives lambda G_p = <R n_R>, pc; a few mean free paths.
    l_max : int

    Returns
    -------
    list of tuple
        (l, correlation, its error, slope, its error, sqrt(<C_l>)/(lambda |g|), its error); the
        last is sqrt(4 pi/9) = 1.18 at l = 1 without any deflection.
    """
    case = Case(next(c for c in results.each_case() if c.case == "ensemble"))
    rig = case.rig[rigidity]
    near, last = case.halves(rig, case.radius(radius)), case.halves(rig)
    dipole = case.mean_free_path(rig)[0] * np.linalg.norm(case.gradient(rig))
    rows = []
    for ell in range(1, l_max + 1):
        one = correlation(near, last, 0.0, (ell, ell))
        # <f f> = (2l + 1) C_l / 4 pi
        size = np.array(rms(last, 0.0, (ell, ell))) * np.sqrt(4 * np.pi / (2 * ell + 1)) / dipole
        rows.append((ell, one.value, one.error, one.slope, one.slope_error, *map(float, size)))
    return rows
