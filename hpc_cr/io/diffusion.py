"""Reading the running diffusion tensors of a diffusion job."""

import numpy as np

from hpc_cr.diffusion.coefficients import coefficient, components, growths, hall
from hpc_cr.io.results import Results
from hpc_cr.statistics import mean_and_error

ESTIMATORS = {
    "displacement": "tensor",
    "interval": "interval",
    "velocity": "tensor_velocity",
    "arrival": "tensor_arrival",
}
"""Estimator -> dataset."""
LINE_TOLERANCE = 0.2
"""Bound on the change along a plateau of field lines, which are fewer than particles."""


class DiffusionResults(Results):
    """One case of a file of kind "diffusion".

    Tensors D_ij/c in pc, Galactic Cartesian; rows are realisations. `coefficients` gives what
    they come to.
    """

    @property
    def tensor(self):
        """<X_i X_j>/(2 T), (n_row, n_rig, n_stop, 3, 3), pc."""
        return self.array("diffusion/tensor")

    @property
    def tensor_velocity(self):
        """int_0^T <u_i(t) u_j(0)> dt, same shape, pc."""
        return self.array("diffusion/tensor_velocity")

    @property
    def tensor_arrival(self):
        """int_0^T <u_i(T) u_j(t)> dt, same shape, pc."""
        return self.array("diffusion/tensor_arrival")

    @property
    def interval(self):
        """[<X_i X_j>(T_k) - <X_i X_j>(T_k-1)]/[2 (T_k - T_k-1)], same shape, pc."""
        return self.array("diffusion/interval")

    @property
    def kurtosis(self):
        """<X_i^4>/(3 <X_i^2>^2) along and across the uniform field, (n_row, n_rig, n_stop, 3)."""
        return self.array("diffusion/kurtosis")

    @property
    def field_line(self):
        """<x_i x_j>/(2 s) of field lines, (n_row, n_rig, n_distance, 3, 3), pc; None if not
        traced."""
        return self.array("diffusion/field_line")

    @property
    def distances(self):
        """Distances s along the uniform field, (n_distance,) pc; None if no lines were traced."""
        return self.array("axes/distance")

    def coefficients(self, rig):
        """What the running diffusion tensor comes to at one rigidity.

        Parameters
        ----------
        rig : int
            Index of the rigidity.

        Returns
        -------
        dict of str to hpc_cr.diffusion.coefficients.Coefficient
            "D_iso" = tr D/3; beside a uniform field "D_par" and "D_perp" before it. D/c in pc, from
            displacements; each has a statistical error and a `trend`.
        """
        return {
            name: coefficient(values, self.stops[rig], self.realisation, name)
            for name, values in self._components("tensor", rig).items()
        }

    def growths(self, rig, found):
        """What the coefficients of one rigidity are means of.

        Parameters
        ----------
        rig : int
        found : dict
            As `coefficients` gives it.

        Returns
        -------
        dict of str to (ndarray (n,) of int, ndarray (n,))
            Coefficient -> realisations and their growth of <X X>/2 over the stops of the value, pc.
            Realisations of equal number in cases of one file have the same waves, in phase if not
            in strength: points of several cases or rigidities are compared realisation by
            realisation.
        """
        values = self._components("tensor", rig)
        return {name: growths(values[name], self.stops[rig], one, self.realisation)
                for name, one in found.items()}  # fmt: skip

    def running(self, rig):
        """The same at every stop, by all estimators.

        Parameters
        ----------
        rig : int

        Returns
        -------
        dict of str to dict of str to (ndarray (n_stop,), ndarray (n_stop,))
            Coefficient -> estimator -> mean over realisations and its standard error, pc:
            "displacement" <X X>/(2 T), "interval" its growth since the stop before, "velocity"
            int <u(t) u(0)> dt, "arrival" int <u(T) u(t)> dt. NaN where nothing is finished.
        """
        found = {}
        for estimator, dataset in ESTIMATORS.items():
            for name, values in self._components(dataset, rig).items():
                found.setdefault(name, {})[estimator] = self._mean(values)
        return found

    def hall(self, rig):
        """Antisymmetric coefficient D_A at every stop, from the velocity correlation.

        Parameters
        ----------
        rig : int

        Returns
        -------
        mean, error : ndarray (n_stop,), or None without a uniform field
            pc; D_ij = ... + D_A eps_ijk b_k, positive for positive particles
            (`hpc_cr.diffusion.coefficients.hall`).
        """
        axis = self._axis()
        if axis is None:
            return None
        return self._mean(hall(self.array("diffusion/tensor_velocity")[:, rig], axis))

    def field_line_coefficient(self, rig):
        """How far field lines of the waves that a rigidity's trajectories see have spread.

        Parameters
        ----------
        rig : int

        Returns
        -------
        distances, mean, error : ndarray (n_distance,), or None if not traced
            Distance s along the uniform field, D_FL = <x_i^2>/(2 s) for one component across it,
            mean over realisations and its standard error; pc.
        """
        values = self._field_line_values(rig)
        return None if values is None else (self.distances, *self._mean(values))

    def field_line_limit(self, rig):
        """What D_FL comes to: a Coefficient "D_FL" over distances, or None if not traced."""
        values = self._field_line_values(rig)
        if values is None:
            return None
        return coefficient(values, self.distances, self.realisation, "D_FL", LINE_TOLERANCE)

    def _field_line_values(self, rig):
        """D_FL per row, (n_row, n_distance) pc; displacements have no part along the field."""
        tensor = self.field_line
        return None if tensor is None else np.trace(tensor[:, rig], axis1=-2, axis2=-1) / 2

    def _axis(self):
        """The uniform field, None without one."""
        return None if isinstance(self.symmetry, str) else self.symmetry

    def _components(self, dataset, rig):
        """Coefficients of a running tensor per row, (n_row, n_stop) each."""
        return components(self.array(f"diffusion/{dataset}")[:, rig], self._axis())

    def _mean(self, values):
        use = np.isfinite(values).all(axis=1)
        return mean_and_error(values[use], self.realisation[use])
