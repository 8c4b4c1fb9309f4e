"""Published dipole amplitudes and limits that a predicted dipole has to meet near 1 PeV.

Amplitudes are those of the first harmonic in right ascension, the projection of the dipole on
the equatorial plane: a three-dimensional |delta| is at least as large.
"""

from typing import NamedTuple

import numpy as np


class DipoleLimit(NamedTuple):
    """One measurement: energy in PeV, amplitude and its error dimensionless.

    error is the statistical standard deviation, NaN for an upper limit.
    """

    experiment: str
    energy: float
    amplitude: float
    error: float
    upper_limit: bool
    reference: str
    note: str


DIPOLE_LIMITS = (
    DipoleLimit(
        "EAS-TOP", 0.11, 2.6e-4, 0.8e-4, False,
        "Aglietta et al. 2009, ApJ 692, L130 (arXiv:0901.2740)",
        "first harmonic, primary energy 110 TeV",
    ),
    DipoleLimit(
        "EAS-TOP", 0.37, 6.4e-4, 2.5e-4, False,
        "Aglietta et al. 2009, ApJ 692, L130 (arXiv:0901.2740)",
        "first harmonic, primary energy 370 TeV",
    ),
    DipoleLimit(
        "KASCADE", 1.0, 1.5e-3, np.nan, True,
        "Antoni et al. 2004, ApJ 604, 687 (arXiv:astro-ph/0312375)",
        "95 % limit; interpolated in log E and log A between 1e-3 at 0.7 PeV and 1e-2 at 6 PeV",
    ),
)  # fmt: skip


def near(rigidity, decades=0.5):
    """The measurement of each experiment that lies closest to a rigidity.

    Parameters
    ----------
    rigidity : float
        PV; compared with the energy in PeV, that is, for protons.
    decades : float
        Largest distance in log10.

    Returns
    -------
    tuple of DipoleLimit
        At most one per experiment.
    """
    closest = {}
    for limit in sorted(DIPOLE_LIMITS, key=lambda m: -abs(np.log10(m.energy / rigidity))):
        if abs(np.log10(limit.energy / rigidity)) <= decades:
            closest[limit.experiment] = limit
    return tuple(closest.values())
