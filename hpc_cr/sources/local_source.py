"""A local source beside the average sea of cosmic rays: the dipole against energy.

The model of figure 4 of Kachelriess 2018 (arXiv:1811.02419). A supernova 2-3 Myr ago, 200-300 pc
away, injected protons dN/dR ~ R^-2.2 exp(-R/R_max), from 1 GV on. Their density at the Sun is the
anisotropic Gaussian of `hpc_cr.sources.gaussian` along the field line, times exp(-d_perp^2/(4
D_perp T)) for the distance d_perp of the Sun from the source's field line. With its share f(R) of
the measured proton flux (`hpc_cr.measurements.proton_flux`) the dipole of all is, along the field
line and positive towards the source,

    delta = f 3 R/(2 c T) + (1 - f) delta_sea.

The dipole of the sea is delta_sea = -delta_0 (R/PV)^(1/3), from the opposite side. Neither the
energy of the source nor delta_0 is predicted: `Source.energy_erg` is the energy in protons,
`normalised` gives it the value that makes a chosen share, `sea_from_data` takes delta_0 from
measured dipoles, and `sea_of_gradient` is the diffusive one. The share is taken to be the same for
all nuclei of one rigidity.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.constants import CM_PER_PC, PC_C_CM2_PER_S, PC_PER_C_S, SPEED_OF_LIGHT_M_PER_S
from hpc_cr.diffusion.fits import fit_power_law
from hpc_cr.measurements.diffusion import BAND_PV
from hpc_cr.measurements.proton_flux import proton_flux
from hpc_cr.sources import gaussian

MYR_PC = 1e6 * 365.25 * 86400 / PC_PER_C_S
GEV_PER_ERG = 624.1509
LOWEST_GV, HIGHEST_GV = 1.0, 1e9


class Coefficients(NamedTuple):
    """D_par and D_perp against rigidity, power laws.

    Attributes
    ----------
    label : str
        Where they come from.
    parallel, perpendicular : float
        D/c at 1 PV, pc.
    parallel_slope, perpendicular_slope : float
    fits : tuple of hpc_cr.diffusion.fits.Fit
        Along and across, if they are fits.
    """

    label: str
    parallel: float
    perpendicular: float
    parallel_slope: float
    perpendicular_slope: float
    fits: tuple = ()

    def at(self, rigidity):
        """D_par/c and D_perp/c in pc at rigidities in PV."""
        rigidity = np.asarray(rigidity, float)
        return (self.parallel * rigidity**self.parallel_slope,
                self.perpendicular * rigidity**self.perpendicular_slope)

    def errors_at(self, rigidity):
        """Standard errors of both, pc; NaN where they are no fits.

        Those of a fit include the scatter of its points about a power law, but not that the true
        curve may bend where there are no points.
        """
        if not self.fits:
            return np.nan, np.nan
        return tuple(fit.propagate(lambda p: p[0] * np.asarray(rigidity, float) ** p[1])[1]
                     for fit in self.fits)

    def suppression_rigidity(self, across, time, share=0.5):
        """Rigidity (PV) below which less than a share is left, and its error (NaN if no fits)."""
        value = gaussian.suppression_rigidity(across, time, self.perpendicular,
                                              self.perpendicular_slope, share)
        if not self.fits:
            return float(value), np.nan
        found = self.fits[1].propagate(
            lambda p: gaussian.suppression_rigidity(across, time, p[0], p[1], share))
        return float(value), float(found[1])


def of_boron_to_carbon(diffusion=5e28, slope=1 / 3):
    """D_par = 5 D_iso and D_perp = D_iso/500 with D_iso in cm^2/s at 10 GV (Kachelriess 2018)."""
    isotropic = diffusion / PC_C_CM2_PER_S * BAND_PV**-slope
    label = f"B/C, {diffusion:.2g} cm2/s at 10 GV"
    return Coefficients(label, isotropic * gaussian.PARALLEL_GAIN,
                        isotropic / gaussian.PERPENDICULAR_LOSS, slope, slope)


def of_measured(rigidity, parallel, parallel_error, perpendicular, perpendicular_error):
    """Power laws through measured coefficients, continued to lower rigidities.

    Parameters
    ----------
    rigidity : array (n,)
        PV, n >= 2.
    parallel, parallel_error, perpendicular, perpendicular_error : array (n,)
        D/c in pc with errors over realisations.

    Returns
    -------
    Coefficients

    Raises
    ------
    hpc_cr.diffusion.fits.FitError
        Fewer than two rigidities with positive coefficients.
    """
    along = fit_power_law(rigidity, parallel, parallel_error)
    across = fit_power_law(rigidity, perpendicular, perpendicular_error)
    return Coefficients("measured", along["amplitude"][0], across["amplitude"][0],
                        along["exponent"][0], across["exponent"][0], (along, across))


class Source(NamedTuple):
    """A source of protons."""

    age_myr: float = 2.5
    distance: float = 250.0  # pc, along the field line and across together
    across: float = 70.0  # d_perp, pc
    energy_erg: float = 1e50  # in protons above 1 GV
    slope: float = 2.2
    cutoff: float = 1.0  # R_max, PV

    @property
    def time(self):
        """Age, pc."""
        return self.age_myr * MYR_PC

    @property
    def amplitude(self):
        """3 R/(2 c T) of the source alone."""
        return float(gaussian.amplitude(self.distance, self.time))

    def spectrum(self, rigidity):
        """Protons injected per GV at rigidities in PV; their energy sums to energy_erg."""
        grid = np.geomspace(LOWEST_GV, HIGHEST_GV, 4001)
        per_gv = grid ** (1 - self.slope) * np.exp(-grid * 1e-6 / self.cutoff)
        energy = np.sum((per_gv[1:] + per_gv[:-1]) / 2 * np.diff(grid))
        rigidity = np.asarray(rigidity, float)
        shape = (rigidity * 1e6) ** -self.slope * np.exp(-rigidity / self.cutoff)
        return self.energy_erg * GEV_PER_ERG / energy * shape

    def flux(self, rigidity, coefficients):
        """Protons from the source at the Sun, GeV^-1 m^-2 s^-1 sr^-1."""
        parallel, perpendicular = coefficients.at(rigidity)
        along = self.distance**2 - self.across**2
        exponent = (along / parallel + self.across**2 / perpendicular) / (4 * self.time)
        volume = (4 * np.pi * self.time) ** 1.5 * np.sqrt(parallel) * perpendicular
        per_m3 = self.spectrum(rigidity) * np.exp(-exponent) / (volume * (CM_PER_PC / 100) ** 3)
        return per_m3 * SPEED_OF_LIGHT_M_PER_S / (4 * np.pi)

    def share(self, rigidity, coefficients):
        """f: the source's share of the measured flux of protons; above 1 it is excluded."""
        return self.flux(rigidity, coefficients) / proton_flux(rigidity)


