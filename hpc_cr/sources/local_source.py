"""A local source beside the average sea of cosmic rays: the dipole against energy.

The model of figure 4 of Kachelriess 2018 (arXiv:1811.02419). A supernova 2-3 Myr ago, 200-300 pc
away, injected protons dN/dR ~ R^-2.2 exp(-R/R_max), from 1 GV on. Their density at the Sun is the
anisotropic Gaussian of `hpc_cr.sources.gaussian` along the field line, times exp(-d_perp^2/(4
D_perp T)) for the distance d_perp of the Sun from the source's field line. With its share f(R) of
the measured proton flux (`hpc_cr.measurements.proton_flux`) the dipole of all is, along the field
line and positive towards the source,

    delta = f 3 R/(2 c T) + (1 - f) delta_sea.

Here R is the distance s along the field line; the part d_perp of the full distance makes a dipole
across the field, 3 d_perp/(2 c T), that is left out with the Hall part (`hpc_cr.sources.dipole`).
The dipole of the sea is delta_sea = -delta_0 (R/PV)^(1/3), from the opposite side. Neither the
energy of the source nor delta_0 is predicted: `Source.energy_erg` is the energy in protons,
`normalised` gives it the value that makes a chosen share, and `fit_sea` takes delta_0 from measured
dipoles, beside what the source has left of them. The share is taken to be the same for all nuclei
of one rigidity.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.constants import CM_PER_PC, PC_C_CM2_PER_S, PC_PER_C_S, SPEED_OF_LIGHT_M_PER_S
from hpc_cr.diffusion.fits import fit_power_law
from hpc_cr.measurements import proton_flux as protons
from hpc_cr.measurements.diffusion import BAND_PV
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

    def drawn(self, rng):
        """Coefficients drawn from the errors of the fits; the same ones if they are no fits."""
        if not self.fits:
            return self
        found = []
        for fit in self.fits:
            scale = np.array([fit.values[0], 1.0])  # in the logarithm: amplitudes stay positive
            step = rng.multivariate_normal(np.zeros(2), fit.covariance / np.outer(scale, scale))
            found.append((fit.values[0] * np.exp(step[0]), fit.values[1] + step[1]))
        (along, rise), (across, growth) = found
        return self._replace(parallel=along, perpendicular=across, parallel_slope=rise,
                             perpendicular_slope=growth)

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


def of_measured(rigidity, parallel, parallel_error, perpendicular, perpendicular_error,
                covariances=(None, None)):
    """Power laws through measured coefficients, continued to lower rigidities.

    Parameters
    ----------
    rigidity : array (n,)
        PV, n >= 2.
    parallel, parallel_error, perpendicular, perpendicular_error : array (n,)
        D/c in pc with errors over realisations; NaN leaves out a point.
    covariances : pair of ndarray (n, n), optional
        Of ln D_par and ln D_perp, for points that share realisations.

    Returns
    -------
    Coefficients

    Raises
    ------
    hpc_cr.diffusion.fits.FitError
        Fewer than two rigidities with positive coefficients.
    """
    along = fit_power_law(rigidity, parallel, parallel_error, covariance=covariances[0])
    across = fit_power_law(rigidity, perpendicular, perpendicular_error, covariance=covariances[1])
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
    def along(self):
        """Distance s along the field line, pc; 0 if all of the distance is across."""
        return float(np.sqrt(max(self.distance**2 - self.across**2, 0.0)))

    @property
    def amplitude(self):
        """3 s/(2 c T) of the source alone, along the field."""
        return float(gaussian.amplitude(self.along, self.time))

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
        exponent = (self.along**2 / parallel + self.across**2 / perpendicular) / (4 * self.time)
        volume = (4 * np.pi * self.time) ** 1.5 * np.sqrt(parallel) * perpendicular
        per_m3 = self.spectrum(rigidity) * np.exp(-exponent) / (volume * (CM_PER_PC / 100) ** 3)
        return per_m3 * SPEED_OF_LIGHT_M_PER_S / (4 * np.pi)

    def share(self, rigidity, coefficients, offsets=None):
        """f: the source's share of the measured flux of protons; above 1 it is excluded.

        `offsets` are those of `hpc_cr.measurements.proton_flux.proton_flux`.
        """
        return self.flux(rigidity, coefficients) / protons.proton_flux(rigidity, offsets)

    def share_error(self, rigidity, coefficients, draws=200):
        """Error of f from those of the measured flux and of coefficients that are fits."""
        rng = np.random.default_rng(1)
        found = [self.share(rigidity, coefficients.drawn(rng), protons.deviations(rng))
                 for _ in range(draws)]
        low, high = np.percentile(found, [16, 84], axis=0)
        return (high - low) / 2


def normalised(source, coefficients, share, rigidity=0.01, offsets=None):
    """The source with the energy that makes its share f at a rigidity (PV)."""
    factor = share / source.share(rigidity, coefficients, offsets)
    return source._replace(energy_erg=float(source.energy_erg * factor))


def energy_error(source, coefficients, share, rigidity=0.01):
    """Energy (erg) of a source with a share f at a rigidity (PV), and its error."""
    found = source.share(rigidity, coefficients)
    energy = source.energy_erg * share / found
    return float(energy), float(energy * source.share_error(rigidity, coefficients) / found)


def dipole(rigidity, source, coefficients, sea, offsets=None):
    """delta along the field line, positive towards the source.

    Parameters
    ----------
    rigidity : ndarray (n,)
        PV.
    source : Source
    coefficients : Coefficients
    sea : float
        delta_0 of the sea at 1 PV, from the opposite side.
    offsets : ndarray, optional
        Of the measured flux (`hpc_cr.measurements.proton_flux.deviations`).

    Returns
    -------
    total, local, average : ndarray (n,)
        Sum, f 3 s/(2 c T), and (1 - f) delta_sea (negative). NaN where f is above 1.
    """
    rigidity = np.asarray(rigidity, float)
    share = source.share(rigidity, coefficients, offsets)
    share = np.where(share <= 1, share, np.nan)
    local = share * source.amplitude
    average = -(1 - share) * sea * np.cbrt(rigidity)
    return local + average, local, average


def excluded(rigidity, source, coefficients):
    """Where f is above 1: (lowest, highest) of the given rigidities, or None if nowhere."""
    above = np.asarray(rigidity)[source.share(rigidity, coefficients) > 1]
    return (float(above.min()), float(above.max())) if above.size else None


def flips(rigidity, total):
    """Rigidities where the dipole changes sides, ascending, PV."""
    rigidity, total = np.asarray(rigidity, float), np.asarray(total, float)
    known = np.isfinite(total)
    x, y = np.log(rigidity[known]), total[known]
    change = np.nonzero(np.sign(y[1:]) * np.sign(y[:-1]) < 0)[0]
    part = y[change] / (y[change] - y[change + 1])
    return np.exp(x[change] + part * (x[change + 1] - x[change]))


class Measured(NamedTuple):
    """Measured first harmonics in right ascension.

    Attributes
    ----------
    energy, amplitude, error : ndarray (n,)
        PeV; amplitudes with standard errors.
    projection : float
        What they show of a dipole along the field line: |cos| of its declination.
    """

    energy: np.ndarray
    amplitude: np.ndarray
    error: np.ndarray
    projection: float = 1.0

    def within(self, low, high):
        """The points between two energies (PeV) that have errors."""
        energy, amplitude, error = (np.asarray(v, float) for v in self[:3])
        use = (energy >= low) & (energy <= high) & (error > 0) & np.isfinite(amplitude)
        return Measured(energy[use], amplitude[use], error[use], self.projection)


class Sea(NamedTuple):
    """delta_0 of the sea at 1 PV, its error, and how well n points agree with it."""

    value: float
    error: float
    chi2: float
    n_point: int


def fit_sea(measured, source=None, coefficients=None, offsets=None, low=0.3, high=5.0):
    """delta_0 that fits |f A - (1 - f) delta_0 (E/PeV)^(1/3)| to measured amplitudes.

    Parameters
    ----------
    measured : Measured
    source, coefficients : Source and Coefficients, optional
        Of f and A = 3 s/(2 c T); without them f = 0 at all energies.
    offsets : ndarray, optional
        As for `dipole`.
    low, high : float
        Energies of the points to use, PeV.

    Returns
    -------
    Sea
        Least squares over delta_0 >= 0; the error times sqrt(chi2/(n - 1)) if that is above 1. NaN
        without points, those where f is above 1 left out.
    """
    energy, amplitude, error, projection = measured.within(low, high)
    share, alone = np.zeros(len(energy)), 0.0
    if source is not None:
        share, alone = source.share(energy, coefficients, offsets), source.amplitude
    use = share <= 1
    energy, amplitude, error, share = (v[use] for v in (energy, amplitude, error, share))
    if not energy.size:
        return Sea(np.nan, np.nan, np.nan, 0)
    first, rise = projection * share * alone, projection * (1 - share) * np.cbrt(energy)
    best = Sea(np.nan, np.nan, np.inf, energy.size)
    # the modulus is linear between the places where one of the points changes sides
    with np.errstate(divide="ignore"):
        turns = np.unique(np.concatenate([[0.0], first / rise, [np.inf]]))
    for left, right in zip(turns, turns[1:], strict=False):
        middle = left + 1.0 if np.isinf(right) else (left + right) / 2
        side = np.where(rise * middle > first, 1.0, -1.0)
        weight = (rise / error) ** 2
        value = np.sum(rise * (side * amplitude + first) / error**2) / weight.sum()
        value = float(np.clip(value, left, right))
        chi2 = float(np.sum(((np.abs(first - rise * value) - amplitude) / error) ** 2))
        if chi2 < best.chi2:
            scale = max(1.0, chi2 / max(energy.size - 1, 1))
            best = Sea(value, float(np.sqrt(scale / weight.sum())), chi2, energy.size)
    return best


def last_flip(source, coefficients, measured, share, at, energies, draws=200):
    """Highest energy at which the dipole changes sides, with the sea fitted beside the source.

    Parameters
    ----------
    source : Source
        Of any energy: it gets the share f at the rigidity `at` (PV).
    coefficients : Coefficients
    measured : Measured
    share, at : float
    energies : ndarray (n,)
        Where to look, PV.
    draws : int
        Of the measured flux, the coefficients (if they are fits) and delta_0 for the error.

    Returns
    -------
    value, error : float
        PV; NaN without a flip, the error also if a tenth of the draws has none. Half of the range
        of the central 68 % of the draws.
    """
    rng = np.random.default_rng(1)

    def one(changed, offsets, step):
        scaled = normalised(source, changed, share, at, offsets)
        sea = fit_sea(measured, scaled, changed, offsets)
        total = dipole(energies, scaled, changed, sea.value + step * sea.error, offsets)[0]
        return flips(energies, total)

    found = one(coefficients, None, 0.0)
    if not len(found):
        return np.nan, np.nan
    every = [one(coefficients.drawn(rng), protons.deviations(rng), rng.normal())
             for _ in range(draws)]
    last = [flip[-1] for flip in every if len(flip)]
    if len(last) < 0.9 * draws:
        return float(found[-1]), np.nan
    low, high = np.percentile(last, [16, 84])
    return float(found[-1]), float(high - low) / 2


class Young(NamedTuple):
    """What a young source near by needs in order to make a measured amplitude and no more.

    Three cases that exclude each other. On a straight field line with the direction of the local
    field the angle to the source sets d_perp; on a line that bends so as to pass near the source
    the distance along it is about R; in isotropic diffusion the field does not matter.

    Attributes
    ----------
    bare : float
        3 R/(2 c T).
    needed : float
        Measured over bare.
    angle_deg : float
        Between the source and the field line.
    across : float
        d_perp on a straight line, pc.
    straight, bent, isotropic : float
        f that makes the measured amplitude: bare times |cos| of the angle and of the declination of
        the line; bare times the latter; bare times |cos| of the source's own declination.
    """

    bare: float
    needed: float
    angle_deg: float
    across: float
    straight: float
    bent: float
    isotropic: float


def young_source(age_yr, distance, source_lb, field_lb, measured):
    """How the dipole of a young source comes down to a measured amplitude.

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
    Young
    """
    from hpc_cr.coordinates import rotation_to
    from hpc_cr.frames import lon_lat, unit_vector

    def equator(direction):
        declination = lon_lat(rotation_to("equatorial") @ direction)[1]
        return abs(float(np.cos(np.radians(declination))))

    bare = float(gaussian.amplitude(distance, age_yr * MYR_PC / 1e6))
    source, field = unit_vector(*source_lb), unit_vector(*field_lb)
    along = abs(float(source @ field))
    across = distance * float(np.sqrt(max(1 - along**2, 0.0)))
    line = measured / (bare * equator(field))
    return Young(bare, measured / bare, float(np.degrees(np.arccos(along))), across,
                 line / along, line, measured / (bare * equator(source)))


def across_for_share(source, coefficients, rigidity, share):
    """d_perp (pc) at which a source has a share f; NaN if there is none up to its distance."""
    parallel, perpendicular = coefficients.at(rigidity)
    near = source._replace(across=0.0).share(rigidity, coefficients)
    gap = 1 / perpendicular - 1 / parallel
    square = 4 * source.time * np.log(near / share) / gap
    return float(np.sqrt(square)) if 0 <= square <= source.distance**2 else np.nan
