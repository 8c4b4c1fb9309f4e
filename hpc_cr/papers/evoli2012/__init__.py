"""Evoli, Gaggero, Grasso & Maccione 2012 (arXiv:1203.0570): diffusion that follows the sources.

The cases of the job differ in tau, in the floor k of D ~ max[q^tau, k q^-tau], or in one thing from
the paper's own set-up (`cases.kind_of`). D0 of each is what fits measured B/C.
"""

from hpc_cr.papers import PaperFigure
from hpc_cr.papers.evoli2012 import anisotropy, diffusion, emission, nuclei, variants
from hpc_cr.papers.evoli2012.cases import by_kind

KINDS = ("galaxy",)
ERRORS = "a third of the change from half the cells to all (none: not known)"

SCAN = ("tau-0", "tau-0_2", "tau-0_5", "tau-0_7", "tau-0_8", "tau-0_9")
PAIR = ("tau-0", "tau-0_85")
FIGURES = {
    "figure 1": PaperFigure(
        "emissivity", {"cases": SCAN}, "gamma rays per hydrogen atom against Galactocentric radius"
    ),
    "figure 2": PaperFigure(
        "gamma-longitude", {"cases": PAIR}, "gamma rays along the plane, and shapes compared"
    ),
    "figure 3": PaperFigure(
        "anisotropy-tau",
        {"cases": ("tau-0", "tau-0_5", "tau-0_85", "tau-1", "floor-25e-2", "floor-1e-1",
                   "floor-1e-3")},
        "dipole against energy with measurements, and its reduction against tau and floor",
    ),
    "boron to carbon": PaperFigure(
        "boron-to-carbon", {"cases": ("tau-0", "tau-0_5", "tau-0_85", "tau-1")},
        "B/C of every tau with measurements"
    ),
    "middle latitudes": PaperFigure(
        "gamma-spectrum", {"cases": PAIR}, "gamma rays of the gas at middle latitudes"
    ),
    "antiprotons": PaperFigure("antiproton-ratio", {"cases": PAIR}, "antiprotons over protons"),
    "variants": PaperFigure(
        "anisotropy-tau",
        {"cases": ("tau-0", "tau-0_85", "yusifov-0", "yusifov-0_85", "case-0", "case-0_85",
                   "reaccelerated-0", "reaccelerated-0_85", "wind-0", "wind-0_85")},
        "the dipole with other sources, reacceleration and wind",
    ),
}  # fmt: skip


def statements(results):
    """What the paper's text says, measured.

    Parameters
    ----------
    results : hpc_cr.io.galaxy.GalaxyResults
        Any case of the job's result file. Statements on cases that it does not have are left out.

    Returns
    -------
    list of hpc_cr.papers.Statement
        In the paper's order.

    Raises
    ------
    hpc_cr.io.errors.ResultError
        No case is complete, or one is of another set-up than the paper's.
    """
    found = by_kind(results)
    parts = (diffusion.escape, diffusion.outer_galaxy, variants.statements,
             nuclei.boron_to_carbon, nuclei.normalisation, nuclei.antiprotons,
             emission.middle_latitudes, emission.figure_1, emission.figure_2, anisotropy.reduction,
             anisotropy.figure_3, anisotropy.phase)  # fmt: skip
    return [one for part in parts for one in part(found)]
