"""One job computed in pieces: resumed, in blocks, extended. The file is that of a single run.

Every comparison is with one run of the whole job, over all numerical datasets and to the last bit.
"""

import os
import re
import signal
import sys
import time

import pytest

from hpc_cr.io.results import open_results
from hpc_cr.io.verify import verify

from .launch import HPC_CR, differing, done_entries, mpirun, run, run_job, start, whole_run

pytestmark = pytest.mark.mpi

STEPS = ["--set", "integrator.steps_per_gyroradius=20000"]
WHOLE = [*STEPS, "--set", "run.realisations=6"]
"""About a second on one core: long enough to be interrupted in the middle."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return whole_run(tmp_path_factory, *WHOLE)


def wait_for(condition, process, what):
    """Poll until a condition holds; fails the test when the process ends before."""
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, "".join(process.communicate())
        assert time.monotonic() < deadline, what
        time.sleep(0.002)


@pytest.mark.slow
def test_resumed_three_times_on_other_ranks_and_teams(whole, tmp_path):
    job, complete = whole
    out = tmp_path / "out.h5"
    for ranks, team in ((2, 1), (3, 1), (2, 2)):
        before = done_entries(out)
        process = start([*mpirun(ranks), *HPC_CR, "run", job, "-o", out, *WHOLE, "--resume",
                         "--set", f"parallel.team_size={team}"])
        wait_for(lambda before=before: done_entries(out) > before, process, "no progress")
        process.send_signal(signal.SIGUSR1)
        process.communicate(timeout=30)
        assert process.returncode == 75
        assert before < done_entries(out) < 24
    run_job(job, out, *WHOLE, "--resume", "--set", "parallel.deadline=2 min")
    assert differing(complete, out) == []
    with open_results(out) as results:
        assert [(r["ranks"], r["team_size"]) for r in results.runs] == [(2, 1), (3, 1), (2, 2),
                                                                        (1, 1)]
        # every run made some of the entries, and is named by them
        runs = [int(run) for case in results.each_case() for run in case.origin["run"].ravel()]
        assert [runs.count(number) for number in range(4)] == [r["entries"] for r in results.runs]
    # nothing is missing now, but in another order the file is laid out anew all the same
    run_job(job, out, *WHOLE, "--resume", "--set", 'particles.rigidities=["80 PV", "20 PV"]',
            ranks=2)
    with open_results(out) as results, open_results(complete) as expected:
        assert results.complete and (results.response == expected.response[:, ::-1]).all()


@pytest.fixture(scope="module")
def pieces(whole, tmp_path_factory):
    """The files of three blocks, with their default names."""
    job, _ = whole
    folder = tmp_path_factory.mktemp("pieces")
    for number in (1, 2, 3):
        done = run([*HPC_CR, "run", job, *WHOLE, "--block", f"{number}/3", "--quiet"], cwd=folder)
        assert done.returncode == 0, done.stderr
    return [folder / f"small-{number}of3.h5" for number in (1, 2, 3)]


def test_three_blocks_merged(whole, pieces, tmp_path):
    _, complete = whole
    merged = run([*HPC_CR, "merge", *pieces, "-o", tmp_path / "merged.h5"])
    assert merged.returncode == 0 and "3 files merged: " in merged.stdout, merged.stderr
    assert "merged.h5 (complete)" in merged.stdout
    assert differing(complete, tmp_path / "merged.h5") == []
    with open_results(complete) as expected, open_results(tmp_path / "merged.h5") as results:
        assert results.config == expected.config


def test_a_gap_is_filled_by_resuming(whole, pieces, tmp_path):
    job, complete = whole
    out = tmp_path / "merged.h5"
    merged = run([*HPC_CR, "merge", pieces[2], pieces[0], "-o", out])
    assert "16 of 24 entries done" in merged.stdout, merged.stderr
    assert "case isotropic, realisations 2 to 3" in merged.stdout
    # control: what is missing shows
    assert "case/strong/anisotropy/response" in differing(complete, out)
    run_job(job, out, *WHOLE, "--resume")
    assert differing(complete, out) == []


def test_a_block_that_is_none(whole, tmp_path):
    job, _ = whole
    done = run([*HPC_CR, "run", job, *WHOLE, "--block", "1/7"], cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert re.search(r"--block 1/7: .*run\.realisations: 6 realisations cannot be split into 7",
                     done.stderr), done.stderr
    assert not list(tmp_path.iterdir())


def test_extended_by_realisations_and_rigidities(whole, tmp_path):
    job, complete = whole
    out = tmp_path / "out.h5"
    run_job(job, out, *STEPS, "--set", 'particles.rigidities=["80 PV"]',
            "--set", "run.first_realisation=1")
    run_job(job, out, *WHOLE, "--resume", ranks=2)
    assert differing(complete, out) == []
    with open_results(out) as results, open_results(complete) as expected:
        assert [r["entries"] for r in results.runs] == [4, 20]
        assert results.config == expected.config


SLOW = """
import time
from hpc_cr.cli.main import main
from hpc_cr.io import copying, join

def slowly(source, target, places, report, **options):
    def wait(n_bytes):
        time.sleep(0.02)
        report(n_bytes)
    return copy(source, target, places, wait, **options)

copying.BLOCK_BYTES = 1
copy, join.copy_entries = join.copy_entries, slowly
main()
"""


def begin_slowly(job, out):
    """A run that extends a file, caught while it copies."""
    script = out.parent / "slow.py"
    script.write_text(SLOW)
    process = start([sys.executable, script, "run", job, "-o", out, *WHOLE, "--resume"])

    def copying():
        partials = list(out.parent.glob(".out.h5.*.partial"))
        return partials and done_entries(partials[0]) >= 3

    wait_for(copying, process, "no copy begins")
    return process


@pytest.mark.slow
def test_interrupted_while_extending(whole, tmp_path):
    """By a signal, by kill -9 in the copy, and by kill -9 just after the new file is in place."""
    job, complete = whole
    out = run_job(job, tmp_path / "out.h5", *STEPS)
    content = out.read_bytes()

    process = begin_slowly(job, out)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 75 and "stopped by SIGTERM" in errors, errors
    assert out.read_bytes() == content and not list(tmp_path.glob(".out.h5.*"))

    process = begin_slowly(job, out)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=20)
    assert out.read_bytes() == content and len(list(tmp_path.glob(".out.h5.*"))) == 1

    # the half file is in nobody's way
    process, before = begin_slowly(job, out), out.stat().st_ino
    wait_for(lambda: out.stat().st_ino != before, process, "the file is not replaced")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=20)
    assert not list(tmp_path.glob(".out.h5.*"))
    with open_results(out) as results:
        assert results.job.run.realisations == 6
        assert all(case.done[:2].all() for case in results.each_case())
        assert all(entry.whole for entry in verify(results))
    run_job(job, out, *WHOLE, "--resume")
    assert differing(complete, out) == []
