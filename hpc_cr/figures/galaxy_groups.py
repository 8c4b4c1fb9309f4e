"""Cases of galaxy jobs by their spectra, mass groups, and the energies at which they are known."""

import numpy as np

from hpc_cr.figures.panels import FigureError
from hpc_cr.galaxy.spectra import total_energy

MASS_GROUPS = (("H", 1, 1), ("He", 2, 2), ("C, N, O", 3, 9), ("Ne to Si", 10, 19), ("Fe", 20, 99))
"""Label, lowest and highest charge."""


def with_other_spectra(cases):
    """The first of all cases that have the same spectra at the Sun.

    They may differ in the local field, unless the local source spreads along it.
    """
    first = {}
    for case in cases:
        spreads = case.job.local_source.kernel == "anisotropic"
        same = {key: value for key, value in case.job.settings().items()
                if spreads or not key.startswith("local_field.")}  # fmt: skip
        first.setdefault((case.path, repr(same)), case)
    return list(first.values())


def at_most(cases, most, name):
    """The cases, or a FigureError if they are more than fit on a page."""
    if len(cases) > most:
        raise FigureError(f"{len(cases)} cases are more than {name} has room for ({most}); choose"
                          " with --case")  # fmt: skip
    return cases


def mode(case):
    """Where the normalisations are from and how the local source spreads, in words.

    "as printed": amounts as the job gives them, and an isotropic kernel beside whatever tensor the
    dipole follows; "refitted": fitted to measurements; "consistent kernel": the source spreads
    with the tensor.
    """
    words = ["refitted"] if case.job.injection.normalisation == "fitted" else []
    if case.job.local_source.distance is not None:
        if case.job.local_source.kernel == "anisotropic":
            words.append("consistent kernel")
        elif not words:
            words.append("as printed")
    return ", ".join(words) or "as given"


def title(case):
    """Mode of the case, after its name if that says anything else."""
    named = mode(case)
    said = set(case.case.replace("-", " ").split()) <= set(named.replace(",", "").split())
    return named if said else f"{case.case}: {named}"


def groups(case):
    """Names of species per mass group that the case has: list of (label, tuple of str)."""
    found = []
    for label, low, high in MASS_GROUPS:
        names = tuple(s.name for s in case.nuclei if low <= s.z <= high)
        if names:
            found.append((label, names))
    return found


def energies(case, species=None, count=300):
    """Total energies (GeV) at which all of these species are known, (count,).

    Raises
    ------
    FigureError
        No energy is common to all of them.
    """
    wanted = case.species if species is None else species
    ends = []
    for name in wanted:
        row = case.number(name)
        nucleus = case.nuclei[row]
        ends.append(total_energy(case.rigidities_GV[row][[0, -1]], nucleus.z, nucleus.a))
    low, high = np.max(ends, axis=0)[0], np.min(ends, axis=0)[1]
    if not low < high:
        raise FigureError(f"{case.path}: no energy is common to {', '.join(wanted)}")
    return np.geomspace(low * (1 + 1e-9), high * (1 - 1e-9), count)
