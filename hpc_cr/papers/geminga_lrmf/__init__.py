"""Li, Yuan, Liu & Guo 2021 (arXiv:2107.00313): the dipole from Geminga and the local field.

The table needs the result of the job geminga_lrmf; that of the same job with sources cut at 15 kpc
adds what the cut changes.
"""

from hpc_cr.papers import PaperFigure
from hpc_cr.papers.geminga_lrmf import dipole, kernel, model, spectra
from hpc_cr.papers.geminga_lrmf.files import CONSISTENT, PRINTED, modes, parts

KINDS = ("galaxy",)
ERRORS = (
    "what is left of the grid (a third of the change from half the cells to all), with the"
    " covariance of fitted factors; below 0.05 % left out"
)

FIGURES = {
    "figure 1": PaperFigure(
        "galaxy-spectra", {"cases": ("as-printed", "refitted", "consistent-kernel")},
        "protons and helium: background, Geminga, sum, measurements"
    ),
    "figure 2": PaperFigure(
        "all-particle", {"cases": ("as-printed", "refitted", "consistent-kernel")},
        "all particles and mass groups, measurements"
    ),
    "figures 3-5": PaperFigure(
        "galaxy-dipole", {},
        "amplitude and phase with and without the field, by mass group, against eps, Delta delta"
    ),
}  # fmt: skip


def statements(*files):
    """What the paper's text says, measured.

    Parameters
    ----------
    *files : hpc_cr.io.galaxy.GalaxyResults
        The result of the paper's job, and that of the job with sources cut, in any order.

    Returns
    -------
    list of hpc_cr.papers.Statement
        In the paper's order; what the files do not hold is left out.

    Raises
    ------
    ResultError
        Another model than the paper's, two files of one kind, or nothing finished.
    """
    found = parts(files)
    cases = modes(found["own"])
    first = next(iter(cases.values()))
    cut = next(iter(modes(found["cut"]).values())) if "cut" in found else None
    rows = dipole.measured_amplitudes() + dipole.measured_below() + dipole.amplitudes(cases)
    rows += model.gyroradius() + model.directions(first)
    rows += model.coefficient(first) + model.gradient(first, cut)
    rows += model.mean_free_paths(first) + model.ratio_below_one(first)
    rows += spectra.against_data(cases) + spectra.quality(cases) + spectra.features(cases)
    rows += spectra.sub_dominant(cases) + dipole.phases(cases) + dipole.flips(cases)
    rows += dipole.scans(cases) + dipole.measured_phases(first)
    if first.job.local_source.distance is not None:
        rows += kernel.densities(cases.get(PRINTED, first))
    if CONSISTENT in cases:
        rows += kernel.phases(cases[CONSISTENT])
    return rows
