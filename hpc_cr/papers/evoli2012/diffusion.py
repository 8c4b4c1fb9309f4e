"""Escape along the spiral arms and across them: equation 1, and the effective coefficient."""

import numpy as np

from hpc_cr.campaigns.galaxy_setting import diffusion_model
from hpc_cr.constants import PC_C_CM2_PER_S
from hpc_cr.galaxy.coefficients import PRINTED_PREFACTOR, arm_factor, escape_time_ratio
from hpc_cr.papers.evoli2012.cases import PAPER, SCALE_HEIGHT_PC, scan, statement, within
from hpc_cr.papers.verdicts import arithmetic
from hpc_cr.sources.local_source import MYR_PC

LEAST_RATIO = 0.01
"""D_perp/D_par that the paper quotes as the least for turbulence as strong as the regular field."""
RIGIDITY_GV = 10.0
OUTER_PC = (15e3, 18e3)
UNPHYSICAL = 10.0
"""An escape time so many times that at the Sun is taken as unphysically large."""


def escape(found):
    """Equation 1: times of escape along and across."""
    height = float(np.sqrt(arm_factor(1.0) * LEAST_RATIO))
    printed_height = SCALE_HEIGHT_PC * np.sqrt(PRINTED_PREFACTOR * LEAST_RATIO)
    ratio = escape_time_ratio(SCALE_HEIGHT_PC, LEAST_RATIO)
    share = 1 / (arm_factor(SCALE_HEIGHT_PC) * LEAST_RATIO)
    printed_share = 1 / (PRINTED_PREFACTOR * LEAST_RATIO)
    return [
        statement("eq. 1", "(R_arm/H)^2 for H = 4 kpc, R_arm = pi R_sun = 26.7 kpc",
                  "4e2", arm_factor(SCALE_HEIGHT_PC),
                  arithmetic(arm_factor(SCALE_HEIGHT_PC), PRINTED_PREFACTOR, 50.0),
                  note="printed to one digit; 4e2 needs arms of 80 kpc"),
        statement("p. 2", "T_par/T_perp for H = 4 kpc and D_perp/D_par = 0.01",
                  "> 1", ratio, within(ratio, 1.0, np.inf),
                  note="4 with the printed prefactor: the conclusion that most particles escape"
                       " across the field turns with it"),
        statement("p. 2", "H up to which particles escape across the field, D_perp/D_par = 0.01",
                  "considerably above 4 kpc", height / 1e3, within(height / 1e3, 4.0, np.inf),
                  "kpc", note=f"{printed_height / 1e3:.3g} kpc with the printed prefactor"),
        statement("p. 2", "k = (H/R_arm)^2 D_par/D_perp of D_eff = max(q^tau, k q^-tau) at the Sun,"
                  " D_perp/D_par = 0.01", "not given", share, "open",
                  note=f"{printed_share:.2g} with the printed prefactor; above 1 escape along the"
                       " arms is the faster one at the Sun. k = 0.01, the common choice, needs"
                       f" D_perp/D_par = {share * LEAST_RATIO / 0.01:.2g}"
                       f" ({printed_share * LEAST_RATIO / 0.01:.2g} printed)"),
    ]  # fmt: skip


def escape_time(model, r):
    """H^2/(6 D) in Myr at Galactocentric radii (pc) in the plane, for RIGIDITY_GV."""
    d = model.at(np.asarray(r, float), 0.0, RIGIDITY_GV)
    return model.scale_height_pc**2 / (6 * d) / MYR_PC


def outer_galaxy(found):
    """The parallel term limits the escape time where there are few sources."""
    rows = []
    for tau, case in scan(found, PAPER).items():
        if tau < 0.85:
            continue
        model = diffusion_model(case.job)
        sun = escape_time(model, case.job.halo.sun)
        with_term = escape_time(model, OUTER_PC)
        without = escape_time(model._replace(floor=0.0), OUTER_PC)
        times = ", ".join(f"{r / 1e3:g} kpc {a:.0f} and {b:.0f} Myr"
                          for r, a, b in zip(OUTER_PC, with_term, without, strict=True))
        d0 = model.coefficient_pc * PC_C_CM2_PER_S
        for text, paper, value, verdict in (
            ("without the parallel term", "unphysically large", without[-1] / sun,
             within(without[-1] / sun, UNPHYSICAL, np.inf)),
            (f"with it, k = {model.floor:g}", "not so", with_term[-1] / sun,
             within(with_term[-1] / sun, 0.0, UNPHYSICAL)),
        ):  # fmt: skip
            rows.append(statement(
                "p. 3", f"H^2/(6D) at 18 kpc over that at the Sun {text}, tau = {tau:g}", paper,
                value, verdict,
                note=f"above {UNPHYSICAL:g} is taken as unphysical; at {RIGIDITY_GV:g} GV for D0 ="
                     f" {d0:.3g} cm2/s, at the Sun {sun:.0f} Myr; with and without: {times}"))
    return rows