def normalised(source, coefficients, share, rigidity=0.01):
    """The source with the energy that makes its share f at a rigidity (PV)."""
    factor = share / source.share(rigidity, coefficients)
    return source._replace(energy_erg=float(source.energy_erg * factor))


def dipole(rigidity, source, coefficients, sea):
    """delta along the field line, positive towards the source.

    Parameters
    ----------
    rigidity : ndarray (n,)
        PV.
    source : Source
    coefficients : Coefficients
    sea : float
        delta_0 of the sea at 1 PV, from the opposite side.

    Returns
    -------
    total, local, average : ndarray (n,)
        Sum, f 3 R/(2 c T), and (1 - f) delta_sea (negative). NaN where f is above 1.
    """
    rigidity = np.asarray(rigidity, float)
    share = source.share(rigidity, coefficients)
    share = np.where(share <= 1, share, np.nan)
    local = share * source.amplitude
    average = -(1 - share) * sea * np.cbrt(rigidity)
    return local + average, local, average


def flips(rigidity, total):
    """Rigidities where the dipole changes sides, ascending, PV."""
    rigidity, total = np.asarray(rigidity, float), np.asarray(total, float)
    known = np.isfinite(total)
    x, y = np.log(rigidity[known]), total[known]
    change = np.nonzero(np.sign(y[1:]) * np.sign(y[:-1]) < 0)[0]
    part = y[change] / (y[change] - y[change + 1])
    return np.exp(x[change] + part * (x[change + 1] - x[change]))


def sea_from_data(energy, amplitude, error, low=0.3, high=5.0):
    """delta_0 (R/PV)^(1/3) through measured amplitudes between two energies (PeV).

    Parameters
    ----------
    energy, amplitude, error : array (n,)
        PeV, first harmonics in right ascension and their errors.

    Returns
    -------
    value, error : float
        Weighted mean of amplitude (E/PeV)^(-1/3); the error times sqrt(chi^2/(n - 1)) if that is
        above 1. NaN without points.
    """
    energy, amplitude, error = (np.asarray(v, float) for v in (energy, amplitude, error))
    use = (energy >= low) & (energy <= high) & (error > 0) & np.isfinite(amplitude)
    if not use.any():
        return np.nan, np.nan
    single = amplitude[use] / np.cbrt(energy[use])
    weight = (np.cbrt(energy[use]) / error[use]) ** 2
    mean = np.sum(weight * single) / weight.sum()
    chi = np.sum(weight * (single - mean) ** 2) / max(use.sum() - 1, 1)
    return float(mean), float(np.sqrt(max(1.0, chi) / weight.sum()))


def sea_of_gradient(diffusion, gradient):
    """3 D g/c: the diffusive dipole of a gradient g (1/pc) with D/c in pc."""
    return 3 * diffusion * gradient


class Suppression(NamedTuple):
    """What lowers the dipole of a young source; each factor is a share that is left."""

    bare: float  # 3 R/(2 c T)
    needed: float  # measured over bare
    field_line: float  # |cos| of the angle between the source and the field line
    equator: float  # |cos| of the field line's declination
    flux: float  # the share f that has to do the rest


def suppression(age_yr, distance, source_lb, field_lb, measured):
    """How the dipole of a source comes down to a measured amplitude.

    Parameters
    ----------
    age_yr, distance : float
        Years, pc.
    source_lb, field_lb : (float, float)
        Galactic directions in degrees, of the source and of the field at the Sun.
    measured : float
        Amplitude of the first harmonic in right ascension.

    Returns
    -------
    Suppression
        measured = bare field_line equator flux.
    """
    from hpc_cr.coordinates import rotation_to
    from hpc_cr.frames import lon_lat, unit_vector

    bare = float(gaussian.amplitude(distance, age_yr * MYR_PC / 1e6))
    field = unit_vector(*field_lb)
    projected = abs(float(unit_vector(*source_lb) @ field))
    declination = lon_lat(rotation_to("equatorial") @ field)[1]
    equator = abs(float(np.cos(np.radians(declination))))
    return Suppression(bare, measured / bare, projected, equator,
                       measured / (bare * projected * equator))


def across_for_share(source, coefficients, rigidity, share):
    """d_perp (pc) at which a source has a share f; NaN if it has less with d_perp = 0."""
    parallel, perpendicular = coefficients.at(rigidity)
    near = source._replace(across=0.0).share(rigidity, coefficients)
    gap = 1 / perpendicular - 1 / parallel
    square = 4 * source.time * np.log(near / share) / gap
    return float(np.sqrt(square)) if square >= 0 else np.nan
