"""Batch scripts at their limits: requeueing that ends, blocks that fail, profiles, refusals; and
all that the cluster page shows."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mpi.launch import HPC_CR, JOB, done_entries

from .cluster import ROOT, call
from .runs import FEW, SETTINGS, differing, is_complete, started, words

pytestmark = pytest.mark.slurm


def settings(*more, realisations=FEW):
    return ["--set", f"run.realisations={realisations}", *SETTINGS, *more]


def submit(cluster, *arguments):
    """`hpc-cr submit`; finished whatever it says."""
    return subprocess.run([*HPC_CR, "submit", *map(str, arguments)], cwd=cluster.folder,
                          capture_output=True, text=True, timeout=120)


def life(submitted, restart):
    """What a job has written since a restart (0: its start)."""
    return submitted.text().partition(f"restart {restart}:")[2]


def test_no_requeue_without_progress(cluster, scripts, whole):
    """A restart that finishes no entry would come back for ever."""
    job, _ = whole
    out = cluster.folder / "out.h5"
    submitted = cluster.sbatch("--ntasks=1", scripts / "single-node.sbatch",
                               *words(job, out, "--set", "integrator.steps_per_gyroradius=1e9"))
    for restart in (0, 1):
        submitted.wait(lambda n=restart: "entries, 0 %" in life(submitted, n), 120, "tracking")
        submitted.signal("USR1", "--batch")
        submitted.wait(lambda n=restart: "stopped by SIGUSR1" in life(submitted, n), 60, "stopped")
    submitted.wait_end(60)
    assert (submitted.state, submitted.status, submitted.restarts) == ("FAILED", 75, 1)
    assert "not requeued: this restart finished no entry" in submitted.text()


def test_no_more_restarts_than_allowed(cluster, scripts, whole, monkeypatch):
    job, _ = whole
    out = cluster.folder / "out.h5"
    monkeypatch.setenv("HPC_CR_RESTARTS", "0")
    submitted = cluster.sbatch("--ntasks=1", scripts / "single-node.sbatch", *words(job, out))
    started(submitted, out)
    submitted.signal("USR1", "--batch")
    submitted.wait_end(60)
    assert (submitted.status, submitted.restarts) == (75, 0)
    assert "not requeued after 0 restarts (HPC_CR_RESTARTS=0)" in submitted.text()
    assert 3 <= done_entries(out) < 4 * FEW


def test_a_wrong_job_ends_the_script(cluster, scripts, whole):
    """Status 2 and one line before any rank has started; no restart."""
    job, _ = whole
    submitted = cluster.sbatch("--nodes=2", scripts / "many-nodes.sbatch",
                               *words(job, "out.h5", "--set", "turbulence.rsm=1 uG"))
    submitted.wait_end(60)
    assert (submitted.status, submitted.restarts) == (2, 0)
    (line,) = submitted.text().splitlines()
    assert "turbulence.rsm" in line and "turbulence.rms" in line


def test_profiles(cluster, scripts, whole, monkeypatch):
    """A file of the user's is a profile as good as a shipped one; a wrong name ends the job."""
    job, _ = whole
    mine = cluster.folder / "mine.sh"
    mine.write_text('echo "mine is loaded"; . "$venv/bin/activate"\n')
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # no hpc-cr but for the profile's
    monkeypatch.setenv("HPC_CR_VENV", sys.prefix)
    submitted = {}
    for profile, out in ((str(mine), "1.h5"), ("debian", "2.h5"), ("", "3.h5"), ("no", "4.h5")):
        monkeypatch.setenv("HPC_CR_PROFILE", profile)
        submitted[profile] = cluster.sbatch("--ntasks=1", scripts / "single-node.sbatch", job,
                                            "-o", out, *settings(realisations=1))
    for each in submitted.values():
        each.wait_end(180)
    assert [each.status for each in submitted.values()] == [0, 0, 0, 2]
    assert "mine is loaded" in submitted[str(mine)].text()
    assert "no profile and no file: HPC_CR_PROFILE=no" in submitted["no"].text()


