"""Li et al. 2021, sections 1 and 2: what follows from the printed parameters by arithmetic."""

import numpy as np

from hpc_cr.constants import GYRORADIUS_PC_UG_PER_PV
from hpc_cr.frames import unit_vector
from hpc_cr.galaxy.local_field import equatorial
from hpc_cr.papers.geminga_lrmf.files import RATIO, RATIO_SLOPE
from hpc_cr.papers.geminga_lrmf.measured import (
    Number,
    factor,
    near,
    of_case,
    statement,
    within,
)

GRANTED_H = 0.7
HIGHEST_GV = 1e6
"""End of the "GeV to PeV" in which D_perp is to stay below D_par."""
RADIUS_KPC = 1e3


def gyroradius():
    """Section 1: Larmor radius at 1 PeV in 3 uG."""
    value = Number(GYRORADIUS_PC_UG_PER_PV / 3.0)
    return [statement("sect. 1", "Larmor radius of a proton of 1 PeV in 3 uG", "0.4", value, "pc",
                      near(value, 0.4, 0.05), "printed to one digit")]  # fmt: skip


def directions(case):
    """Right ascensions that the text names."""
    job = case.job
    rows = (("sect. 1", "the local field", job.local_field, 3.0),
            ("sect. 2.2", "Geminga's remnant", job.local_source, 5.0))
    found = []
    for where, text, section, expected in rows:
        value = Number(float(equatorial(unit_vector(*section.direction))[1]))
        text += ", (l, b) = ({:g}, {:g}) deg".format(*section.direction)
        found.append(statement(where, f"right ascension of {text}", f"{expected:g}", value, "h",
                               near(value, expected, GRANTED_H),
                               f"printed to one digit; {GRANTED_H:g} h is granted"))  # fmt: skip
    return found


def coefficient(case):
    """Section 2.1: the diffusion coefficient at the Sun."""
    from hpc_cr.campaigns.galaxy_setting import diffusion_model

    model = diffusion_model(case.job)
    share = Number(float(model.at(case.job.halo.sun, 0.0, model.rigidity_GV))
                   / model.coefficient_pc)  # fmt: skip
    slope = Number(float(model.slope_at(case.job.halo.sun, 0.0)))
    return [
        statement("eq. 2.2", "F at the Sun, N_m/2 at z = 0", "0.31", share, "",
                  near(share, 0.31, 0.005), "not printed; from N_m = 0.62 and f = 1"),
        statement("eq. 2.1", "d ln D/d ln R at the Sun, delta_0 F", "0.18", slope, "",
                  near(slope, 0.18, 0.005), "not printed; 0.58 F"),
    ]  # fmt: skip


def mean_free_paths(case):
    """Section 2.3: about 20 pc at TeV, larger than the Larmor radius."""
    from hpc_cr.campaigns.galaxy_setting import diffusion_model

    model, found = diffusion_model(case.job), []
    for tev in (1.0, 10.0):
        at = 1e3 * tev
        path = Number(3 * float(model.at(case.job.halo.sun, 0.0, at)))
        radii = Number(path.value / (GYRORADIUS_PC_UG_PER_PV * tev / 1e3 / 3.0))
        found += [
            statement("sect. 2.3", f"mean free path 3 D/c at {tev:g} TV and the Sun", "20", path,
                      "pc", factor(path, 20.0),
                      "with D above the disc, F = 1, it is"
                      f" {path_outside(model, at):.0f} pc; a factor 2 is granted"),
            statement("sect. 2.3", f"mean free path over the Larmor radius in 3 uG, {tev:g} TV",
                      "> 1", radii, "", within(radii, 1.0, np.inf)),
        ]  # fmt: skip
    return found


def path_outside(model, rigidity_GV):
    """3 D/c high above the plane, pc."""
    return 3 * float(model.at(0.0, model.half_height_pc, rigidity_GV))


def ratio_below_one(case):
    """Section 2.3: D_perp stays below D_par from GeV to PeV."""
    reference = 1e6 * case.job.diffusion.rigidity
    found = []
    for eps, rise in ((RATIO, RATIO_SLOPE), (0.1, RATIO_SLOPE), (RATIO, 0.8)):
        value = Number(reference * eps ** (-1 / rise) / 1e6)
        found.append(statement(
            "sect. 2.3", f"rigidity at which D_perp reaches D_par, eps = {eps:g}, Delta delta ="
            f" {rise:g}", "> 1", value, "PV", within(value, HIGHEST_GV / 1e6, np.inf),
            f"with R0 = {reference:g} GV, which is not printed; beyond it diffusion is taken as"
            " isotropic"))  # fmt: skip
    return found


def gradient(case, cut=None):
    """Section 2.1: the background's gradient, with sources up to the rim or cut at 15 kpc."""
    found = []
    for tev in (1.0, 100.0):
        number = of_case(case, _steepness(1e3 * tev))
        text = f"background of protons, d ln N/dr at the Sun and {tev:g} TV"
        found.append(statement("sect. 2.1", text, "-", number, "1/kpc", "open",
                               "no number is printed"))  # fmt: skip
        if cut is not None:
            other = of_case(cut, _steepness(1e3 * tev))
            largest = cut.job.sources.largest_radius / RADIUS_KPC
            found.append(statement(
                "sect. 2.1", f"{text}, no sources beyond {largest:g} kpc", "-", other, "1/kpc",
                "open",
                f"{100 * (other.value / number.value - 1):+.1f} % against sources up to the rim:"
                " whether they are cut there, as usual with DRAGON, is not printed"))  # fmt: skip
    return found


def _steepness(rigidity_GV):
    """d ln N/dr of protons in 1/kpc: x points to the Galactic centre."""
    return lambda case: (-RADIUS_KPC
                         * case.gradient([rigidity_GV], ["H1"], "background")[0, 0])  # fmt: skip
