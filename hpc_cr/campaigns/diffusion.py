"""Diffusion: positive particles from random places of every realisation, and how they spread."""

import numpy as np

from hpc_cr.campaigns.experiments import TimedExperiment
from hpc_cr.diffusion import tensors
from hpc_cr.fields.lines import field_lines, line_step
from hpc_cr.frames import field_axes
from hpc_cr.trajectories.directions import random_directions, random_positions

PLACES_IN_OUTER_SCALES = 10.0
"""Side of the cube of the places: larger than the largest box, so that all of it is visited."""


class Experiment(TimedExperiment):
    """Every particle leaves a random place of its own in a random direction, forward in time."""

    KEPT = "tensors"

    def start(self, row):
        """Places and directions of a row."""
        job = self.job
        stream = job.run.first_realisation + row
        size = PLACES_IN_OUTER_SCALES * job.turbulence.outer_scale
        return (random_positions(job.particles.count, job.run.seed, stream, size),
                random_directions(job.particles.count, job.run.seed, stream))

    def load_kernels(self, field):
        """The field-line tracer."""
        if self.job.field_lines.count:
            field_lines(field.arrays, np.zeros((1, 3)), np.eye(3)[0], [1e-9], 1e-9)

    def measure(self, field, state, row, rig, poll=None):
        """Running tensors, kurtosis and field lines."""
        job = self.job
        origins, directions = self.start(row)
        finished = np.isfinite(state.out_position).all(axis=(0, 2))
        displacement = state.out_position[:, finished]
        means = {
            "tensor": tensors.displacement_tensor(displacement, job.stops[rig]),
            "tensor_velocity": tensors.velocity_tensor(displacement, directions[finished]),
            "tensor_arrival": tensors.arrival_tensor(displacement,
                                                     state.out_direction[:, finished]),
            "interval": tensors.interval_tensor(displacement, job.stops[rig]),
        }
        if poll is not None:
            poll()
        if job.field_lines.count:
            means["field_line"] = self._field_lines(field, origins, rig, poll)
        entry = {name: mean for name, (mean, _) in means.items()}
        entry |= {f"{name}_error": error for name, (_, error) in means.items()}
        entry["kurtosis"] = tensors.kurtosis(displacement, field_axes(job.regular_field))
        return entry

    def _field_lines(self, field, origins, rig, poll):
        """Spread of field lines from the first places, <x_i x_j>/(2 s) and its error."""
        job = self.job
        b0 = field_axes(job.regular_field)[0]
        distances = job.field_line_distances
        lines = field_lines(self.seen(field, rig), origins[: job.field_lines.count], b0, distances,
                            line_step(job.resolved_waves[rig], distances[-1]), poll=poll)
        across = lines - (lines @ b0)[..., None] * b0
        across = across[np.isfinite(across).all(axis=(1, 2))]
        return tensors.displacement_tensor(across.transpose(1, 0, 2), distances)
