"""Slowness of hosts, ranks and entries, apart from what they were given to do.

64 entries at two rigidities: a step takes 80 ns at the first, 200 ns at the second. Host "bad"
(ranks 6 and 7 of 8) takes 1.7 times as long, and one entry of rank 2 takes 5 times as long.
"""

import numpy as np
import pytest

from hpc_cr.campaigns.accounts import Entries, activities, shares, slowness

PACE = np.array([80e-9, 200e-9])
N = 64
ODD = 10  # the entry that took 5 times as long; of rank 2


@pytest.fixture
def entries():
    number = np.arange(N)
    rank, rig = number % 8, (number // 8) % 2
    host = np.where(rank >= 6, "bad", np.where(rank >= 3, "b", "a"))
    steps = np.where(rig == 0, 1_000_000, 50_000) + number
    factor = np.where(host == "bad", 1.7, 1.0)
    factor[ODD] = 5.0
    seconds = factor * PACE[rig] * steps
    return Entries(case=0 * number, row=number, rig=rig, run=0 * number, rank=rank, host=host,
                   began=1.0 * number, ended=number + 0.5, seconds=seconds, steps=steps,
                   cost=1.0 * steps)


def test_slowness_is_that_of_the_machine_not_of_the_task(entries):
    found = slowness(entries)
    expected = np.where(entries.host == "bad", 1.7, 1.0)
    expected[ODD] = 5.0
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    # negative control: the plain time per step differs 2.5 times between the rigidities
    plain = entries.seconds / entries.steps
    assert plain[entries.rig == 1].min() > 2 * plain[entries.rig == 0].min()


def test_hosts(entries):
    bad, second, third = shares(entries)
    assert (bad.host, bad.rank, bad.entries) == ("bad", -1, 16)
    assert bad.slowness == pytest.approx(1.7)
    assert (second.host, third.host) == ("a", "b") and third.slowness == pytest.approx(1.0)
    mine = entries.host == "a"
    assert second.seconds == pytest.approx(entries.seconds[mine].sum())
    assert second.steps == entries.steps[mine].sum()
    # weighted by time: one slow entry among the 24 of this host
    usual = entries.seconds[mine] / slowness(entries)[mine]
    assert second.slowness == pytest.approx(entries.seconds[mine].sum() / usual.sum())


def test_ranks(entries):
    found = {share.rank: share for share in shares(entries, by_rank=True)}
    assert sorted(found) == list(range(8)) and found[7].host == "bad"
    assert found[7].last == 63.5 and found[0].last == 56.5
    assert found[6].slowness == pytest.approx(1.7) and found[0].slowness == pytest.approx(1.0)


def test_nothing_finished(entries):
    none = entries.take(np.zeros(N, bool))
    assert shares(none) == [] and len(slowness(none)) == 0


def test_activities():
    run = {"synthesis": 1.0, "tracking": 5.0, "measuring": 0.5, "writing": 0.25, "waiting": 2.0}
    assert activities([run, run]) == {name: 2 * value for name, value in run.items()}
    assert activities([{"state": "complete"}]) == {}  # format version 1 does not say
