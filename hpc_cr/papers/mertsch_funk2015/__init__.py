"""Mertsch & Funk 2015, PRL 114, 021101: is the dipole of one turbulent field that of the ensemble?

The job has three cases: isotropic (eta = 1), and total-4uG and turbulent-4uG, two readings of
eta = 0.1 beside a regular field towards l = 0. The gradient points to l = 90. Amplitudes come in
two normalisations: (a) M g as computed, (b) M scaled to the diffusion coefficient that B/C asks
for (see `hpc_cr.figures.panels.Options`).
"""

from hpc_cr.io.errors import ResultError
from hpc_cr.papers import PaperFigure, check_setup
from hpc_cr.papers.mertsch_funk2015 import isotropic as isotropic_turbulence
from hpc_cr.papers.mertsch_funk2015 import memory, regular_field, rigidity
from hpc_cr.papers.observed import observed

ISOTROPIC = "isotropic"
STRONG = ("total-4uG", "turbulent-4uG")
"""Cases of eta = 0.1, the likelier reading of the paper's field first."""


SETUP = {"boundary.kind": "time", "turbulence.outer_scale": 100.0, "turbulence.slope": 5 / 3}
FIELDS = {ISOTROPIC: (4.0, 0.0), STRONG[0]: (1.265, 3.795), STRONG[1]: (4.0, 12.0)}
"""B_rms and B0 of the cases, uG."""


def _figures():
    """The five figures, each normalisation and reading under its own name, and what goes on."""
    normalisations = ("physical", "diffusion")
    found = {}
    for number, figure, case, text in (
        (1, "dipole-energy", STRONG[0], "amplitude from 10 TV to 1 PV, gradient across the field"),
        (2, "dipole-map", ISOTROPIC, "dipoles of the realisations at 1 PV, eta = 1"),
        (3, "dipole-longitude", ISOTROPIC, "amplitude against the gradient's longitude, eta = 1"),
        (4, "dipole-map", STRONG[0], "dipoles of the realisations at 1 PV, eta = 0.1"),
        (5, "dipole-longitude", STRONG[0], "amplitude against the gradient's longitude, eta = 0.1"),
    ):
        for normalisation in normalisations:
            for name in (case,) if case == ISOTROPIC else STRONG:
                options = {"cases": (name,), "normalisation": normalisation}
                if figure != "dipole-energy":
                    options["rigidities"] = ("1 PV",)
                label = f"figure {number} {normalisation}"
                label += f" {name}" if name == STRONG[1] else ""
                found[label] = PaperFigure(figure, options, text)
                if number == 5:
                    found[label.replace("5", "5 zoom", 1)] = PaperFigure(
                        figure, options | {"zoom": True}, f"{text}, near 90 degrees from B0"
                    )
    at_1_PV = {"rigidities": ("1 PV",)}
    found["local field isotropic"] = PaperFigure(
        "local-field", at_1_PV | {"cases": (ISOTROPIC,)}, "angle between dipoles and local field"
    )
    found["local field"] = PaperFigure(
        "local-field",
        at_1_PV | {"cases": STRONG, "stops": (QUIET_STOP,)},
        "the same beside a regular field, one mean free path back: noise is a tenth of |delta|",
    )
    found["memory"] = PaperFigure("memory", at_1_PV, "decay of multipoles in the directions at -T")
    found["convergence"] = PaperFigure("convergence", at_1_PV, "mean response against T")
    return found


QUIET_STOP = "2"
"""Index of a stop with little sampling noise; see `memory.quiet`."""

FIGURES = _figures()


def statements(results):
    """What the paper's text says, measured.

    Parameters
    ----------
    results : hpc_cr.io.results.Results
        Any case of the job's result file. Statements on cases and rigidities that it does not
        have are left out.

    Returns
    -------
    list of hpc_cr.papers.Statement
        In the paper's order, the readings of eta = 0.1 below each other.

    Raises
    ------
    hpc_cr.io.errors.ResultError
        None of the cases has a finished entry at 1 PV, or one was computed with another set-up
        than the paper's.
    """
    for case in results.each_case():
        if case.case in FIELDS:
            rms, regular = FIELDS[case.case]
            check_setup(case, SETUP | {"turbulence.rms": rms, "regular.strength": regular})
    panels = {case.case: observed(case) for case in results.each_case()}
    found = {name: panels[name] for name in (ISOTROPIC, *STRONG) if panels.get(name) is not None}
    if not found:
        cases = ", ".join((ISOTROPIC, *STRONG))
        raise ResultError(
            f"{results.path}: nothing finished at 1 PV in a case of the paper: {cases}"
        )
    isotropic = [found[name] for name in (ISOTROPIC,) if name in found]
    strong = [found[name] for name in STRONG if name in found]
    slowest = [observed(panel.results, 0.01) for panel in isotropic]
    every = isotropic + strong
    parts = (
        [(memory.converged, every)]
        + [(memory.decays, [p for p in slowest if p is not None] + every)]
        + [(make, isotropic) for make in isotropic_turbulence.FIGURES_2_3]
        + [(make, strong) for make in (*regular_field.FIGURES_4_5, rigidity.energies)]
        + [(memory.local_field, every)]
        + [(make, strong) for make in (regular_field.alignment_needed, rigidity.ranges)]
    )
    return [s for make, chosen in parts for panel in chosen for s in make(panel)]
