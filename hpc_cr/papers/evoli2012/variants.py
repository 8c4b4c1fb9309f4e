"""What changes little: other sources, reacceleration, convection; and what a thick halo does."""

import numpy as np

from hpc_cr.figures import emissivity
from hpc_cr.figures.anisotropy_tau import amplitudes
from hpc_cr.figures.panels import FigureError
from hpc_cr.galaxy.longitude import radial_fall
from hpc_cr.papers.evoli2012.anisotropy import ENERGY_GEV
from hpc_cr.papers.evoli2012.cases import NONE, PAPER, REFERENCE, scan, statement, within

LITTLE = 0.2
"""Relative change that is taken as insignificant."""


def statements(found):
    """Dipole and fall of the emissivity of every variant over those of the paper's set-up."""
    rows = []
    kinds = dict.fromkeys(kind for kind, _ in found if kind != PAPER
                          and not kind.startswith("k = ") and kind != "other")
    for kind in kinds:
        rows += thick(found) if kind == "thick halo" else _compared(found, kind)
    return rows


def thick(found):
    """A thick halo: larger D, larger dipole."""
    case, own = found.get(("thick halo", NONE)), found.get((PAPER, NONE))
    if case is None or own is None:
        return []
    d0 = [one.job.diffusion.coefficient for one in (case, own)]
    size = amplitudes([case, own], [ENERGY_GEV])[:, 0]
    height = case.job.diffusion.scale_height / 1e3
    falls = _falls([case, own])
    note = f"D0 {d0[0]:.3g} instead of {d0[1]:.3g} cm2/s"
    if falls is not None:
        note += f"; fall of ln q from 5 to 15 kpc {falls[0]:.3f} instead of {falls[1]:.3f}/kpc"
    return [statement(
        "p. 1", f"dipole at 1 TeV with H = {height:g} kpc over that with 4 kpc, tau = 0",
        "> 1: a thick halo is worse", size[0] / size[1], within(size[0] / size[1], 1.0, np.inf),
        note=note)]  # fmt: skip


def _compared(found, kind):
    """Changes of one kind: dipole at both tau, reduction, fall."""
    own, other = scan(found, PAPER), scan(found, kind)
    taus = [tau for tau in (NONE, REFERENCE) if tau in own and tau in other]
    if not taus:
        return []
    mine, theirs = ([one[tau] for tau in taus] for one in (own, other))
    sizes = amplitudes([*mine, *theirs], [ENERGY_GEV])[:, 0].reshape(2, -1)
    change = sizes[1] / sizes[0]
    falls = _falls([*mine, *theirs])
    at = ", ".join(f"{tau:g}" for tau in taus)
    d0 = ", ".join(f"{case.job.diffusion.coefficient:.3g}" for case in theirs)
    note = f"D0 {d0} cm2/s; insignificant: within {LITTLE:g}"
    name = _name(kind, theirs[0].job)
    rows = [_row(f"dipole at 1 TeV with {name} over that without, tau = {taus[0]:g}", change[0],
                 note)]
    if len(taus) == 2:
        reduced = sizes[:, 0] / sizes[:, 1]
        rows.append(_row(
            f"reduction of the dipole from tau = 0 to 0.85 with {name} over that without",
            reduced[1] / reduced[0], f"{reduced[1]:.2f} instead of {reduced[0]:.2f}; {note}"))
    if falls is not None:
        before, after = falls.reshape(2, -1)
        rows.append(_row(
            f"fall of ln q from 5 to 15 kpc with {name} over that without, tau = {taus[-1]:g}",
            after[-1] / before[-1],
            f"{', '.join(f'{one:.3f}' for one in after)} instead of"
            f" {', '.join(f'{one:.3f}' for one in before)}/kpc for tau = {at}; {note}"))
    return rows


def _row(text, value, note):
    return statement("p. 3", text, "no significant change", value,
                     within(value, 1 - LITTLE, 1 + LITTLE), note=note)


def _name(kind, job):
    """A variant in words."""
    d = job.diffusion
    return {"reacceleration": f"v_A = {d.alfven_speed:g} km/s",
            "wind": f"a wind of {d.wind:g} km/s"}.get(kind, f"sources {kind}")  # fmt: skip


def _falls(cases):
    """Fall of the emissivity from 5 to 15 kpc, 1/kpc, or None without protons that make photons."""
    try:
        return np.array([float(radial_fall(radii, values))
                         for radii, values, _ in emissivity.curves(cases)])  # fmt: skip
    except FigureError:
        return None
