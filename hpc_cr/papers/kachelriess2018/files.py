"""Which result file is which, and whether its fields are the paper's.

The statements come from up to four files: "own", of the paper's job kachelriess2018, "levels" of
diffusion_levels, "source" of single_source and "escape" of the job escape. They are told apart by
their kinds and the names of their cases.
"""

import numpy as np

from hpc_cr.io.errors import ResultError
from hpc_cr.jf12 import PARTS as JF12_PARTS
from hpc_cr.papers import check_setup

ISOTROPIC = {
    "isotropic-01uG": 0.1,
    "isotropic-1uG": 1.0,
    "isotropic-4uG": 4.0,
    "isotropic-10uG": 10.0,
    "isotropic-1uG-low": 1.0,
    "isotropic-4uG-low": 4.0,
    "isotropic-10uG-low": 10.0,
}
"""Cases of figure 1 -> B_rms in uG; the smallest gyroradii of a field may have a case of their own,
with longer times."""
KRAICHNAN = {"kraichnan-4uG": 4.0, "kraichnan-4uG-low": 4.0}
LEVELS = {
    "eta-010": 0.10,
    "eta-015": 0.15,
    "eta-025": 0.25,
    "eta-035": 0.35,
    "eta-050": 0.50,
    "eta-070": 0.70,
    "eta-100": 1.00,
    "eta-150": 1.50,
    "eta-200": 2.00,
    "eta-400": 4.00,
}
"""Cases of figure 3 -> the paper's eta = B_rms/B0, the total field being 1 uG."""
STRONG = "eta-025-4uG"
"""eta = 0.25 in a total field of 4 uG."""
OUTER_SCALE = 25.0
"""L_max of the paper, pc."""

UNIVERSAL = {"level-01": 0.1, "level-03": 0.3, "level-05": 0.5, "level-08": 0.8, "isotropic": 1.0}
"""Cases of the job diffusion_levels, by the beginning of their names -> B_rms^2 over that of the
total field, in which r_g is as many pc as the rigidity has PV; L_max/5 is 1 pc."""
UNIVERSAL_FIELD, UNIVERSAL_SCALE = 1.0810076, 5.0
"""uG, and L_max in pc."""
GALAXY = {
    "boundary.kind": "halo",
    "boundary.half_height": 5e3,
    "boundary.radius": 20e3,
    "regular.model": "jf12",
    "regular.components": JF12_PARTS,
    "turbulence.rms": 0.28,
    "turbulence.slope": 5 / 3,
    "turbulence.outer_scale": OUTER_SCALE,
    "turbulence.profile": "jf12-halo",
    "turbulence.radial_scale": 10_970.0,
    "turbulence.vertical_scale": 2840.0,
    "escape.sources": "green2015",
    "escape.half_height": 100.0,
    "gas.density": 1.0,
    "gas.half_height": 150.0,
    "gas.profile": "slab",
}
"""Set-up of the job escape: B_rms is a quarter of JF12 at the Sun."""

PARTS = {
    "own": "kachelriess2018",
    "levels": "diffusion_levels",
    "source": "single_source",
    "escape": "escape",
}
"""Part -> the job whose file it is."""


def part_of(results):
    """Which part a result file is, a key of PARTS.

    Raises
    ------
    ResultError
        It is of no job of the paper.
    """
    if results.kind in ("source", "escape"):
        return results.kind
    names = set(results.case_names)
    if names & {*ISOTROPIC, *KRAICHNAN, *LEVELS, STRONG}:
        return "own"
    if any(name.startswith("level-") for name in names):
        return "levels"
    jobs = " or ".join(list(PARTS.values())[:2])
    raise ResultError(f"{results.path}: none of its cases is of the jobs {jobs}")


def by_part(files):
    """Part -> its file, every set-up checked.

    Parameters
    ----------
    files : sequence of hpc_cr.io.results.Results
        In any order.

    Raises
    ------
    ResultError
        Two files of one part, the paper's own missing, or another set-up than the paper's.
    """
    found = {}
    for results in files:
        part = part_of(results)
        if part in found:
            raise ResultError(
                f"{results.path}: a second file of the job {PARTS[part]};"
                f" {found[part].path} is one already"
            )
        found[part] = results
    if "own" not in found:
        raise ResultError(
            f"{files[0].path}: the table needs the result of the job {PARTS['own']};"
            " files of other jobs add to it"
        )
    for part, results in found.items():
        for case in results.each_case():
            _check(part, case)
    return found


def _check(part, case):
    """Refuse a case with other fields than its name says."""
    expected = {"boundary.kind": "time"}
    if part in ("own", "source"):
        expected |= {"turbulence.outer_scale": OUTER_SCALE, "turbulence.slope": 5 / 3}
        name = case.case
        if name in ISOTROPIC:
            expected |= {"turbulence.rms": ISOTROPIC[name], "regular.strength": 0.0}
        elif name in KRAICHNAN:
            expected |= {"turbulence.slope": 1.5, "turbulence.rms": KRAICHNAN[name],
                         "regular.strength": 0.0}
        elif name in LEVELS or name == STRONG:
            expected |= fields(LEVELS.get(name, 0.25), 4.0 if name == STRONG else 1.0)
        else:
            return
    elif part == "levels":
        expected |= {"turbulence.slope": 5 / 3, "turbulence.outer_scale": UNIVERSAL_SCALE}
        for name, level in UNIVERSAL.items():
            if case.case.startswith(name):
                expected |= {
                    "turbulence.rms": UNIVERSAL_FIELD * np.sqrt(level),
                    "regular.strength": UNIVERSAL_FIELD * np.sqrt(1 - level),
                }
    else:
        expected = GALAXY
    check_setup(case, expected)


def fields(eta, total):
    """Fields of a level: B_rms and B0 in uG for B_rms/B0 = eta and a total field in uG."""
    regular = total / np.hypot(1.0, eta)
    return {"turbulence.rms": eta * regular, "regular.strength": regular}
