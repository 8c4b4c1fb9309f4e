"""Cases of the paper's job: told apart by their settings, whatever they are called."""

import numpy as np

from hpc_cr.io.errors import ResultError
from hpc_cr.papers import Statement, check_setup

PAPER = "paper"
SETUP = {"diffusion.model": "source-power", "diffusion.slope": 0.6,
         "diffusion.velocity_exponent": -0.4, "halo.sun": 8500.0}  # fmt: skip
"""What all cases share with the paper."""
SCALE_HEIGHT_PC, FLOOR, SOURCES = 4000.0, 0.01, "lorimer2006"
REFERENCE, NONE = 0.85, 0.0
"""The best tau there, and uniform diffusion."""


def by_kind(results):
    """Complete cases of a file.

    Parameters
    ----------
    results : hpc_cr.io.galaxy.GalaxyResults

    Returns
    -------
    dict of (str, float) to GalaxyResults
        (`kind_of`, tau) -> case.

    Raises
    ------
    ResultError
        No case is complete, or one is of another set-up than the paper's.
    """
    found = {}
    for case in results.each_case():
        check_setup(case, SETUP)
        if case.complete:
            found.setdefault((kind_of(case.job), case.job.diffusion.tau), case)
    if not found:
        raise ResultError(f"{results.path}: no case is finished; hpc-cr run --resume completes it")
    return found


def kind_of(job):
    """In what a case differs from the paper's set-up, tau and D0 apart: "paper", "k = 0.1", the
    name of another distribution of sources, "reacceleration", "wind", "thick halo"; "other" where
    that is more than one thing."""
    d = job.diffusion
    kinds = []
    if not np.isclose(d.scale_height, SCALE_HEIGHT_PC):
        kinds.append("thick halo")
    if not np.isclose(d.floor, FLOOR):
        kinds.append(f"k = {d.floor:g}")
    if job.sources.distribution != SOURCES:
        kinds.append(job.sources.distribution)
    if d.alfven_speed:
        kinds.append("reacceleration")
    if d.wind:
        kinds.append("wind")
    return (kinds or [PAPER])[0] if len(kinds) < 2 else "other"


def scan(found, kind=PAPER):
    """tau, ascending, -> case of one kind."""
    return {tau: case for (one, tau), case in sorted(found.items(), key=lambda item: item[0][1])
            if one == kind}  # fmt: skip


def floors(found):
    """k -> case with tau = 1, k descending."""
    cases = {case.job.diffusion.floor: case for (kind, tau), case in found.items()
             if tau == 1 and (kind == PAPER or kind.startswith("k = "))}  # fmt: skip
    return dict(sorted(cases.items(), reverse=True))


def statement(where, text, paper, value, verdict, unit="", error=np.nan, note=""):
    """A Statement; without an error where none is known."""
    return Statement(where, text, paper, float(value), float(error), unit, verdict, note)


def within(value, low, high):
    """Verdict on a number without statistical error: low <= value <= high."""
    return "agrees" if low <= value <= high else "differs"
