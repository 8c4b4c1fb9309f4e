"""P1 and P2: backtracking in prescribed fields, the program's kernel against the textbook one.

A uniform field of 4 uG along z plus Kolmogorov turbulence of 4 uG on grids with two cells for the
shortest wave, 3072 antiprotons of 1 and 10 PV from the centres of the HEALPix pixels of nside 16,
Boris with a step of r_g/20 over 100 gyroradii (r_g in 4 uG), one thread. The levels have the
random rotations and offsets that the program gives them.

Both kernels see the same field: the textbook's arrays hold the program's nodes, in float32.
"""

import time
from functools import partial
from typing import NamedTuple

import numpy as np

from hpc_cr.config import parse_job
from hpc_cr.fields.layouts import node_values
from hpc_cr.fields.nested import make_field
from hpc_cr.trajectories.backtrack import advance, make_plan
from hpc_cr.trajectories.directions import start_directions
from hpc_cr.trajectories.state import empty_state, start
from tools.bench.textbook import track
from tools.bench.timing import Figure, take_turns

B_UNIFORM = 4.0
"""uG: the field of the gyroradius."""
STEPS_PER_GYRORADIUS = 20
GYRORADII = 100
RIGIDITIES = (1.0, 10.0)
"""PV."""

_JOB = """
[turbulence]
rms = "4 uG"
[grids]
cells = {cells}
compensate = false
boxes = {boxes}
bands = {bands}
[regular]
model = "uniform"
strength = "4 uG"
direction = [0, 90]
[particles]
nside = {nside}
"""


def nested_job(cells=128, nside=16, overrides=()):
    """P1: boxes of 400, 40 and 4 pc; r.m.s. 3.685, 1.411, 0.655 uG (Job)."""
    per_cell = 256 / cells  # two cells for the shortest wave with any number of cells
    ends = [100.0, *(box / 128 * per_cell for box in (400.0, 40.0, 4.0))]
    bands = [[f"{long} pc", f"{short} pc"] for long, short in zip(ends, ends[1:], strict=False)]
    return parse_job(_JOB.format(cells=cells, nside=nside, boxes=["400 pc", "40 pc", "4 pc"],
                                 bands=bands), "P1", overrides)


def single_job(cells=256, nside=16, overrides=()):
    """P2: one box of 400 pc, waves of 100 to 3.125 pc (Job)."""
    return parse_job(_JOB.format(cells=cells, nside=nside, boxes=["400 pc"],
                                 bands=[["100 pc", f"{800 / cells} pc"]]), "P2", overrides)


class Textbook(NamedTuple):
    """The program's field as the textbook kernel takes it; see `textbook.track`."""

    regular: np.ndarray
    bx: np.ndarray
    by: np.ndarray
    bz: np.ndarray
    to_cells: np.ndarray


def textbook_copy(job, field):
    """Textbook arrays of a job's field (from `make_field`)."""
    nodes = node_values(field.arrays.grid)
    components = [np.ascontiguousarray(nodes[..., i], np.float32) for i in range(3)]
    return Textbook(np.asarray(job.regular_field, float), *components,
                    field.arrays.to_box * job.grids.cells)


class Course:
    """One job and rigidity, ready to be tracked by either kernel, again and again."""

    def __init__(self, job, field, book, rigidity, steps=STEPS_PER_GYRORADIUS * GYRORADII):
        self.field, self.book, self.steps = field, book, steps
        self.directions = start_directions(job, 0)
        whole = make_plan(B_UNIFORM, np.inf, rigidity, [1.0], sphere=False, method="boris",
                          steps_per_gyroradius=STEPS_PER_GYRORADIUS, tolerance=1e-4)
        self.step = whole.gyroradius / STEPS_PER_GYRORADIUS
        self.plan = make_plan(B_UNIFORM, np.inf, rigidity, [steps * self.step], sphere=False,
                              method="boris", steps_per_gyroradius=STEPS_PER_GYRORADIUS,
                              tolerance=1e-4)
        if self.plan.interval_steps.sum() != steps:
            raise AssertionError(f"{self.plan.interval_steps} steps are not the {steps} asked for")
        self.state = empty_state(len(self.directions), 1)

    def program(self):
        """Seconds of the program's kernel; the result is left in `state`."""
        count = len(self.directions)
        start(self.state, 0, count, np.zeros(3), self.directions, self.plan)
        began = time.process_time()
        advance(self.field.arrays, self.plan, self.state, 0, count, "boris")
        return time.process_time() - began

    def textbook(self):
        """Seconds of the textbook kernel; the result is left in `position` and `direction`."""
        self.position, self.direction = np.zeros_like(self.directions), self.directions.copy()
        began = time.process_time()
        track(*self.book, self.position, self.direction, self.plan.turn, self.step, self.steps)
        return time.process_time() - began

    def difference(self):
        """Largest difference of position (pc) and direction between the kernels, after both ran."""
        return (float(np.abs(self.state.out_position[0] - self.position).max()),
                float(np.abs(self.state.out_direction[0] - self.direction).max()))

    def tolerance(self):
        """What float32 allows `difference` to be: pc, 1.

        A relative error e of B turns the direction of a step by e times its angle. e is a few
        roundings of 6e-8 (three linear interpolations) in each of three components; the local
        field is below 5 times the uniform one. The errors of the steps add up at worst.
        """
        turned = 8 * 6e-8 * 5 * self.steps / STEPS_PER_GYRORADIUS
        return turned * self.steps * self.step, turned


def check(job, field, book, rigidity, steps=10):
    """Raise AssertionError unless both kernels agree over the first steps."""
    course = Course(job, field, book, rigidity, steps)
    course.program()
    course.textbook()
    if np.any(course.state.steps != steps):
        raise AssertionError(f"{job.name}: the program took other than {steps} steps")
    for found, allowed in zip(course.difference(), course.tolerance(), strict=True):
        if not found <= allowed:
            raise AssertionError(f"{job.name}: after {steps} steps the program and the textbook"
                                 f" kernel differ by {found:.1e}, more than {allowed:.1e}")


def _per_step(run, count):
    """Nanoseconds per step of a run that takes `count` of them."""
    return 1e9 * run() / count


def measure(job, rounds, say, steps=STEPS_PER_GYRORADIUS * GYRORADII):
    """Figures of P1 or P2.

    Parameters
    ----------
    job : Job
        From `nested_job` or `single_job`.
    rounds : int
    say : callable
        Told what is going on.

    Returns
    -------
    list of Figure
        ns per particle-step.
    """
    say("field, and its copy for the textbook kernel")
    field = make_field(job, 0)
    book = textbook_copy(job, field)
    functions = {}
    for rigidity in RIGIDITIES:
        check(job, field, book, rigidity)  # also compiles
        course = Course(job, field, book, rigidity, steps)
        count = len(course.directions) * steps
        for name in ("program", "textbook"):
            functions[name, rigidity] = partial(_per_step, getattr(course, name), count)
    done = iter(range(1, rounds * len(functions) + 1))
    found = take_turns(functions, rounds,
                       lambda: say(f"run {next(done)} of {rounds * len(functions)}"))
    return [Figure(job.name, f"backtracking, {rigidity:g} PV", "ns per particle-step",
                   found["program", rigidity], "textbook kernel", found["textbook", rigidity],
                   f"{steps / STEPS_PER_GYRORADIUS:g} gyroradii")
            for rigidity in RIGIDITIES]
