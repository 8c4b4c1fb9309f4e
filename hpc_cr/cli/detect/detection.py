"""The skies of a result file as a detector sees them: averaged, moved, projected."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hpc_cr.anisotropy import ensembles
from hpc_cr.anisotropy.multipoles import power
from hpc_cr.coordinates import rotation_to
from hpc_cr.detector import harmonics
from hpc_cr.detector.compton_getting import add_dipole, compton_getting_dipole
from hpc_cr.detector.energy_bins import (
    OUTSIDE,
    BinError,
    average,
    average_error,
    rigidity_weights,
    washed_out,
)
from hpc_cr.detector.exposure import mean_cosine
from hpc_cr.figures.panels import FigureError, of_case, select


@dataclass(frozen=True)
class Instrument:
    """What a detector adds to a sky.

    Attributes
    ----------
    band : hpc_cr.detector.exposure.Band or None
        Declinations seen; None: amplitudes are those of the equatorial dipole, as if a band's
        were divided by <cos dec>.
    motion : ndarray (3,) or None
        Velocity that makes the Compton-Getting dipole, km/s, Galactic Cartesian.
    index : float
        gamma of the differential spectrum.
    """

    band: object = None
    motion: np.ndarray | None = None
    index: float = 2.7

    @cached_property
    def own_dipole(self):
        """Compton-Getting dipole (3,), Galactic; zero without a motion."""
        if self.motion is None:
            return np.zeros(3)
        return compton_getting_dipole(self.motion, self.index)

    @cached_property
    def cosine(self):
        """<cos dec> in amplitudes, 1 for the equatorial dipole."""
        return 1.0 if self.band is None else mean_cosine(self.band)


class Seen:
    """The skies of one case at one rigidity or in one energy bin.

    Parameters
    ----------
    panels : list of hpc_cr.figures.panels.Panel
        One per rigidity of the file, in its order, or a single one.
    instrument : Instrument
    energies : hpc_cr.detector.energy_bins.EnergyBin or None
        None: a single rigidity as it is.
    outside : float
        Share of the bin that may lie outside the rigidities.

    Attributes
    ----------
    weights : RigidityWeights or None
    rows, realisation : ndarray (n,)
        Rows finished at every rigidity that counts.
    dipoles, dipole_errors : ndarray (n, 3)
        Galactic, with the Compton-Getting dipole.
    harmonic, covariance : ndarray (n, 2), (n, 2, 2)
        First harmonic in right ascension of those dipoles.

    Raises
    ------
    FigureError
        The bin is not covered by the file, or no row is finished at all of its rigidities.
    """

    def __init__(self, panels, instrument, energies=None, outside=OUTSIDE):
        self.results, self.instrument, self.energies = panels[0].results, instrument, energies
        self.weights, self._shares = None, np.ones(1)
        if energies is not None:
            try:
                self.weights = rigidity_weights([p.rigidity for p in panels], energies, outside)
            except BinError as error:
                raise FigureError(f"{self.results.path}{of_case(self.results)}: {error}") from None
            used = np.flatnonzero(self.weights.weights)
            panels, self._shares = [panels[k] for k in used], self.weights.weights[used]
        self.panels = panels
        self.rows = np.array(sorted(set.intersection(*(set(p.rows) for p in panels))), int)
        if not len(self.rows):
            raise FigureError(
                f"{self.results.path}: no realisation{of_case(self.results)} is finished at every"
                " rigidity of the bin yet"
            )
        self.realisation = self.results.realisation[self.rows]
        self.dipoles = self._average([p.dipoles for p in panels]) + instrument.own_dipole
        errors = [ensembles.sampling_errors(p.response_error, p.noise, p.gradient) for p in panels]
        self.dipole_errors = average_error(self._together(errors), self._shares)
        self.harmonic = harmonics.first_harmonic(self.dipoles, instrument.band)
        self.covariance = harmonics.harmonic_covariance(self.dipole_errors, instrument.band)

    @property
    def rigidity(self):
        """PV; None for a bin."""
        return self.panels[0].rigidity if self.energies is None else None

    @property
    def largest_step(self):
        """Largest ratio of neighbouring rigidities that count."""
        rigidities = np.sort([p.rigidity for p in self.panels])
        return float(np.max(rigidities[1:] / rigidities[:-1], initial=1.0))

    @property
    def stop_range(self):
        """Smallest and largest stop among the rigidities, pc."""
        lengths = [p.length for p in self.panels]
        return min(lengths), max(lengths)

    @cached_property
    def summary(self):
        """HarmonicSummary of the dipoles' first harmonics."""
        return harmonics.summarise(self.harmonic, self.covariance, self.realisation)

    @cached_property
    def amplitude(self):
        """Mean |delta| of the whole dipole, and its standard error."""
        size = np.linalg.norm(self.dipoles, axis=1)
        return ensembles.mean_and_error(size, self.realisation)

    @cached_property
    def share(self):
        """Mean equatorial projection over mean |delta|, and its standard error."""
        size = np.linalg.norm(self.dipoles, axis=1)
        across = np.linalg.norm(harmonics.equatorial(self.dipoles)[:, :2], axis=1)
        return ensembles.function_of_mean(
            lambda mean: mean[..., 0] / mean[..., 1],
            np.column_stack([across, size]),
            self.realisation,
        )

    @cached_property
    def declination_component(self):
        """Mean of the component along the Earth's axis, northward, and its standard error."""
        return ensembles.mean_and_error(self.northward[0], self.realisation)

    @property
    def northward(self):
        """Component (n,) of each sky's dipole along the Earth's axis, and its sampling error."""
        north = rotation_to("equatorial")[2]
        return self.dipoles @ north, np.sqrt(self.dipole_errors**2 @ north**2)

    @cached_property
    def expectation(self):
        """First harmonic (2,) of the ensemble's dipole, errors of its amplitude and phase (deg).

        Along the mean and across it: of an isotropic set-up the direction has no error.
        """
        dipoles = self._average(
            [ensembles.symmetrise(p.response, p.symmetry) @ p.gradient for p in self.panels]
        )
        harmonic = harmonics.first_harmonic(
            dipoles + self.instrument.own_dipole, self.instrument.band
        )
        return harmonics.mean_harmonic(harmonic, self.realisation)

    @cached_property
    def whole_harmonic(self):
        """First harmonic (n, 2) with the multipoles above the dipole."""
        alm = self._average([p.scale * p.gradient @ self._alm("alm", p) for p in self.panels])
        alm = add_dipole(alm, self.instrument.own_dipole)
        band = self.instrument.band or harmonics.WHOLE_SKY
        harmonic = harmonics.first_harmonic_of_alm(alm, band)
        return harmonic / mean_cosine(band) * self.instrument.cosine

    @cached_property
    def whole_noise(self):
        """Shot noise of `whole_harmonic`: r.m.s. amplitude of it alone."""
        noise = [np.einsum("ajk,j,k->a", p.noise, p.gradient, p.gradient) for p in self.panels]
        noise = average_error(np.sqrt(np.maximum(self._together(noise), 0)), self._shares)
        band = self.instrument.band or harmonics.WHOLE_SKY
        error = harmonics.alm_noise(noise**2, self.results.job.output.l_max, band)
        return float(np.sqrt(2 * np.mean(error**2)) / mean_cosine(band) * self.instrument.cosine)

    @cached_property
    def power(self):
        """C_l without shot noise: of the average, mean of the rigidities', and without m = 0.

        Returns
        -------
        averaged, single, left : ndarray (n, l_max + 1)
        averaged_variance, single_variance : ndarray (n, l_max + 1)
            Of the sampling within a realisation.
        """
        halves = self._together(
            [p.scale * p.gradient @ self._alm("alm_half", p) for p in self.panels]
        )
        halves = add_dipole(halves, self.instrument.own_dipole)
        averaged, single, *variances = washed_out(halves, self._shares)
        left = harmonics.without_m0(average(halves, self._shares))
        return averaged, single, power(left[:, 0], left[:, 1]), *variances

    def _alm(self, name, panel):
        """Stored multipoles of a panel's rows, (n_row, ..., 3, n_lm), pc."""
        return self.results.array(f"anisotropy/{name}")[panel.rows, panel.rig, panel.stop]

    def _together(self, values):
        """Arrays of the panels' rows as one (n, n_rig, ...), for the rows of all."""
        chosen = [v[np.isin(p.rows, self.rows)] for p, v in zip(self.panels, values, strict=True)]
        return np.stack(chosen, axis=1)

    def _average(self, values):
        return average(self._together(values), self._shares)


def skies(results, options, instrument, bins=(), outside=OUTSIDE):
    """Everything that a detector sees of a file.

    Parameters
    ----------
    results : hpc_cr.io.results.Results
    options : hpc_cr.figures.panels.Options
        One stop. Cases that show a part of the sky are left out.
    instrument : Instrument
    bins : sequence of EnergyBin
        Empty: the rigidities of the file one by one.
    outside : float

    Returns
    -------
    list of Seen
        By case, then by rigidity or bin.
    """
    groups = {}
    for panel in select([results], options, "all"):
        groups.setdefault(panel.results.case, []).append(panel)
    found = []
    for panels in groups.values():
        if bins:
            found += [Seen(panels, instrument, energies, outside) for energies in bins]
        else:
            found += [Seen([panel], instrument) for panel in panels]
    return found
