"""What a job will take: the schedule from known costs, and measured ones against the job itself."""

import numpy as np
import pytest

from hpc_cr.campaigns import planning
from hpc_cr.campaigns.warm_up import load_kernels
from hpc_cr.campaigns.work import plan_of
from hpc_cr.config import parse_job

JOB = """
[run]
realisations = 5
[turbulence]
outer_scale = "20 pc"
inner_scale = "1 pc"
[grids]
cells = 24
levels = 2
periods = 2
[particles]
rigidities = ["20 PV", "80 PV"]
nside = 2
[integrator]
negligible_scattering = 0
[boundary]
times = ["3 pc", "10 pc"]
[output]
l_max = 4
"""
SPHERES = ['boundary.kind="sphere"', 'boundary.radii=["3 pc"]']


def job_of(*changes):
    text = JOB
    if "boundary.kind" in "".join(changes):
        text = text.replace('times = ["3 pc", "10 pc"]', "")
    return parse_job(text, overrides=changes)


COST = planning.CaseCost(0.5, 1.0, np.array([1e-3, 2e-3]), np.array([1000.0, 500.0]), 0.25)
"""0.5 s for memory; per realisation 1 s of synthesis, and 1 s of tracking and 0.25 s of multipoles
per rigidity."""


@pytest.mark.parametrize(("ranks", "team", "seconds"), [
    (1, 1, 5 * 3.5),
    (10, 1, 2.25),  # each rigidity has a rank of its own, with a field of its own
    (2, 2, 5 * (0.5 + 1.0 + 0.5)),  # synthesis and tracking are shared, multipoles are not
])
def test_schedule(ranks, team, seconds):
    wall = planning.wall_seconds(job_of(f"parallel.team_size={team}"), [COST], ranks)
    assert wall - planning.START_AND_END_SECONDS == pytest.approx(0.5 + seconds)


def test_uneven_schedule_waits_for_the_last():
    """Four ranks cannot do five realisations in less than 5/4 of one, nor in more than two."""
    wall = planning.wall_seconds(job_of(), [COST], 4) - planning.START_AND_END_SECONDS - 0.5
    assert 5 / 4 * 3.5 <= wall <= 2 * 3.5


def test_core_seconds():
    assert planning.core_seconds(job_of(), [COST]) == pytest.approx(5 * 3.5)
    observers = job_of("particles.observers=2")
    assert planning.core_seconds(observers, [COST]) == pytest.approx(5 * (1 + 2 * 2.5))


def test_measured_steps():
    job = job_of()
    load_kernels(job)
    cost = planning.measure(job)
    expected = [48 * plan_of(job, rig).interval_steps.sum() for rig in (0, 1)]
    np.testing.assert_array_equal(cost.steps, expected)
    assert np.all(cost.step_seconds > 0) and cost.synthesis_seconds > 0
    assert cost.measuring_seconds > 0


@pytest.mark.parametrize("changes", [SPHERES, ['integrator.method="cash-karp"'],
                                     [*SPHERES, 'integrator.method="cash-karp"']])
def test_steps_of_what_cannot_be_foreseen_are_counted(changes):
    from hpc_cr.fields import make_field
    from hpc_cr.trajectories import backtrack
    from hpc_cr.trajectories.directions import start_directions

    job = job_of(*changes)
    load_kernels(job)
    sphere = job.boundary.kind == "sphere"
    directions = start_directions(job, 0)
    tracks = backtrack(make_field(job, 0), 20.0, directions,
                       **{"radii" if sphere else "times": job.stops[0]},
                       method=job.integrator.method, tolerance=job.integrator.tolerance,
                       steps_per_gyroradius=job.integrator.steps_per_gyroradius)
    assert planning.measure(job).steps[0] == tracks.steps.sum()


@pytest.mark.skipif(not planning._proc("status", "VmHWM"), reason="needs /proc")
def test_memory_of_ranks_and_teams():
    job = job_of("grids.cells=64")
    load_kernels(job)
    watch = planning.MemoryWatch(job)
    planning.measure(job)
    one, two = watch.needs(job, 1), watch.needs(job, 2)
    shared = watch.needs(job_of("grids.cells=64", "parallel.team_size=2"), 2)
    grids, particles = planning.memory_bytes(job)
    assert grids < one.rank and one.rank == two.rank
    assert one.node < two.node <= 2 * one.node
    assert two.node - shared.node == grids + 2 * particles