def test_one_block_again(cluster, scripts, whole):
    """A single task of an array knows how many blocks there are from HPC_CR_BLOCKS."""
    job, _ = whole
    submitted = cluster.sbatch("--array=2", "--ntasks=1", scripts / "array.sbatch", job, "-o",
                               "x.h5", *settings(), env=os.environ | {"HPC_CR_BLOCKS": "4"})
    submitted.wait_end(120)
    assert submitted.status == 0, submitted.text()
    assert done_entries(cluster.folder / "x-3of4.h5") == FEW


def test_one_block_of_how_many(cluster, scripts, whole):
    """Without HPC_CR_BLOCKS task 2 alone would become block 3 of 3."""
    job, _ = whole
    submitted = cluster.sbatch("--array=2", "--ntasks=1", scripts / "array.sbatch", job, "-o",
                               "y.h5", *settings())
    submitted.wait_end(60)
    assert submitted.status == 2 and not list(cluster.folder.glob("y-*"))
    assert "HPC_CR_BLOCKS=N says how many" in submitted.text()


def test_a_failed_block_cancels_the_merge(cluster, whole):
    job, _ = whole
    (cluster.folder / "parts-2of2.h5").write_text("not a result file")
    told = submit(cluster, job, "--array=2", "--tasks-per-node=1", "-o", "parts.h5",
                  *settings(realisations=2)).stdout
    _, merge = [cluster.watch(number, cluster.folder / "none.log")
                for number in re.findall(r"job (\d+) submitted", told)]
    merge.wait_end(180)
    assert merge.state == "CANCELLED" and not (cluster.folder / "parts.h5").exists()


def test_refused_by_sbatch(cluster, whole):
    """sbatch's own words, in one line."""
    job, _ = whole
    done = submit(cluster, job, "--tasks-per-node=1", "--partition=none-such", *settings())
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "invalid partition specified" in done.stderr


def test_scaling_inside_one_job(cluster, scripts, tmp_path):
    job = tmp_path / "small.toml"
    job.write_text(JOB)
    submitted = cluster.sbatch("--nodes=2", scripts / "scaling.sbatch", job, "--kind", "strong",
                               "--repeats", "1", "--teams", "1")
    submitted.wait_end(240)
    assert submitted.status == 0, submitted.text()
    found = json.loads((tmp_path / "scaling.json").read_text())
    assert [record["ranks"] for record in found["records"]] == [1, 2, 4]
    assert (tmp_path / "scaling.png").exists()


def test_cluster_page(cluster, monkeypatch):
    """All that the page shows, in its order, each job awaited; only the job is made smaller."""
    page = (ROOT / "hpc_cr" / "docs" / "cluster.md").read_text()
    lines = "".join(re.findall(r"```sh\n(.*?)```", page, flags=re.S)).splitlines()
    (cluster.folder / "jobs").symlink_to(ROOT / "jobs")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("HPC_CR_VENV", sys.prefix)
    for line in lines:
        if line.startswith("export "):
            monkeypatch.setenv(*line.removeprefix("export ").split("="))
            continue
        told = call("bash", "-c", line, cwd=cluster.folder, timeout=300)
        if "jobs quickstart" in line:
            (cluster.folder / "my.toml").write_text(
                JOB.replace("realisations = 2", "realisations = 4"))
        for number in re.findall(r"job (\d+)(?: submitted|\n)", told):
            submitted = cluster.watch(number, cluster.folder / f"my-{number}.log")
            submitted.wait_end(300)
            assert submitted.state == "COMPLETED", f"{line}\n{submitted.text()}"
    assert is_complete(cluster.folder / "my.h5", 40)
    assert is_complete(cluster.folder / "blocks.h5", 4)
    assert is_complete(cluster.folder / "ready.h5", 4)
    assert differing(cluster.folder / "both.h5", cluster.folder / "my.h5") == []
