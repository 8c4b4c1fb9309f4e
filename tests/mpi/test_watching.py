"""hpc-cr info on the file of a running job: what it says is true, and the job is not disturbed."""

import json
import os
import signal
import time

import pytest

import hpc_cr
from hpc_cr.campaigns import watch as watching
from hpc_cr.campaigns.watch import life, watch
from hpc_cr.cli.facts import print_watch
from hpc_cr.cli.main import run as hpc_cr_command

from .launch import begin_run, differing, whole_run

pytestmark = pytest.mark.mpi

LONG = ["--set", "run.realisations=4", "--set", "integrator.steps_per_gyroradius=60000"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return whole_run(tmp_path_factory, *LONG)


def begin(job, out, entries):
    """A job on two ranks that has finished some entries."""
    return begin_run(job, out, *LONG, entries=entries)


def info(out, capsys, *options):
    assert hpc_cr_command(["info", str(out), *options]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_looking_again_and_again_changes_nothing(whole, tmp_path, capsys):
    job, complete = whole
    out = tmp_path / "watched.h5"
    process = begin(job, out, 1)
    documents, texts, times = [], [], []
    while process.poll() is None:
        times.append(time.monotonic())
        documents.append(json.loads(info(out, capsys, "--json")))
        texts.append(info(out, capsys))
    ended = time.monotonic()
    assert process.returncode == 0, "".join(process.communicate())
    assert differing(complete, out) == []
    running = [d["watch"] for d in documents if d["watch"]["life"] == "running"]
    assert len(running) >= 3 and {d["watch"]["life"] for d in documents} <= {"running", "ended"}
    done = [w["done"] for w in running]
    assert done == sorted(done) and done[-1] > done[0]
    # the same work in every entry of a rigidity: shares of the steps, not of the entries
    for seen in running:
        assert 0 < seen["fraction"] <= 1 and seen["total"] == 16
        assert seen["step_rate"] > 1e5 and seen["left"] is not None
    # half of it was done; the machine may be busy with something else now and then
    half = next(n for n, d in enumerate(documents) if d["watch"]["fraction"] >= 0.5)
    if documents[half]["watch"]["life"] == "running":
        took, left = ended - times[half], documents[half]["watch"]["left"]
        assert took / 4 - 1 < left < 4 * took + 2
    assert any("RUNNING" in t and "time left" in t and "particle-steps/s" in t for t in texts)
    after = json.loads(info(out, capsys, "--json"))
    assert after["watch"]["life"] == "ended" and "RUNNING" not in info(out, capsys)


def test_a_killed_job_looks_dead(whole, tmp_path, capsys, monkeypatch):
    out = tmp_path / "killed.h5"
    process = begin(whole[0], out, 2)
    with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
        ranks = [int(number) for number in file.read().split()]
    with hpc_cr.open_results(out) as results:
        assert watch(results).life == "running"
        # rank 0 lives, but has not been heard of
        assert watch(results, clock=lambda: time.time() + 120).life == "silent"
    for number in (process.pid, *ranks):
        os.kill(number, signal.SIGKILL)
    process.communicate(timeout=20)
    while any(os.path.exists(f"/proc/{number}") for number in ranks):
        time.sleep(0.05)
    assert out.with_name("killed.h5.lock").exists()  # nobody was left to remove it
    text = info(out, capsys)
    assert "DEAD" in text and "the job is gone" in text and "--resume goes on" in text
    assert "time left" not in text
    # from a machine that cannot see the lock: only the silence tells
    monkeypatch.setattr(watching.socket, "gethostname", lambda: "elsewhere")
    with hpc_cr.open_results(out) as results:
        assert watch(results).life == "running"
        late = watch(results, clock=lambda: time.time() + 12 * 60)
        assert late.life == "dead" and late.silence > 700
        print_watch(late, results)
    assert "no sign of life for 12 min" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("state", "host", "silence", "locked", "expected"),
    [
        ("complete", "here", 1e6, False, "ended"),
        ("stopped by SIGUSR1", "here", 1e6, True, "starting"),
        ("complete", "here", 1, True, "ended"),  # it gives up the lock last of all
        ("running", "here", 5, True, "running"),
        ("running", "here", 5, False, "dead"),
        ("running", "there", 5, False, "running"),  # not every file system shows others' locks
        ("running", "there", 100, False, "dead"),
        ("running", "there", 100, True, "silent"),
        ("running", "here", 5, None, "running"),
        ("running", "here", 100, None, "dead"),
        ("running", "there", -300, False, "running"),  # its clock is ahead
        ("running", "there", float("nan"), True, "silent"),
    ],
)
def test_signs_of_life(monkeypatch, state, host, silence, locked, expected):
    monkeypatch.setattr(watching.socket, "gethostname", lambda: "here")
    assert life(state, host, silence, locked) == expected


@pytest.mark.parametrize("held, expected", [(30.0, "starting"), (500.0, "silent")])
def test_a_job_that_has_just_taken_the_lock_is_starting(held, expected):
    """The record of a killed run says "running" until the next job has read the entries."""
    assert life("running", "elsewhere", 300.0, True, held) == expected
