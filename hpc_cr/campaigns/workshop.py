"""What a team computes with: its shared field, its particle arrays, one entry at a time."""

import math
import time

import numpy as np

from hpc_cr.campaigns.experiments import experiment_of
from hpc_cr.campaigns.work import entry_cost, memory_bytes, plan_of
from hpc_cr.fields.nested import field_layout, field_on, synthesis_steps
from hpc_cr.trajectories.state import FINISHED, RUNNING, State, start, state_layout


def _arrays(memory, layout):
    """Arrays (shape, dtype) one after the other in bytes of memory."""
    arrays, offset = [], 0
    for shape, dtype in layout:
        size = math.prod(shape) * np.dtype(dtype).itemsize
        arrays.append(memory[offset:offset + size].view(dtype).reshape(shape))
        offset += size
    return arrays


class Workshop:
    """What a rank needs to compute entries: the team's field and particle arrays.

    Parameters
    ----------
    job : Job
    comm : Comm
        All ranks (memory is allocated together).
    team : Team
    """

    def __init__(self, job, comm, team):
        self.cases = job.cases
        self.team = team
        jobs = [case.job for case in job.cases]
        # two particle buffers, so that the leader can measure one entry while the others track
        # the next
        grids, particles = memory_bytes(job)
        self._grids, *self._buffers = team.allocate(
            comm, [((size,), np.uint8) for size in (grids, particles, particles)])
        self._next_buffer = 0
        self._field = None
        self._field_name = None
        self._experiments, self._shared = {}, {}
        most = max(len(j.particles.rigidities) * j.particles.observers for j in jobs)
        self.message_length = 3 + 2 * most

    def clear(self):
        """Forget the views of shared memory, before it is freed."""
        self._grids = self._buffers = self._field = None

    @staticmethod
    def encode(message, task):
        """Write a task into the team's message; None means the end."""
        if task is None:
            message[0] = -1
            return
        message[:3] = task.case, task.realisation, len(task.entries)
        message[3:3 + 2 * len(task.entries)] = np.ravel(task.entries)

    @staticmethod
    def decode(message):
        """List of (case, realisation, row, rig) of a message, or None."""
        if message[0] < 0:
            return None
        case, realisation, count = message[:3].tolist()
        entries = message[3:3 + 2 * count].reshape(-1, 2).tolist()
        return [(case, realisation, row, rig) for row, rig in entries]

    def cost(self, case, rig):
        """Particle-steps expected of an entry."""
        return entry_cost(self.cases[case].job, rig)

    def field(self, case, realisation, poll):
        """The team's field of a realisation, synthesised together unless it is there."""
        if self._field_name == (case, realisation):
            return self._field
        job = self.cases[case].job
        spectrum, grid = _arrays(self._grids, field_layout(job))
        # nobody may still track in the field that is overwritten
        self.team.barrier(poll)
        for meet in synthesis_steps(job, realisation, spectrum, grid, self.team.rank,
                                    self.team.size):
            if meet:
                self.team.barrier(poll)
            else:
                poll()
        self._field, self._field_name = field_on(grid, job, realisation), (case, realisation)
        return self._field

    def _state(self, n_pix, n_stop):
        """The next of the two particle buffers as a State."""
        memory = self._buffers[self._next_buffer]
        self._next_buffer = 1 - self._next_buffer
        return State(*_arrays(memory, [array[1:] for array in state_layout(n_pix, n_stop)]))

    def _experiment(self, case):
        if case not in self._experiments:
            self._experiments[case] = experiment_of(self.cases[case].job, self._shared)
        return self._experiments[case]

    def compute(self, case, realisation, row, rig, poll, times):
        """One entry; collective over the team.

        Parameters
        ----------
        case, realisation, row, rig : int
        poll : callable
        times : Times
            Told what the time goes into.

        Returns
        -------
        dict or None
            The entry on the leader, an empty dict on the others; None when it was abandoned.
        """
        job = self.cases[case].job
        with times.of("synthesis"):
            field = self.field(case, realisation, poll)
        plan = plan_of(job, rig)
        experiment = self._experiment(case)
        starts = experiment.start(row)
        state = self._state(job.n_pix, len(plan.stops))
        first, last = self.team.share_of(job.n_pix)
        with times.of("tracking"):
            began = time.perf_counter()
            start(state, first, last, *starts, plan)
            finished = experiment.track(field, plan, state, first, last, rig, poll)
            spent = time.perf_counter() - began
        with times.of("waiting"):
            abandoned, seconds = self.team.total(np.array([float(not finished), spent]), poll)
        if abandoned:
            return None
        if not self.team.leader:
            return {}
        with times.of("measuring"):
            if np.any(state.status == RUNNING):
                raise AssertionError("a particle was left on its way")
            return experiment.measure(field, state, row, rig, poll) | {
                "unfinished": int(np.count_nonzero(state.status != FINISHED)),
                "over_tolerance": int(state.over.sum()),
                "steps": int(state.steps.sum()),
                "seconds": float(seconds),
            }
