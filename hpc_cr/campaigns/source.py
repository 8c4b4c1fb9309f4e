"""Single source: a burst of positive particles from one place of a concrete field."""

import numpy as np

from hpc_cr.campaigns.experiments import TimedExperiment
from hpc_cr.config.job import FIELD_LINE_NODES
from hpc_cr.diffusion.clouds import count_in_cells, moments
from hpc_cr.fields.lines import field_lines, line_step
from hpc_cr.frames import field_axes
from hpc_cr.trajectories.directions import observer_positions, random_directions


class Experiment(TimedExperiment):
    """All particles of a row leave the source in random directions, forward in time."""

    KEPT = "density"

    def __init__(self, job, shared):
        super().__init__(job, shared)
        self._positions = observer_positions(job)

    def start(self, row):
        """The source's position and the first directions."""
        job = self.job
        stream = job.run.first_realisation * job.particles.observers + row
        return self._positions[row], random_directions(job.particles.count, job.run.seed, stream)

    def load_kernels(self, field):
        """The field-line tracer."""
        field_lines(field.arrays, np.zeros((1, 3)), np.eye(3)[0], [1e-9], 1e-9)

    def measure(self, field, state, row, rig, poll=None):
        """The cloud in cells around the source's field line, and its moments."""
        job = self.job
        axes = field_axes(job.regular_field)
        line = self._field_line(field, self._positions[row], axes[0], rig, poll)
        finished = np.isfinite(state.out_position).all(axis=(0, 2))
        displacement = state.out_position[:, finished]
        cells = count_in_cells(displacement, state.out_direction[:, finished], line, axes[0],
                               job.source.along, job.source.perpendicular)
        found = moments(displacement, axes)
        return cells._asdict() | found._asdict() | {"field_line": line}

    def _field_line(self, field, position, axis, rig, poll):
        """The field line through the source on both sides, (2, n_node, 3) pc from the source."""
        job = self.job
        arrays, longest = self.seen(field, rig), job.source.along[-1]
        distances = np.linspace(0.0, longest, FIELD_LINE_NODES)[1:]
        step = line_step(job.resolved_waves[rig], distances[-1])
        sides = [field_lines(arrays, position, axis, distances, step, sign, poll)[0]
                 for sign in (1, -1)]
        return np.concatenate([np.zeros((2, 1, 3)), sides], axis=1)
