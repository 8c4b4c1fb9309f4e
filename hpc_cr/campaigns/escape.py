"""Escape: positive particles of the disc move through the Galaxy until they leave its halo.

The kernels that follow particles to given times are called for pieces of path of equal length,
and between the calls it is seen where a path left the halo and how much gas it crossed.
"""

import numpy as np

from hpc_cr.campaigns.experiments import TimedExperiment
from hpc_cr.diffusion.escape import G_PER_CM2, leaves, mean_density
from hpc_cr.sources.discs import disc_positions
from hpc_cr.trajectories.backtrack import BLOCK, advance
from hpc_cr.trajectories.directions import random_directions
from hpc_cr.trajectories.state import FINISHED, RUNNING, UNFINISHED, empty_state, start

PIECE, PIECE_IN_GAS = 10.0, 0.1
"""Length of a piece of path that is taken as straight, pc and half heights of the gas: the shorter,
but at least one step."""
LONGEST = 0.02
"""Longest step and piece in half heights of the halo or radii of its cylinder."""
TOGETHER = 32
"""Pieces in a row before particles that left make room: they still move until then."""


class Experiment(TimedExperiment):
    """Every particle leaves a place of its own in a random direction, forward in time."""

    KEPT = "escapes"

    def start(self, row):
        """Places and directions of a row."""
        job, stream = self.job, self.job.run.first_realisation + row
        places = disc_positions(job.particles.count, job.run.seed, stream, job.escape.sources,
                                job.escape.half_height, job.boundary.radius)
        return places, random_directions(job.particles.count, job.run.seed, stream)

    def track(self, field, plan, state, first, last, rig, poll):
        """Follow particles first..last-1 until they leave.

        Of the shared state's stop, out_position is the displacement where a particle left,
        out_direction its direction after the piece of path in which it left, out_time when; path
        is the column of gas in pc of the plane's density.
        """
        arrays, halo = self.seen(field, rig), self.job.boundary
        longest = LONGEST * min(halo.half_height, halo.radius)
        step = min(plan.interval_step[0], longest)
        piece = min(PIECE, PIECE_IN_GAS * self.job.gas.half_height, longest)
        count = max(1, int(np.ceil(piece / step - 1e-9)))
        pieces = plan._replace(stops=count * step * np.arange(1.0, TOGETHER + 1),
                               interval_steps=np.full(TOGETHER, count),
                               interval_step=np.full(TOGETHER, step))
        return all(self._track(arrays, pieces, plan.limit, state, low, min(low + BLOCK, last), poll)
                   for low in range(first, last, BLOCK))

    def _track(self, arrays, plan, limit, state, first, last, poll):
        """The same for a block of particles."""
        number = np.arange(first, last)
        own = empty_state(last - first, TOGETHER)
        start(own, 0, last - first, state.origin[first:last], state.direction[first:last], plan)
        gone, column = 0.0, np.zeros(last - first)
        while number.size:
            before, taken = own.position.copy(), own.steps.copy()
            finished = advance(arrays, plan, own, 0, number.size, self.job.integrator.method, poll)
            state.steps[number] += own.steps - taken
            if not finished:
                return False
            left, inside = self._look(own, before, plan, gone, column, state, number)
            state.over[number] = own.over
            gone += plan.stops[-1]
            late = ~left & ((gone >= limit) | (own.status != FINISHED))
            state.status[number[left]] = FINISHED
            state.status[number[late]] = UNFINISHED
            stay = ~left & ~late
            number, column = number[stay], (column + inside)[stay]
            own = _go_on(own, stay)
        return True

    def _look(self, own, before, plan, gone, column, state, number):
        """Which particles left the halo in these pieces of path, and the gas they crossed.

        Parameters
        ----------
        own : State
            Of the particles after the pieces.
        before : ndarray (n, 3)
            Displacement from the start before the first one, pc.
        plan : Plan
            Of the pieces.
        gone : float
            Path before the pieces, pc.
        column : ndarray (n,)
            Gas crossed before them, pc.
        state : State
            Of all particles; what is known of those that left is written there.
        number : ndarray (n,)
            Their numbers in it.

        Returns
        -------
        left : ndarray (n,) of bool
        inside : ndarray (n,)
            Gas crossed in the pieces, pc.
        """
        job = self.job
        points = own.origin + np.concatenate([before[None], own.out_position])
        share = leaves(points[:-1], points[1:], job.boundary.half_height, job.boundary.radius)
        left, piece = np.isfinite(share).any(axis=0), np.argmax(np.isfinite(share), axis=0)
        # up to where it left, if it did
        part = np.where(np.arange(TOGETHER)[:, None] < piece, 1.0, 0.0)
        part = np.where(left, part, 1.0)
        which = np.flatnonzero(left)
        part[piece[which], which] = share[piece[which], which]
        ends = points[:-1] + part[..., None] * (points[1:] - points[:-1])
        length = plan.stops[0]
        gas = length * part * mean_density(points[:-1, :, 2], ends[..., 2], job.gas.half_height,
                                           job.gas.profile)
        inside = np.zeros(left.size)
        for row in gas:  # numpy's own sum adds in another order where only one particle is left
            inside += row
        out = number[which]
        state.out_position[0, out] = ends[piece[which], which] - own.origin[which]
        state.out_direction[0, out] = own.out_direction[piece[which], which]
        state.out_time[0, out] = gone + length * (piece + part[piece, np.arange(left.size)])[which]
        state.path[out] = (column + inside)[which]
        return left, inside

    def measure(self, field, state, row, rig, poll=None):
        """Time, grammage and place of every escape; NaN for particles that did not."""
        escaped = state.status == FINISHED
        grammage = state.path * (self.job.gas.density * G_PER_CM2)
        return {
            "start": state.origin.copy(),
            "escape_time": state.out_time[0].copy(),
            "grammage": np.where(escaped, grammage, np.nan),
            "exit": state.origin + state.out_position[0],
        }


def _go_on(own, stay):
    """The State of the particles that stay, ready for the next pieces."""
    kept = own._replace(**{name: np.ascontiguousarray(getattr(own, name)[stay])
                           for name in own._fields if not name.startswith("out_")})
    kept = kept._replace(**{name: np.ascontiguousarray(getattr(own, name)[:, stay])
                            for name in own._fields if name.startswith("out_")})
    kept.path[:] = 0.0
    kept.stop[:] = kept.taken[:] = 0
    kept.status[:] = RUNNING
    return kept
