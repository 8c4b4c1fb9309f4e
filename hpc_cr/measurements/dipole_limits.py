"""The two measurements that Mertsch & Funk 2015 hold against their dipoles near 1 PeV.

Both are first harmonics in right ascension, at most the projection of the dipole on the equatorial
plane: a three-dimensional |delta| is at least as large. Values come from the package's own table
(see `hpc_cr.measurements.dipole`), never from a renewed one: a comparison with a paper stays the
same.
"""

import numpy as np

from hpc_cr.measurements import dipole

KASCADE = "2004ApJ...604..687A"
EAS_TOP = "2009ApJ...692L.130A"


def rows(bibcode):
    """Points of a paper by energy, tuple of DipolePoint."""
    points = (p for p in dipole.read().points if p.bibcode == bibcode)
    return tuple(sorted(points, key=lambda p: p.energy))


def kascade_limit(energy):
    """Upper limit of KASCADE on the amplitude.

    Parameters
    ----------
    energy : float or array (...)
        PeV.

    Returns
    -------
    float or ndarray (...)
        Dimensionless; straight in log E and log A between 1e-3 at 0.7 PeV and 1e-2 at 6 PeV, the
        ends of the curve that the abstract gives; NaN outside of them. The abstract has no
        confidence level; the 95 % of the table are from memory.
    """
    ends = rows(KASCADE)
    x, y = np.log([p.energy for p in ends]), np.log([p.amplitude for p in ends])
    return np.exp(np.interp(np.log(energy), x, y, np.nan, np.nan))[()]


def eas_top_amplitude():
    """EAS-TOP's dipole at its highest energy.

    Returns
    -------
    energy, amplitude, error : float
        PeV; dimensionless, with its statistical error.
    """
    point = rows(EAS_TOP)[-1]
    return point.energy, point.amplitude, point.stat_high
