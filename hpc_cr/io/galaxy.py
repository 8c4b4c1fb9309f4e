"""Reading a galaxy job's file: fluxes of nuclei at the Sun, gradients, dipoles, maps.

Between the energies of the file a flux over its injected spectrum is a smooth function of the
rigidity, which is interpolated; beyond them nothing is known (NaN). The local source follows from
the job alone, at any energy.
"""

from copy import copy
from functools import cached_property
from typing import NamedTuple

import numpy as np

from hpc_cr.campaigns import galaxy_setting
from hpc_cr.galaxy import fits, local_field
from hpc_cr.galaxy.spectra import (
    axis_per_rigidity,
    nucleon_energy,
    rigidity,
    rigidity_of_energy,
    velocity,
)
from hpc_cr.io.errors import ResultError
from hpc_cr.io.results import Results, open_results

AXES = ("rigidity", "nucleon", "energy")
"""What a flux can be per: rigidity in GV, kinetic energy per nucleon or total energy in GeV."""


class Flux(NamedTuple):
    """Interstellar flux at the Sun, 1/(m^2 s sr) per GV or GeV; arrays of one shape."""

    background: np.ndarray
    local: np.ndarray

    @property
    def total(self):
        """Sum of both."""
        return self.background + self.local


class Component(NamedTuple):
    """One species, from one origin, at given energies.

    Attributes
    ----------
    species : str
    part : "background" or "local"
    flux : ndarray (n,)
        1/(m^2 s sr GeV) per total energy (per GV where asked at rigidities).
    dipole : ndarray (n, 3)
        Of this component alone, Galactic Cartesian: its intensity is flux (1 + dipole.n).
    """

    species: str
    part: str
    flux: np.ndarray
    dipole: np.ndarray


