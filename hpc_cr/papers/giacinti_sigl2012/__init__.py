"""Giacinti & Sigl 2012, PRL 109, 071101 (arXiv:1111.2536): small-scale anisotropies.

Particles of 10 and 50 PV are backtracked through Kolmogorov turbulence (4 uG, L_max = 150 pc) to
spheres of 10 to 250 pc around the observer, outside of which the density has a gradient of
1/(290 pc). The cases of its job: maps, patch, energies, ensemble, large-scale.
"""

import numpy as np

from hpc_cr.anisotropy import skymaps
from hpc_cr.anisotropy.correlation import correlation, rms
from hpc_cr.anisotropy.features import find_features
from hpc_cr.io.errors import ResultError
from hpc_cr.papers import PaperFigure, check_setup
from hpc_cr.papers.giacinti_sigl2012 import dipoles as of_dipoles
from hpc_cr.papers.giacinti_sigl2012 import features as of_features
from hpc_cr.papers.giacinti_sigl2012 import multipoles as of_multipoles
from hpc_cr.papers.giacinti_sigl2012 import patches as of_patches
from hpc_cr.papers.giacinti_sigl2012.cases import SMOOTHING, Case

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
        {"cases": ("patch",)},
        "30 by 30 degrees in detail, and four particles: two from its strongest excess, two from"
        " its strongest deficit",
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


JOB = "giacinti_sigl2012"
SETUP = {
    "turbulence.spectrum": "kolmogorov",
    "turbulence.rms": 4.0,
    "turbulence.outer_scale": 150.0,
    "boundary.kind": "sphere",
}
"""What every case has; `large-scale` has a regular field beside it."""
MEASURES = (
    ("ensemble", of_dipoles.dipoles),
    ("maps", of_dipoles.maps),
    ("ensemble", of_features.convergence),
    ("maps", of_features.convergence_of_one),
    ("ensemble", of_features.rigidities),
    ("energies", of_features.energies),
    ("ensemble", of_multipoles.multipoles),
    ("patch", of_patches.patch),
    ("large-scale", of_features.large_scale),
)
"""Name of a case, and what is measured in it, in the order of the table."""


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

    Raises
    ------
    hpc_cr.io.errors.ResultError
        The file is of another job, or nothing that is needed is finished.
    """
    known = list(dict.fromkeys(name for name, _ in MEASURES))
    cases = {one.case: Case(one) for one in results.each_case() if one.case in known}
    if not cases:
        raise ResultError(
            f"{results.path}: not a result of the job {JOB}: it has none of the cases"
            f" {', '.join(known)}"
        )
    for name, case in cases.items():
        regular = {} if name == "large-scale" else {"regular.strength": 0.0}
        check_setup(case.results, SETUP | regular)
    found = []
    for name, measure in MEASURES:
        if name in cases and cases[name].ready:
            found += measure(cases[name])
    if not found:
        raise ResultError(
            f"{results.path}: no statement can be measured yet: no realisation of the cases"
            f" {', '.join(cases)} is finished at every rigidity, 10 PV among them"
        )
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
    """a_lm of the last sphere against those of a smaller one, per l.

    The literal equation 8 of the paper has a unit vector G_p = X_r/r on a sphere of r ~ lambda;
    its variant lambda G_p = X_r on a sphere of a few lambda (see `multipoles`).

    Parameters
    ----------
    results : hpc_cr.io.results.Results
        Any case of the file; the case ensemble is used.
    rigidity : float
        10 or 50 PV.
    radius : float
        Of the smaller sphere, pc; the nearest stop is taken.
    l_max : int

    Returns
    -------
    list of tuple
        (l, correlation, its error, slope of the literal form, its error, slope of the variant,
        its error, sqrt(<C_l>)/(lambda |g|), its error); the correlation is that of both forms, the
        last is sqrt(4 pi/9) = 1.18 at l = 1 without any deflection.
    """
    case = Case(next(c for c in results.each_case() if c.case == "ensemble"))
    rig = case.rig[rigidity]
    stop = case.radius(radius)
    near, last = case.halves(rig, stop), case.halves(rig)
    dipole = case.mean_free_path(rig)[0] * np.linalg.norm(case.gradient(rig))
    rows = []
    for ell in range(1, l_max + 1):
        value, error, slope, slope_error = of_multipoles.literal(case, rig, stop, (ell, ell))
        one = correlation(near, last, 0.0, (ell, ell))
        # <f f> = (2l + 1) C_l / 4 pi
        size = np.array(rms(last, 0.0, (ell, ell))) * np.sqrt(4 * np.pi / (2 * ell + 1)) / dipole
        rows.append(
            (ell, value, error, slope, slope_error, one.slope, one.slope_error, *map(float, size))
        )
    return rows
