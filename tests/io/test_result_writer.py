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
from hpc_cr.io.resume import check_resumable, other_versions
from hpc_cr.io.verify import verify
from hpc_cr.io.writer import ResultWriter

SCRIPT = Path(synthetic_results.__file__)
parallel_only = pytest.mark.skipif(
    shutil.which("mpirun") is None or not h5py.get_config().mpi,
    reason="needs mpirun and an h5py built with MPI",
)


def mpirun(ranks, *arguments, **options):
    """Popen of the script under mpirun, in a process group of its own."""
    line = ["mpirun", "-q", "--bind-to", "none", "-n", str(ranks), sys.executable, "-m", "mpi4py"]
    return subprocess.Popen(
        [*line, str(SCRIPT), *map(str, arguments), "--mpi"],
        start_new_session=True, **options,
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
        assert all(entry.whole for entry in verify(results))
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
    assert runs[-1]["state"].startswith("end of start 258")


def test_resume_knows_what_is_done(partial, cases_job):
    flags = check_resumable(partial, cases_job)
    order = [(case.name, row, rig) for case, row, rig in synthetic_results.entries(cases_job)]
    for n, (case, row, rig) in enumerate(order):
        assert flags[case][row, rig] == (n % 3 == 0)


def test_a_damaged_entry_is_not_done(tmp_path, partial, cases_job):
    """One flipped number in the data of a finished entry: found, and computed again."""
    path = shutil.copy(partial, tmp_path / "out.h5")
    before = check_resumable(path, cases_job)
    assert path.read_bytes() == partial.read_bytes()  # nothing is damaged: nothing is written
    with h5py.File(path, "r+") as file:
        file["case/isotropic/anisotropy/displacement"][0, 0, 1, 2, 100] += 1.0
    data = data_of(path)
    after = check_resumable(path, cases_job)
    assert before["isotropic"][0, 0] and not after["isotropic"][0, 0]
    assert after["isotropic"].sum() == before["isotropic"].sum() - 1
    np.testing.assert_array_equal(after["strong-field"], before["strong-field"])
    # the file says so too, and nothing else in it has changed
    with hpc_cr.open_results(path) as results:
        np.testing.assert_array_equal(results.done, after["isotropic"])
        assert all(entry.whole for entry in verify(results))
    changed = {name for name, found in data_of(path).items() if found != data[name]}
    assert changed == {"case/isotropic/status/done"}


def test_a_run_that_ends_before_the_damage_is_mended_is_not_complete(tmp_path, complete, job):
    path = shutil.copy(complete, tmp_path / "out.h5")
    with h5py.File(path, "r+") as file:
        file["anisotropy/alm"][4, 1, 2, 0, 3] += 1e-3
    with hpc_cr.open_results(path) as results:
        assert results.complete  # control: the flags alone do not know
    check_resumable(path, job)
    with ResultWriter(path, job) as writer:  # as after a signal: no entry is written
        assert not writer.done_flags("").all()
        writer.write_entry("", 4, 1, synthetic_results.entry(job, 4, 1))
        assert writer.done_flags("").all()
    assert data_of(path) == data_of(complete)


def test_a_damaged_file_that_cannot_be_mended(tmp_path, complete, job, monkeypatch):
    path = shutil.copy(complete, tmp_path / "out.h5")
    with h5py.File(path, "r+") as file:
        file["anisotropy/alm"][4, 1, 2, 0, 3] += 1e-3
    open_file = h5py.File

    def read_only(name, mode, **options):
        if mode != "r":
            raise PermissionError(13, "Permission denied")
        return open_file(name, mode, **options)

    monkeypatch.setattr(h5py, "File", read_only)
    with pytest.raises(ResultError, match=r"out\.h5: cannot open for writing: Permission denied$"):
        check_resumable(path, job)


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


def kill_after(process, folder, ranks, entries):
    """SIGKILL every rank after some entries were announced; returns all announced entries."""
    lines = []
    while len(_announced(lines)) < entries:
        lines.append(process.stdout.readline())
        assert lines[-1], "the writer ended by itself"
    deadline = time.monotonic() + 60
    while len(pids := [f.read_text() for f in folder.glob("pid-*")]) < ranks or "" in pids:
        assert time.monotonic() < deadline, "a rank did not begin"
        time.sleep(0.02)
    for pid in pids:
        os.kill(int(pid), signal.SIGKILL)
    lines += process.stdout.readlines()
    process.wait(timeout=60)
    return _announced(lines)


def _announced(lines):
    """(case, row, rig) of the lines that are whole; mpirun may break or add others."""
    words = [tuple(line.split()) for line in lines if line.endswith("\n")]
    return {w for w in words if len(w) == 3 and w[1].isdigit() and w[2].isdigit()}


def assert_entries_whole(path, job, announced):
    """Every announced entry is marked, every marked entry has exactly its numbers."""
    with hpc_cr.open_results(path) as results:
        assert all(entry.whole for entry in verify(results))
        for case, stored in zip(job.cases, results.each_case(), strict=True):
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
    announced = kill_after(process, tmp_path, 1, lines)
    assert len(announced) >= lines
    assert_entries_whole(path, cases_job, announced)


@pytest.mark.mpi
@parallel_only
def test_killed_ranks_keep_finished_entries(tmp_path, cases_job, job_file):
    path = tmp_path / "out.h5"
    process = mpirun(2, path, job_file, "--hold", stdout=subprocess.PIPE, text=True)
    announced = kill_after(process, tmp_path, 2, 3)
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
                    assert all(entry.whole for entry in verify(results))
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


CHANGES = {
    "version": ("99.0", "made with hpc_cr {old}, now 99.0"),
    "commit": ("0123456789abcdef", "made with commit {old}, now 0123456789ab"),
    "numpy": ("99.1", "made with numpy {old}, now 99.1"),
    "scipy": ("99.2", "made with scipy {old}, now 99.2"),
    "hdf5": ("99.3", "made with hdf5 {old}, now 99.3"),
    "python": ("99.4", "made with python {old}, now 99.4"),
}


@pytest.fixture
def clean():
    """Facts of a program whose source is as it was committed."""
    return provenance.collect() | {"commit": "fedcba9876543210", "dirty": 0}


@pytest.mark.parametrize("name", CHANGES)
def test_a_file_of_other_versions_says_so(tmp_path, job, clean, name):
    path = tmp_path / "out.h5"
    layout.create(path, job, provenance=clean)
    assert other_versions(path, clean) == []
    # neither machine nor command line is a version
    assert other_versions(path, clean | {"host": "x", "command": "y", "user": "z"}) == []
    value, words = CHANGES[name]
    assert other_versions(path, clean | {name: value}) == [words.format(old=clean[name][:12])]


def test_versions_of_every_run_on_the_file_count(tmp_path, job, clean):
    """Made, continued with another version, and continued with the first one again."""
    path = tmp_path / "out.h5"
    layout.create(path, job, provenance=clean)
    for version in (clean["version"], "98.0", clean["version"]):
        with ResultWriter(path, job) as writer:
            facts = clean | {"version": version}
            writer.record_end(writer.record_start(facts, ranks=1, team_size=1), "complete")
    assert other_versions(path, clean) == [f"made with hpc_cr 98.0, now {clean['version']}"]


@pytest.mark.parametrize(
    ("then", "now", "words"),
    [
        (0, 0, []),
        (-1, -1, []),
        (1, 0, ["made with changes to the source that are not committed"]),
        (1, 1, ["made with changes to the source that are not committed"]),
        (0, 1, ["the source has changes that are not committed"]),
    ],
)
def test_changes_that_are_not_committed(tmp_path, job, clean, then, now, words):
    layout.create(tmp_path / "out.h5", job, provenance=clean | {"dirty": then})
    assert other_versions(tmp_path / "out.h5", clean | {"dirty": now}) == words


def test_an_installed_program_without_a_commit(tmp_path, job, clean):
    facts = clean | {"commit": "unknown", "dirty": -1}
    layout.create(tmp_path / "out.h5", job, provenance=facts)
    assert other_versions(tmp_path / "out.h5", facts) == []
    (words,) = other_versions(tmp_path / "out.h5", clean)
    assert words == "made with commit unknown, now fedcba987654"