class GalaxyResults(Results):
    """One case of a file of kind "galaxy": rows are nuclei, columns energies.

    Vectors are Galactic Cartesian (x to the Galactic centre), dipoles point to where the excess
    comes from, D is D/c in pc, gradients are 1/pc. `scales` multiply what is stored: 1, or what
    injection.normalisation = "fitted" gives.
    """

    def _read_axes(self, axes):
        self.stop_kind = None
        self.rigidities = axes["rigidity"][...]
        self.stops = np.ones((len(self.rigidities), 1))
        self.species = tuple(self.job.nuclei.species)
        self.rigidities_GV = galaxy_setting.rigidities(self.job)
        self.nuclei = galaxy_setting.species_of(self.job)

    @property
    def nucleon_GeV(self):
        """Kinetic energies per nucleon, (n_species, n_energy) GeV."""
        return np.array([nucleon_energy(at, s.z, s.a)
                         for at, s in zip(self.rigidities_GV, self.nuclei, strict=True)])

    @property
    def map_radii(self):
        """Galactocentric radii of `maps`, pc."""
        return self.job.map_radii

    @property
    def map_heights(self):
        """Heights of `maps`, pc."""
        return self.job.map_heights

    @property
    def maps(self):
        """Background over the Galaxy, (n_species, n_energy, n_radius, n_height), 1/(GV m2 s sr)."""
        return self.array("galaxy/flux_map") * self.scales[:, 0, None, None, None]

    @cached_property
    def scales(self):
        """Factors of background and local source, (n_species, 2)."""
        if self.job.injection.normalisation == "given":
            return np.ones((len(self.species), 2))
        return self.fit.scales

    @cached_property
    def fit(self):
        """Background and local source of the nuclei fitted to measured protons, helium and, with
        heavier nuclei, all particles (hpc_cr.galaxy.fits.Refit)."""
        elements = {name.rstrip("0123456789") for name in self.species}
        wanted = [name for name in ("H", "He") if name in elements]
        if elements - {"H", "He"}:
            wanted.append(fits.tables.ALL_PARTICLES)
        if not wanted:
            raise ResultError(f"{self.path}: normalisations are fitted to protons and helium, which"
                              " it does not have")
        sets, groups = fits.measured_sets(
            self.species, lambda energy: [self.unscaled_flux(name, energy)
                                          for name in self.species], wanted)
        try:
            return fits.refit(self.species, sets, groups)
        except ValueError as error:
            raise ResultError(f"{self.path}: {error}") from None

    def number(self, species):
        """Row of a species; ResultError where the file does not have it."""
        if species not in self.species:
            raise ResultError(f"{self.path}: no {species}; its nuclei are "
                              f"{', '.join(self.species)}")
        return self.species.index(species)

    def rigidity_at(self, species, energy, per="energy"):
        """Rigidities in GV of a species at energies.

        Parameters
        ----------
        species : str
        energy : array (n,)
            GV, GeV per nucleon (kinetic) or GeV (total), by `per`.
        per : {"rigidity", "nucleon", "energy"}
        """
        s = self.nuclei[self.number(species)]
        if per not in AXES:
            raise ResultError(f"no energy {per!r}; it is one of {', '.join(AXES)}")
        energy = np.where(np.asarray(energy, float) > 0, energy, np.nan)
        if per == "rigidity":
            return energy
        return (rigidity if per == "nucleon" else rigidity_of_energy)(energy, s.z, s.a)

    def flux(self, species, energy, per="energy"):
        """Flux of a species at the Sun, outside of the heliosphere (Flux).

        Parameters
        ----------
        species : str
        energy : array (n,)
        per : {"rigidity", "nucleon", "energy"}
            What `energy` is, and what the flux is per.
        """
        return self._scaled(species, energy, per, self.scales[self.number(species)], self.job)

    def unscaled_flux(self, species, energy, per="energy"):
        """The same without `scales`."""
        return self._scaled(species, energy, per, (1.0, 1.0), self.job)

    def _scaled(self, species, energy, per, scales, job):
        number = self.number(species)
        s = self.nuclei[number]
        at = np.atleast_1d(self.rigidity_at(species, energy, per))
        local, _ = galaxy_setting.local_component(job, number, at)
        per_GV = axis_per_rigidity(per, at, s.z, s.a)
        return Flux(scales[0] * self._background(number, at) / per_GV, scales[1] * local / per_GV)

    def _background(self, number, at):
        """Stored flux per GV at rigidities in GV, (n,)."""
        where, stored = self.rigidities_GV[number], self._flux[number]
        if not stored.any():  # a nucleus that nothing makes
            return np.where((at >= where[0]) & (at <= where[-1]), 0.0, np.nan)
        if self.job.injection.abundance is None or self.job.injection.abundance[number] > 0:
            injected = galaxy_setting.injection(self.job, number, where)
            with np.errstate(invalid="ignore", divide="ignore"):  # far beyond a cutoff both are 0
                ratio = stored / injected
            return (_interpolated(where, ratio, at, logarithmic=True)
                    * galaxy_setting.injection(self.job, number, at))
        return _interpolated(where, stored, at, logarithmic=True)

    @cached_property
    def _flux(self):
        return self.array("galaxy/flux")[..., 0]

    @cached_property
    def _steepness(self):
        return self.array("galaxy/gradient")[..., 0, 0]

    def tensor(self, rigidity_GV, beta=1.0, **local):
        """Diffusion tensors at the Sun, (n, 3, 3) pc.

        Parameters
        ----------
        rigidity_GV, beta : array (n,)
        **local
            Keys of [local_field] that replace the job's: direction (None: isotropic diffusion),
            ratio, ratio_slope. A burst with the kernel "anisotropic" then spreads by them, too;
            `scales` stay those of the job.
        """
        return galaxy_setting.local_tensor(self._with(local), rigidity_GV, beta)

    def _with(self, local):
        """The job with another local field."""
        if not local:
            return self.job
        known = ("direction", "ratio", "ratio_slope")
        for name in local:
            if name not in known:
                raise ResultError(f"no {name!r} in [local_field]; it has {', '.join(known)}")
        old = self.job.local_field
        direction = local.get("direction", old.direction)
        if direction is None and set(local) - {"direction"}:
            raise ResultError("ratio and ratio_slope need the direction of a local field")
        # with a direction alone the others have the job's values, or their defaults
        filled = {"ratio": old.ratio or 0.01,
                  "ratio_slope": 0.32 if old.ratio_slope is None else old.ratio_slope}
        field = old.model_copy(update=filled | local)
        return self.job.model_copy(update={"local_field": field})

    def components(self, energy, per="energy", species=None, **local):
        """Every species from both origins (list of Component), by `energy` as in `flux`.

        Parameters
        ----------
        energy : array (n,)
        per : {"rigidity", "nucleon", "energy"}
        species : sequence of str, optional
            Default all.
        **local
            As for `tensor`.
        """
        found = []
        for name in self.species if species is None else species:
            number = self.number(name)
            s = self.nuclei[number]
            at = np.atleast_1d(self.rigidity_at(name, energy, per))
            beta = velocity(at, s.z, s.a)
            flux = self._scaled(name, energy, per, self.scales[number], self._with(local))
            tensor = self.tensor(at, beta, **local)
            for part, values in (("background", flux.background), ("local", flux.local)):
                gradient = self._gradient(number, part, at, local)
                found.append(Component(name, part, values,
                                       local_field.flow(tensor, gradient) / beta[:, None]))
        return found

    def _gradient(self, number, part, at, local=None):
        """grad(N)/N of one part of a species at rigidities in GV, (n, 3) 1/pc."""
        if part == "local":
            return galaxy_setting.local_component(self._with(local or {}), number, at)[1]
        steepness = _interpolated(self.rigidities_GV[number], self._steepness[number], at)
        return np.stack([steepness, 0 * steepness, 0 * steepness], axis=-1)

    def dipoles(self, energy, per="energy", species=None, **local):
        """Dipole of all together, (n, 3): the components' dipoles weighted with their fluxes.

        Arguments as for `components`.
        """
        parts = self.components(energy, per, species, **local)
        if not parts:
            raise ResultError("no species given; leave it out for all")
        flux = np.array([part.flux for part in parts])
        flows = np.array([part.flux[:, None] * np.where(part.flux[:, None] > 0, part.dipole, 0)
                          for part in parts])
        with np.errstate(invalid="ignore", divide="ignore"):
            return flows.sum(axis=0) / flux.sum(axis=0)[:, None]

    def gradient(self, rigidity_GV, species=None, part=None):
        """grad(N)/N of all nuclei together at rigidities, (n, 3) 1/pc.

        Parameters
        ----------
        rigidity_GV : array (n,)
        species : sequence of str, optional
            Default all.
        part : "background" or "local", optional
            Default both together.
        """
        if part not in (None, "background", "local"):
            raise ResultError(f"no part {part!r}; there are background and local")
        at = np.atleast_1d(np.asarray(rigidity_GV, float))
        total, weighted = np.zeros(at.shape), np.zeros((*at.shape, 3))
        for name in self.species if species is None else species:
            number = self.number(name)
            s = self.nuclei[number]
            flux = self.flux(name, at, "rigidity")
            beta = velocity(at, s.z, s.a)
            for one in ("background", "local") if part is None else (part,):
                density = getattr(flux, one) / beta
                slope = self._gradient(number, one, at)
                total += density
                weighted += density[:, None] * np.where(density[:, None] == 0, 0, slope)
        with np.errstate(invalid="ignore", divide="ignore"):
            return weighted / total[:, None]

    def varied(self, scales=None, coarse=False):
        """The same results with something changed, to see what follows from it.

        Parameters
        ----------
        scales : array (n_species, 2), optional
            Other factors of background and local source; default these.
        coarse : bool
            The background as it comes out on half the cells.

        Returns
        -------
        GalaxyResults
            Of the same open file; maps stay as they are.
        """
        other = copy(self)
        other.scales = self.scales if scales is None else np.asarray(scales, float)
        if coarse:
            other._flux = self.array("galaxy/coarse_flux")
            other._steepness = self.array("galaxy/coarse_gradient")
        return other

    def convergence(self):
        """Change of the background's flux (relative) and gradient towards the Galactic centre
        (1/pc) from half the cells to all, two arrays (n_species, n_energy); a third of it is about
        the error that is left."""
        with np.errstate(invalid="ignore", divide="ignore"):  # a nucleus that nothing makes
            flux = self._flux / self.array("galaxy/coarse_flux") - 1
        return flux, self._steepness - self.array("galaxy/coarse_gradient")


