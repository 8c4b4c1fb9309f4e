"""What a kind of job does with its fields: where particles start, and what is kept of them.

Each kind has a module of its name here with a class Experiment(job, shared):

    start(row) -> origins (3,) or (n, 3) in pc, directions (n, 3)
    track(field, plan, state, first, last, rig, poll) -> bool, False where it was abandoned
    measure(field, state, row, rig, poll) -> dict of the entry's arrays (`hpc_cr.io.schema`)
    load_kernels(field): run the kernels that measure needs once, on a field of next to nothing
    KEPT: what measure gives, in a word

`shared` is a dict in which experiments of several cases of a job keep what is the same for them.
What an experiment returns depends on its arguments alone, never on what was done before.
"""

from importlib import import_module

from hpc_cr.fields.interpolation import coarsest_levels
from hpc_cr.trajectories.backtrack import advance


def experiment_of(job, shared=None):
    """The experiment of a case's job.

    Parameters
    ----------
    job : Job
    shared : dict, optional
        Of all cases of a job.
    """
    return class_of(job.run.kind)(job, {} if shared is None else shared)


def class_of(kind):
    """The class of the experiments of a kind of job."""
    return import_module(f"hpc_cr.campaigns.{kind}").Experiment


class TimedExperiment:
    """An experiment whose particles are followed to the stops of its job.

    Parameters
    ----------
    job : Job
        Of one case.
    shared : dict
        As above.
    """

    KEPT = "numbers"

    def __init__(self, job, shared):
        self.job, self.shared = job, shared

    def load_kernels(self, field):
        """None besides those that follow particles."""

    def seen(self, field, rig):
        """FieldArrays with the levels that a rigidity's trajectories see."""
        return coarsest_levels(field.arrays, self.job.levels_followed[rig])

    def track(self, field, plan, state, first, last, rig, poll):
        """Follow particles first..last-1 of a started state to their last stop."""
        return advance(self.seen(field, rig), plan, state, first, last,
                       self.job.integrator.method, poll)
