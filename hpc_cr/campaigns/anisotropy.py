"""Anisotropy: the sky of every observer, by backtracking."""

import numpy as np

from hpc_cr.anisotropy.observables import SkyObservables
from hpc_cr.campaigns.experiments import TimedExperiment
from hpc_cr.fields.nested import smoothed_field
from hpc_cr.trajectories.directions import observer_positions, start_directions


class Experiment(TimedExperiment):
    """Antiparticles leave the observer along fixed or random directions on the sky."""

    KEPT = "multipoles"

    def __init__(self, job, shared):
        super().__init__(job, shared)
        self._positions = observer_positions(job)

    def _sky(self, row):
        """Start directions and observables of a row; HEALPix ones are shared by all rows."""
        job, skies = self.job, self.shared
        nside, patch = job.particles.nside, job.particles.patch
        key = (nside, patch, job.output.l_max) if nside is not None else (self, row)
        if key not in skies:
            if nside is None:
                skies.clear()
            skies[key] = SkyObservables(start_directions(job, row), nside, job.output.l_max,
                                        whole=patch is None)
        return skies[key]

    def start(self, row):
        """The observer's position and the directions of its sky."""
        return self._positions[row], self._sky(row).directions

    def measure(self, field, state, row, rig, poll=None):
        """Response, multipoles, maps, and the field around the observer."""
        job = self.job
        entry = self._sky(row).measure(state.out_position, state.out_direction,
                                       job.gradient_vectors[rig], poll)
        if job.output.displacement:
            entry["displacement"] = state.out_position.transpose(0, 2, 1).astype(np.float32)
        if job.output.final_direction:
            entry["final_direction"] = state.out_direction.transpose(0, 2, 1).astype(np.float32)
        if job.output.crossing_time:
            entry["crossing_time"] = state.out_time.astype(np.float32)
        entry["local_field"] = smoothed_field(field.at, self._positions[row],
                                              job.smoothing_radii[rig])
        return entry
