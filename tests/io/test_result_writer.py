"""Writing entries: alone and on ranks, killed and continued."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import synthetic_results

import hpc_cr
from hpc_cr.config import parse_job
from hpc_cr.io import layout, provenance, schema
from hpc_cr.io.errors import ResultError
from hpc_cr.io.writer import ResultWriter, check_resumable

SCRIPT = Path(synthetic_results.__file__)
MPI = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "OMP_NUM_THREADS": "1",
}
parallel_only = pytest.mark.skipif(
    shutil.which("mpirun") is None or not h5py.get_config().mpi,
    reason="needs mpirun and an h5py built with MPI",
)


def mpirun(ranks, *arguments, **options):
    """Popen of the script under mpirun, in a process group of its own."""
    line = ["mpirun", "-q", "--bind-to", "none", "-n", str(ranks), sys.executable, "-m", "mpi4py"]
    return subprocess.Popen(
        [*line, str(SCRIPT), *map(str, arguments), "--mpi"],
        env={**os.environ, **MPI}, start_new_session=True, **options,
    )  # fmt: skip


def data_of(path):
    """Bytes of every dataset but the run records."""
    found = {}

    def take(name, node):
        if isinstance(node, h5py.Dataset) and not name.endswith("runs"):
            found[name] = node[()].tobytes()

    with h5py.File(path, locking=False) as file:
        file.visititems(take)
    return found


def test_what_is_written_is_what_is_read(complete, job):
    with hpc_cr.open_results(complete) as results:
        assert results.complete and results.done.shape == (6, 2)
        assert results.damaged() == []
        for row, rig in ((0, 0), (5, 1)):
            entry = synthetic_results.entry(job, row, rig)
            for name in ("response", "response_error", "direction_response", "noise", "alm"):
                np.testing.assert_array_equal(getattr(results, name)[row, rig], entry[name])
            np.testing.assert_array_equal(results.alm_half[row, rig], entry["alm_half"])
        assert results.steps[3, 0] == 2_000_003
        assert results.unfinished.sum() == 6
        assert results.seconds.sum() == pytest.approx(6.0)


def test_a_wrong_entry_is_refused(tmp_path, job):
    layout.create(tmp_path / "out.h5", job, provenance=provenance.collect())
    with ResultWriter(tmp_path / "out.h5", job) as writer:
        entry = synthetic_results.entry(job, 0, 0)
        with pytest.raises(ValueError, match="alm has shape"):
            writer.write_entry("", 0, 0, entry | {"alm": entry["alm"][:2]})
        del entry["noise"]
        with pytest.raises(ValueError, match="no noise"):
            writer.write_entry("", 0, 0, entry)
        assert not writer.done_flags("").any()


def test_without_parallel_hdf5_rank_0_writes_for_all(tmp_path, job, monkeypatch):
    """h5py built without MPI: the other ranks open nothing, rank 0 works as if alone."""
    layout.create(tmp_path / "out.h5", job, provenance=provenance.collect())
    monkeypatch.setattr(h5py, "get_config", lambda: SimpleNamespace(mpi=False))
    with ResultWriter(tmp_path / "out.h5", job, SimpleNamespace(rank=1, size=2)) as writer:
        assert not writer.parallel and not writer.can_write
    with ResultWriter(tmp_path / "out.h5", job, SimpleNamespace(rank=0, size=2)) as writer:
        assert not writer.parallel and writer.can_write
        writer.write_entry("", 4, 1, synthetic_results.entry(job, 4, 1))
    assert np.argwhere(check_resumable(tmp_path / "out.h5", job)[""]).tolist() == [[4, 1]]


def test_run_records(tmp_path, job, monkeypatch):
    path = tmp_path / "out.h5"
    facts = provenance.collect()
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    layout.create(path, job, provenance=facts)
    for start in range(schema.MAX_RUNS + 3):
        with ResultWriter(path, job) as writer:
            slot = writer.record_start(facts, ranks=8, team_size=2)
            assert slot == min(start, schema.MAX_RUNS - 1)
            if start == 1:
                continue  # as if killed
            if start == 2:
                writer.write_entry("", 0, 0, synthetic_results.entry(job, 0, 0))
            writer.record_end(slot, f"end of start {start} " + "\N{GREEK SMALL LETTER MU}" * 100)
    with hpc_cr.open_results(path) as results:
        runs = results.runs
    assert len(runs) == schema.MAX_RUNS
    assert runs[0]["ranks"] == 8 and runs[0]["team_size"] == 2 and runs[0]["job_id"] == "4711"
    assert runs[0]["version"] == hpc_cr.__version__ and runs[0]["ended"] >= runs[0]["started"]
    assert runs[1]["state"] == "killed" and runs[1]["ended"] == ""
    assert [run["entries"] for run in runs[:4]] == [0, 0, 1, 0]
    assert runs[-1]["state"].startswith("end of start 66")


def test_resume_knows_what_is_done(partial, cases_job):
    flags = check_resumable(partial, cases_job)
    order = [(case.name, row, rig) for case, row, rig in synthetic_results.entries(cases_job)]
    for n, (case, row, rig) in enumerate(order):
        assert flags[case][row, rig] == (n % 3 == 0)


def test_a_damaged_entry_is_not_done(tmp_path, partial, cases_job):
    """One flipped number in the data of a finished entry: found, and computed again."""
    path = shutil.copy(partial, tmp_path / "out.h5")
    before = check_resumable(path, cases_job)
    with h5py.File(path, "r+") as file:
        file["case/isotropic/anisotropy/displacement"][0, 0, 1, 2, 100] += 1.0
    after = check_resumable(path, cases_job)
    assert before["isotropic"][0, 0] and not after["isotropic"][0, 0]
    assert after["isotropic"].sum() == before["isotropic"].sum() - 1
    np.testing.assert_array_equal(after["strong-field"], before["strong-field"])


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("seed = 7", "seed = 8", "run.seed"),
        ('"10 PV"', '"11 PV"', "particles.rigidities"),
        ("1e-4 / pc", "2e-4 / pc", "gradient.magnitude"),
        ('"60 pc"', '"61 pc"', "boundary.times"),
    ],
)
def test_another_job_is_refused(complete, old, new, key):
    other = parse_job(synthetic_results.JOB.replace(old, new))
    with pytest.raises(ResultError, match=key.replace(".", r"\.")) as error:
        check_resumable(complete, other)
    assert "\n" not in str(error.value)


def test_other_cases_are_refused(complete, partial, job, cases_job):
    with pytest.raises(ResultError, match="other cases"):
        check_resumable(complete, cases_job)
    text = synthetic_results.JOB + synthetic_results.CASES.replace("3.795", "3.8")
    with pytest.raises(ResultError, match=r'regular\.strength.* in case "strong-field"'):
        check_resumable(partial, parse_job(text))


def test_what_does_not_change_numbers_may_change(complete):
    other = parse_job(synthetic_results.JOB + "[parallel]\nteam_size = 2\n", name="renamed")
    assert check_resumable(complete, other)[""].all()


def test_truncated_file(tmp_path, complete, job):
    path = tmp_path / "out.h5"
    path.write_bytes(complete.read_bytes()[:-5000])
    with pytest.raises(ResultError, match="truncated"):
        check_resumable(path, job)


def kill_after(process, ranks, entries):
    """SIGKILL every rank after some entries were announced; returns all announced entries."""
    lines, pids = [], []
    while len(lines) - len(pids) < entries or len(pids) < ranks:
        lines.append(process.stdout.readline())
        assert lines[-1], "the writer ended by itself"
        if lines[-1].startswith("pid "):
            pids.append(int(lines[-1].split()[1]))
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    lines += process.stdout.readlines()
    process.wait(timeout=60)
    whole = [line.rstrip("\n") for line in lines if line.endswith("\n")]
    return {tuple(line.split(" ")) for line in whole if line.count(" ") == 2}


def assert_entries_whole(path, job, announced):
    """Every announced entry is marked, every marked entry has exactly its numbers."""
    with hpc_cr.open_results(path) as results:
        for case, stored in zip(job.cases, results.each_case(), strict=True):
            assert stored.damaged() == []
            for row, rig in np.argwhere(stored.done):
                expected = synthetic_results.entry(case.job, row, rig)
                np.testing.assert_array_equal(stored.alm_half[row, rig], expected["alm_half"])
            for name, row, rig in announced:
                if name == case.name:
                    assert stored.done[int(row), int(rig)]
            assert not stored.complete


@pytest.fixture
def job_file(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(synthetic_results.JOB + synthetic_results.CASES)
    return path


@pytest.mark.parametrize("lines", [1, 4])
def test_killed_serial_writer_keeps_finished_entries(tmp_path, cases_job, job_file, lines):
    path = tmp_path / "out.h5"
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(path), str(job_file), "--hold"],
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    announced = kill_after(process, 1, lines)
    assert len(announced) >= lines
    assert_entries_whole(path, cases_job, announced)


@pytest.mark.mpi
@parallel_only
def test_killed_ranks_keep_finished_entries(tmp_path, cases_job, job_file):
    path = tmp_path / "out.h5"
    process = mpirun(2, path, job_file, "--hold", stdout=subprocess.PIPE, text=True)
    announced = kill_after(process, 2, 3)
    assert len(announced) >= 3
    assert_entries_whole(path, cases_job, announced)


@pytest.mark.mpi
@parallel_only
@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_ranks_write_the_same_file_as_one_process(tmp_path, cases_job, job_file, ranks):
    """Each rank writes its own entries; the data are those of a serial run, byte for byte."""
    path = tmp_path / "out.h5"
    process = mpirun(ranks, path, job_file, stdout=subprocess.DEVNULL)
    assert process.wait(timeout=120) == 0
    serial = synthetic_results.write(tmp_path / "serial.h5", cases_job)
    assert data_of(path) == data_of(serial)
    with hpc_cr.open_results(path) as results:
        run = results.runs[0]
        assert run["ranks"] == ranks and run["state"] == "complete" and run["entries"] == 20
        assert "MPI" in run["mpi"]


def test_reading_while_a_job_writes(tmp_path, cases_job, job_file):
    """Readers come and go while entries are added: the number done only grows, no error."""
    path = tmp_path / "out.h5"
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(path), str(job_file), "--hold"],
        stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        deadline, seen = time.monotonic() + 60, [0]
        while seen[-1] < 20 and time.monotonic() < deadline:
            if path.exists():
                with hpc_cr.open_results(path) as results:
                    cases = list(results.each_case())
                    seen.append(sum(int(case.done.sum()) for case in cases))
                    assert all(case.damaged() == [] for case in cases)
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)
    assert seen[-1] == 20 and seen == sorted(seen)


def test_facts_are_plain(tmp_path, monkeypatch):
    """Versions, commit and machine, found without starting MPI or failing anywhere."""
    code = (
        "import json, sys; from hpc_cr.io import provenance;"
        "facts = provenance.collect(['hpc-cr', 'run']);"
        "assert 'mpi4py.MPI' not in sys.modules, 'MPI was started';"
        "print(json.dumps(facts))"
    )
    plain = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "PATH": str(tmp_path)}, cwd=tmp_path,
    )  # fmt: skip
    facts = json.loads(plain.stdout)
    assert facts["commit"] == "unknown" and facts["dirty"] == -1  # no git on this PATH
    assert facts["command"] == "hpc-cr run" and facts["mpi"] == "none"
    assert facts["numpy"] == np.__version__ and facts["hdf5"] == h5py.version.hdf5_version
    assert all(isinstance(value, str | int) for value in facts.values())
