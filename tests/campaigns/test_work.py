"""Splitting work into tasks: everything once, whole first, entries last, little idle time."""

from types import SimpleNamespace

import numpy as np
import pytest

from hpc_cr.campaigns.work import idle_share, make_tasks, stays_whole
from hpc_cr.config import parse_job

JOB = """
[turbulence]
rms = "4 uG"
outer_scale = "20 pc"
inner_scale = "1 pc"
[particles]
rigidities = ["20 PV", "80 PV"]
nside = 512
[boundary]
kind = "time"
times = ["10 pc"]
"""


@pytest.fixture(scope="module")
def case():
    return SimpleNamespace(name="", job=parse_job(JOB).cases[0].job)


@pytest.mark.parametrize("n_teams", [1, 2, 7, 300])
def test_every_missing_entry_is_in_one_task(case, n_teams):
    done = np.zeros((40, 2), bool)
    done[3] = done[5, 1] = True
    tasks = make_tasks([case], {"": done}, n_teams)
    entries = [entry for task in tasks for entry in task.entries]
    assert sorted(entries) == [tuple(e) for e in np.argwhere(~done).tolist()]
    costs = [task.cost for task in tasks]
    assert costs == sorted(costs, reverse=True)
    for task in tasks:
        assert {row for row, _ in task.entries} == {task.realisation}


def test_only_the_last_realisations_are_split(case):
    tasks = make_tasks([case], {"": np.zeros((40, 2), bool)}, 2)
    whole = [task for task in tasks if len(task.entries) == 2]
    # realisations of equal cost: those after which fewer than 5 are left for each of 2 teams
    assert len(whole) == 30 and len(tasks) == 30 + 2 * 10


def test_one_team_splits_nothing():
    assert stays_whole([3.0, 2.0, 1.0], [0.1] * 3, 1) == [True] * 3


def test_fewer_are_split_where_fields_are_dear():
    """Twenty equal ones, two teams: the last five rounds are split, or the last one only."""
    assert stays_whole([1.0] * 20, [0.0] * 20, 2) == [True] * 10 + [False] * 10
    assert stays_whole([1.0] * 20, [0.5] * 20, 2) == [True] * 18 + [False] * 2


def test_idle_share_of_equal_tasks():
    """7 tasks of 3 teams take 3 rounds: 2 of 9 places stay empty; 6 tasks leave none."""
    assert idle_share([1.0] * 7, 3) == pytest.approx(2 / 9)
    assert idle_share([1.0] * 6, 3) == 0
    assert idle_share([], 3) == 0
