"""Reading the skies of an anisotropy job: responses, dipoles, multipoles, maps."""

import numpy as np

from hpc_cr.anisotropy import ensembles
from hpc_cr.anisotropy.convergence import approach, responses
from hpc_cr.anisotropy.liouville import local_response
from hpc_cr.io import schema
from hpc_cr.io.errors import ResultError
from hpc_cr.io.results import Results


class AnisotropyResults(Results):
    """One case of a file of kind "anisotropy".

    Attributes
    ----------
    gradient : ndarray (n_rig, 3)
        The job's, 1/pc.
    observers : ndarray (n_row, 3)
        pc.
    """

    def _read_axes(self, axes):
        super()._read_axes(axes)
        self.gradient = axes["gradient"][...]
        self.observers = axes["observer"][...]

    @property
    def response(self):
        """M_ij, (n_row, n_rig, n_stop, 3, 3), pc; i = sky axis, j = displacement axis."""
        return self.array("anisotropy/response")

    @property
    def response_error(self):
        """Sampling errors of M_ij, same shape, pc."""
        return self.array("anisotropy/response_error")

    @property
    def direction_response(self):
        """3 <n_i U_j>, same shape."""
        return self.array("anisotropy/direction_response")

    @property
    def noise(self):
        """Shot-noise power of the displacement maps, same shape, pc^2."""
        return self.array("anisotropy/noise")

    @property
    def alm(self):
        """a_lm per gradient axis, (n_row, n_rig, n_stop, 3, n_lm) complex, pc."""
        return self.array("anisotropy/alm")

    @property
    def alm_half(self):
        """The same from the two half-samples, (n_row, n_rig, n_stop, 2, 3, n_lm)."""
        return self.array("anisotropy/alm_half")

    @property
    def direction_alm_half(self):
        """a_lm of the maps U_j from the two half-samples, (n_row, n_rig, n_stop, 2, 3, n_lm)."""
        return self._since("anisotropy/direction_alm_half")

    @property
    def memory(self):
        """<P_l(n.U)> over the sky, (n_row, n_rig, n_stop, 9), l from 0."""
        return self._since("anisotropy/memory")

    @property
    def local_field(self):
        """Field averaged over balls around the observer, (n_row, n_rig, n_smoothing, 3) uG."""
        return self._since("anisotropy/local_field")

    @property
    def smoothing(self):
        """Radii of those balls, (n_rig, n_smoothing) pc."""
        return self._since("axes/smoothing")

    def dipoles(self, gradient=None, local_term=False):
        """Dipole vectors of the realisations, delta_i = M_ij g_j.

        Parameters
        ----------
        gradient : array (3,) or (n_rig, 3), optional
            g = grad(n)/n in 1/pc, Galactic Cartesian; default the job's.
        local_term : bool or array (3, 3) or (n_rig, 3, 3)
            Adds the dipole that is already there at -T (Ahlers & Mertsch 2015):
            delta_i = (M_ij + 3 <n_i U_k> 3 K_kj) g_j, K = D/c in pc
            (`hpc_cr.anisotropy.liouville.local_response`); True takes 3 K from the ensemble mean
            of M at the same stop, under the symmetry of the set-up.

        Returns
        -------
        ndarray (n_row, n_rig, n_stop, 3)
        """
        response = self.response
        if local_term is not False:
            response = local_response(
                response, self.direction_response, self.diffusion(local_term)
            )
        return np.einsum("abcij,bj->abci", response, self._gradient(gradient))

    def dipole_errors(self, gradient=None):
        """Sampling errors of `dipoles`, same shape (see `ensembles.sampling_errors`)."""
        g = self._gradient(gradient)[:, None, :]
        return ensembles.sampling_errors(self.response_error, self.noise, g)

    def maps(self, name, row, rig, stop=-1):
        """One stored map.

        Parameters
        ----------
        name : "displacement", "final_direction" or "crossing_time"
        row, rig, stop : int

        Returns
        -------
        ndarray (3, n_pix) or (n_pix,) of float32
            HEALPix RING, Galactic; by particle index for random directions.

        Raises
        ------
        ResultError
            The job did not store the map, or the entry is not done.
        """
        path = f"anisotropy/{name}"
        stored = [d for d in schema.DATA if d.path == path and d.option]
        if not stored:
            known = ", ".join(d.name for d in schema.DATA if d.option)
            raise ResultError(f"{self.path}: no map {name!r}; maps: {known}")
        if path not in self._group:
            raise ResultError(
                f"{self.path}: the {name} maps were not stored; set [output] {name} = true"
            )
        if not self.done[row, rig]:
            raise ResultError(f"{self.path}: entry (row {row}, rigidity {rig}) is not finished")
        return self._read(path, (row, rig))[stop]

    def power_spectrum(
        self, gradient=None, rig=0, stop=-1, estimator="noise-subtracted", local_term=False
    ):
        """C_l of the sky that a gradient gives, I(n)/I0 - 1 = g_j X_j(n).

        Parameters
        ----------
        gradient : array (3,) or (n_rig, 3), optional
            1/pc; default the job's.
        rig, stop : int
            Indices of the rigidity and the stop.
        estimator : "noise-subtracted" or "cross"
            C_l of all particles minus the shot noise, or the cross-spectrum of the two
            half-samples, whose noises are independent.
        local_term : bool or array (3, 3) or (n_rig, 3, 3)
            Adds the dipole that is already there at -T, 3 U_i K_ij g_j with K = D/c in pc, as
            for `dipoles`; with the cross-spectrum only. The noise is then that of the half-samples'
            difference.

        Returns
        -------
        hpc_cr.io.spectrum.PowerSpectrum
            NaN for a part of the sky.

        Raises
        ------
        ResultError
            The local term with the noise subtracted, or of a file without the a_lm of U.
        """
        from hpc_cr.io.spectrum import power_spectrum

        return power_spectrum(self, self._gradient(gradient), rig, stop, estimator, local_term)

    def summary(self, stop=-1, gradient=None):
        """Mean, scatter, direction and expectation of the dipole, per rigidity.

        Parameters
        ----------
        stop : int
            Index of the stop.
        gradient : array (3,) or (n_rig, 3), optional
            1/pc; default the job's.

        Returns
        -------
        list of hpc_cr.anisotropy.ensembles.DipoleSummary
        """
        g = self._gradient(gradient)
        dipoles, errors, response = self.dipoles(g), self.dipole_errors(g), self.response
        return [
            ensembles.summarise(
                dipoles[:, rig, stop],
                errors[:, rig, stop],
                response[:, rig, stop],
                g[rig],
                rigidity=self.rigidities[rig],
                stop=self.stops[rig, stop],
                realisation=self.realisation,
                symmetry=self.symmetry,
            )
            for rig in range(len(self.rigidities))
        ]

    def convergence(self, rig=0):
        """Mean response at each stop of one rigidity: `ensembles.convergence`."""
        return ensembles.convergence(self.response[:, rig], self.realisation, self.symmetry)

    def approaches(self, rig=0, gradient=None):
        """Whether the ensemble means have reached their limit at the last stop.

        Parameters
        ----------
        rig : int
            Index of the rigidity.
        gradient : array (3,) or (n_rig, 3), optional
            1/pc, for |delta|; default the job's.

        Returns
        -------
        dict of str to hpc_cr.anisotropy.convergence.Approach
            "tr M/3", or "M_par" and "M_perp" beside a uniform regular field, and "|delta|", whose
            mean has the sampling noise in it. Empty for a part of the sky.
        """
        if self.job.particles.patch is not None:
            return {}
        response = self.response[:, rig]
        found = responses(response, self.symmetry)
        dipoles = response @ self._gradient(gradient)[rig]
        found["|delta|"] = np.linalg.norm(dipoles, axis=-1)
        return {
            name: approach(values, self.stops[rig], self.realisation)
            for name, values in found.items()
        }

    def _gradient(self, gradient):
        """The gradient per rigidity, (n_rig, 3) 1/pc; a Quantity is converted."""
        if gradient is None:
            return self.gradient
        if hasattr(gradient, "to_value"):
            gradient = gradient.to_value("1/pc")
        gradient = np.asarray(gradient, float)
        shape = (len(self.rigidities), 3)
        if gradient.shape not in ((3,), shape):
            raise ValueError(f"a gradient has the shape (3,) or {shape}, not {gradient.shape}")
        return np.broadcast_to(gradient, shape)

    def diffusion(self, local_term=True):
        """K = D/c for the local term.

        Parameters
        ----------
        local_term : True or array (3, 3) or (n_rig, 3, 3)
            As for `dipoles`: True is a third of the ensemble mean of M under the symmetry.

        Returns
        -------
        ndarray (n_rig, n_stop, 3, 3)
            pc.
        """
        shape = (*self.stops.shape, 3, 3)
        if local_term is True:
            per_row = ensembles.symmetrise(self.response, self.symmetry)
            tensors = [
                per_row[self.done[:, rig], rig].mean(axis=0)
                if self.done[:, rig].any()
                else np.full(shape[1:], np.nan)
                for rig in range(shape[0])
            ]
            return np.array(tensors) / 3
        tensor = np.asarray(local_term, float)
        return np.broadcast_to(tensor[:, None] if tensor.ndim == 3 else tensor, shape)
