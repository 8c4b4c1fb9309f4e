"""Reading the running diffusion tensors of a diffusion job."""

from hpc_cr.io.results import Results


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
