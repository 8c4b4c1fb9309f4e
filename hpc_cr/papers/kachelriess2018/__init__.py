"""Kachelriess 2018 (arXiv:1811.02419): anisotropic diffusion and the cosmic ray anisotropy.

The table needs the result of the job kachelriess2018 and takes those of diffusion_levels,
single_source and escape beside it. What paper evoli2012 (Evoli, Gaggero, Grasso & Maccione 2012,
arXiv:1203.0570) quotes of simulated coefficients is compared with the same results.
"""

from hpc_cr.io.errors import ResultError
from hpc_cr.papers import PaperFigure
from hpc_cr.papers.kachelriess2018 import (
    cloud,
    escape,
    isotropic,
    levels,
    local_source,
    observations,
    regular_field,
)
from hpc_cr.papers.kachelriess2018.files import PARTS, by_part, part_of

KINDS = ("diffusion", "source", "escape")
ERRORS = (
    "standard error over realisations, with what is left of the trends of diffusion coefficients"
)

FIGURES = {
    "figure 1": PaperFigure(
        "diffusion-energy", {}, "D(E) without a regular field, asymptotes, and what B/C asks for"
    ),
    "figure 2": PaperFigure(
        "coherence-plane", {}, "fields and coherence lengths that B/C would ask for"
    ),
    "figure 3 left": PaperFigure(
        "grammage", {}, "grammage in the plane of tilt and turbulence level"
    ),
    "figure 3 right": PaperFigure(
        "diffusion-level", {}, "D_par and D_perp at 1 PV against B_rms/B0 with fits"
    ),
    "figure 4": PaperFigure(
        "single-source", {}, "dipole against energy: measurements, local source, sea, Vela"
    ),
    "running coefficients": PaperFigure(
        "diffusion", {"cases": ("eta-025",), "rigidities": ("1 PV",)}, "plateaus of D_par, D_perp"
    ),
    "field lines": PaperFigure("field-lines", {}, "random walk of field lines against theory"),
    "source density": PaperFigure(
        "source-density", {}, "density around the source's field line", "source"
    ),
    "source cloud": PaperFigure(
        "source-cloud", {}, "widths and kurtosis of the cloud against time", "source"
    ),
    "source dipole": PaperFigure(
        "source-dipole", {}, "dipole in the cloud against 3 R/(2 c T)", "source"
    ),
    "escape": PaperFigure("escape", {}, "escape time and grammage against rigidity", "escape"),
}


def statements(*files):
    """What the paper's text says, measured.

    Parameters
    ----------
    *files : hpc_cr.io.results.Results
        The result of the paper's job, and any of the others in PARTS, in any order.

    Returns
    -------
    list of hpc_cr.papers.Statement
        In the paper's order; what the files do not hold is left out.

    Raises
    ------
    ResultError
        The paper's own result is missing, a file is given twice, of no job of the paper or of
        another set-up, or nothing is finished.
    """
    parts = by_part(files)
    cases = {case.case: case for case in parts["own"].each_case()}
    if not any(case.done.any() for case in cases.values()):
        raise ResultError(f"{parts['own'].path}: nothing finished yet")
    found = isotropic.figure_1(cases) + isotropic.figure_2(cases) + regular_field.page_3(cases)
    if "escape" in parts:
        found += escape.escape_statements(list(parts["escape"].each_case()))
    if "source" in parts:
        found += local_source.numbers_of_sources()
    found += regular_field.figure_3_right(cases) + regular_field.alignment(cases)
    found += observations.equation_4()
    if "source" in parts:
        found += cloud.source_statements({case.case: case for case in parts["source"].each_case()})
    found += observations.plateau()
    found += observations.source_and_plateau()
    found += local_source.dominates(cases) + local_source.suppression(cases)
    found += observations.vela() + regular_field.evoli_2012(cases)
    if "levels" in parts:
        found += levels.of_levels({case.case: case for case in parts["levels"].each_case()})
    return found


def file_of(figure, paths):
    """The one of the result files that a figure is drawn from.

    Raises
    ------
    ResultError
        It is not among them.
    """
    from hpc_cr.io.results import open_results

    wanted = figure.part or "own"
    for path in paths:
        with open_results(path) as results:
            if part_of(results) == wanted:
                return path
    raise ResultError(f"needs the result of the job {PARTS[wanted]}")