def _interpolated(where, values, at, logarithmic=False):
    """Values at other rigidities, by monotone cubics in the logarithm; NaN beyond the ends."""
    from scipy.interpolate import PchipInterpolator

    at = np.asarray(at, float)
    known = np.isfinite(values) & ((values > 0) | (not logarithmic))
    # nothing is known next to an entry that is not there
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = np.interp(np.log(at), np.log(where), known) < 1 - 1e-9
    at = np.where(gap, np.nan, at)
    if np.count_nonzero(known) < 2:
        return np.full(at.shape, np.nan)
    y = np.log(values[known]) if logarithmic else values[known]
    with np.errstate(invalid="ignore", divide="ignore"):
        x = np.log(at)
    # an end may be missed by rounding
    ends = np.log(where[known][[0, -1]])
    x = np.where((x < ends[0]) & (x > ends[0] - 1e-9), ends[0], x)
    x = np.where((x > ends[1]) & (x < ends[1] + 1e-9), ends[1], x)
    found = PchipInterpolator(np.log(where[known]), y, extrapolate=False)(x)
    return np.exp(found) if logarithmic else found


def sun_gradient(path, rigidities_PV, case=None):
    """Gradients for an anisotropy job from a galaxy job's file.

    Parameters
    ----------
    path : path-like
    rigidities_PV : sequence of float
    case : str, optional
        Of the file; default the first one.

    Returns
    -------
    ndarray (n, 3)
        grad(N)/N of all nuclei of a rigidity together, 1/pc, Galactic Cartesian.

    Raises
    ------
    ResultError
        No such file, another kind, not complete, or a rigidity beyond its energies; one line.
    """
    with open_results(path, case) as results:
        results.require_kind("galaxy", "gradient.from")
        if not results.complete:
            raise ResultError(f"{path}: not complete; hpc-cr run --resume completes it")
        at = 1e6 * np.asarray(rigidities_PV, float)
        found = results.gradient(at)
        missing = at[~np.isfinite(found).all(axis=1)]
        if missing.size:
            low, high = results.rigidities_GV.min(axis=1).max(), results.rigidities_GV.max(1).min()
            raise ResultError(f"{path}: {missing[0]:g} GV is beyond its rigidities, {low:g} to "
                              f"{high:g} GV for all nuclei")
        return found
