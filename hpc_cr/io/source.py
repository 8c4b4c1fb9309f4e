"""Reading the clouds of particles of a source job."""

from typing import NamedTuple

import numpy as np

from hpc_cr.diffusion.clouds import second_moments, spread
from hpc_cr.diffusion.coefficients import PLATEAU, coefficient
from hpc_cr.io.results import Results
from hpc_cr.sources import dipole
from hpc_cr.statistics import mean_and_error


class Dipoles(NamedTuple):
    """The dipole in a cloud along the source's field line; see `SourceResults.dipoles`."""

    places: np.ndarray  # (n_along,) mean distance of the cells' particles, pc
    gaussian: np.ndarray  # (n_along,) 3 s/(2 c T)
    flow: dipole.Profile  # (n_along,) 3 <u_away>, all distances from the line together
    between: np.ndarray  # (n_along - 1,) places of the gradient, pc
    gradient: np.ndarray  # (n_along - 1,) -3 D_par d ln n/ds; NaN unless D_par has a plateau
    gradient_error: np.ndarray
    gradient_ratio: float  # gradient over Gaussian, over all cells
    gradient_ratio_error: float
    ratio: float  # flow over Gaussian, over all cells; NaN unless they resolve the cloud
    ratio_error: float


class SourceResults(Results):
    """One case of a file of kind "source".

    Cells have the axes (n_row, n_rig, n_stop, side, n_along, n_perpendicular); side 0 is where the
    uniform field points to.

    Attributes
    ----------
    sources : ndarray (n_row, 3)
        Positions, pc, Galactic Cartesian.
    along, perpendicular : ndarray
        Edges of the cells, pc.
    """

    def _read_axes(self, axes):
        super()._read_axes(axes)
        self.sources = axes["source"][...]
        self.along, self.perpendicular = axes["along"][...], axes["perpendicular"][...]

    @property
    def count(self):
        """Particles in the cells."""
        return self.array("source/count")

    @property
    def density(self):
        """Number density per particle of the burst, 1/pc^3."""
        return self.array("source/density")

    @property
    def flow(self):
        """Mean direction of motion in the cells: along the uniform field, away from the field line,
        around it; one more axis (3)."""
        return self.array("source/flow")

    @property
    def mean(self):
        """Mean displacement, (n_row, n_rig, n_stop, 3), pc."""
        return self.array("source/mean")

    @property
    def covariance(self):
        """Covariance of the cloud, (n_row, n_rig, n_stop, 3, 3), pc^2."""
        return self.array("source/covariance")

    @property
    def kurtosis(self):
        """Along and across the uniform field, (n_row, n_rig, n_stop, 3), 1 for a Gaussian."""
        return self.array("source/kurtosis")

    @property
    def field_line(self):
        """The source's field line, (n_row, n_rig, side, n_node, 3), pc from the source."""
        return self.array("source/field_line")

    def spread(self, rig):
        """How the cloud has spread at every stop, over the realisations.

        Parameters
        ----------
        rig : int

        Returns
        -------
        hpc_cr.diffusion.clouds.Spread
        """
        done = self.done[:, rig]
        return spread(self.mean[done, rig], self.covariance[done, rig], self.kurtosis[done, rig],
                      self.stops[rig], self.axes, self.realisation[done])

    def coefficients(self, rig):
        """What the spread of the clouds about their sources comes to.

        Parameters
        ----------
        rig : int

        Returns
        -------
        dict of str to hpc_cr.diffusion.coefficients.Coefficient
            "D_par" and "D_perp", D/c in pc.
        """
        done = self.done[:, rig]
        along, across = second_moments(self.mean[done, rig], self.covariance[done, rig], self.axes)
        return {
            name: coefficient(square / (2 * self.stops[rig]), self.stops[rig],
                              self.realisation[done], name)
            for name, square in (("D_par", along), ("D_perp", across))
        }

    @property
    def axes(self):
        """Rows: unit vectors along the uniform field and two across it, Galactic Cartesian."""
        from hpc_cr.frames import field_axes

        return field_axes(self.job.regular_field)

    def in_cells(self, rig, stop):
        """Share of the clouds' particles that the cells hold, mean and error over realisations.

        Parameters
        ----------
        rig, stop : int

        Returns
        -------
        mean, error : float
            The rest is beyond them, or where a field line is not known.
        """
        done = self.done[:, rig]
        held = self.one("count", rig, stop)[done].sum(axis=(1, 2, 3))
        there = self.job.particles.count - self.unfinished[done, rig]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean, error = mean_and_error(held / there, self.realisation[done])
        return float(mean), float(error)

    def known_lines(self, rig):
        """Share of the source's field lines that is known, along the cells; NaN if none is done."""
        done = self.done[:, rig]
        if not done.any():
            return np.nan
        return float(np.isfinite(self.field_line[done, rig]).all(axis=-1).mean())

    def mean_density(self, rig, stop):
        """Density in the cells over realisations and sides.

        Parameters
        ----------
        rig, stop : int

        Returns
        -------
        mean, poisson, error : ndarray (n_along, n_perpendicular)
            1/pc^3 per particle of the burst, see `hpc_cr.sources.dipole.mean_density`.
        """
        done = self.done[:, rig]
        return dipole.mean_density(self.one("count", rig, stop)[done],
                                   self.one("density", rig, stop)[done], self.realisation[done])

    def dipoles(self, rig, stop):
        """The dipole along the source's field line from flow and gradient, beside 3 s/(2 c T).

        Parameters
        ----------
        rig, stop : int

        Returns
        -------
        Dipoles
        """
        done = self.done[:, rig]
        if not done.any():
            empty = np.full(len(self.along) - 1, np.nan)
            return Dipoles(empty, empty, dipole.Profile(empty, empty, 0 * empty), empty[1:],
                           empty[1:], empty[1:], *4 * [np.nan])
        count, flow = self.one("count", rig, stop)[done], self.one("flow", rig, stop)[done]
        density, realisation = self.one("density", rig, stop)[done], self.realisation[done]
        time, found = self.stops[rig, stop], self.coefficients(rig)["D_par"]
        # a bound on D would make a bound on the dipole
        parallel = (found.value, found.error) if found.state == PLATEAU else (np.nan, np.nan)
        variance = 2 * time * self.spread(rig).parallel[stop]
        places = dipole.mean_places(self.along, variance)
        total = count.sum(axis=-1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.nansum(count[..., None] * flow, axis=-2, keepdims=True) / total[..., None]
        mean[np.isnan(density).all(axis=-1)] = np.nan
        rings = dipole.flow_profile(total, mean, realisation)
        profile = dipole.Profile(*(values[:, 0] for values in rings))
        cells = density, self.along, self.perpendicular, variance, parallel
        gradient = dipole.gradient_profile(*cells, realisation)
        if not dipole.resolved(self.along, variance)[0]:
            gradient = gradient[0], *np.full((2, len(gradient[0])), np.nan)
        ratios = 4 * [np.nan]
        if all(dipole.resolved(self.along, variance)):
            ratios = [*dipole.gradient_over_gaussian(*cells, time, realisation),
                      *dipole.flow_over_gaussian(count, flow, places, time, realisation)]
        return Dipoles(places, 1.5 * places / time, profile, *gradient, *ratios)
