"""Files extended and merged: every entry in its place, the same bits, nothing lost or invented.

Entries are made from what they are (realisation, observer, rigidity), so that one in a wrong place
shows in its numbers. The whole file, written in one go, is the truth.
"""

import gzip
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import synthetic_results
from test_result_writer import data_of

import hpc_cr
from hpc_cr.cli.main import run
from hpc_cr.config import JobError, parse_job
from hpc_cr.config.blocks import block_of, parse_block, with_realisations
from hpc_cr.io import copying, join, layout, provenance
from hpc_cr.io.errors import ResultError
from hpc_cr.io.lock import FileLock
from hpc_cr.io.pieces import look_at, missing_names
from hpc_cr.io.resume import check_resumable, must_lay_out, other_versions
from hpc_cr.io.verify import verify

OLDER = {version: Path(__file__).with_name(f"version-{version}.h5.gz") for version in (1, 2)}
JOB = synthetic_results.JOB.replace("[turbulence]", '[turbulence]\ninner_scale = "0.2 pc"')
OBSERVERS = JOB.replace("nside = 4", "nside = 4\nobservers = 2")
MAPS = OBSERVERS + "displacement = true\n"
FACTS = provenance.collect() | {"dirty": 0}


def entry(job, row, rig):
    """The entry of a realisation, observer and rigidity, wherever the file has it."""
    realisation, observer = divmod(row, job.particles.observers)
    realisation += job.run.first_realisation
    rigidity = job.particles.rigidities[rig]
    rng = np.random.default_rng([realisation, observer, int(rigidity * 1e6)])
    arrays = synthetic_results.entry(job, row, rig)
    for name, value in arrays.items():
        if isinstance(value, np.ndarray):
            arrays[name] = rng.normal(size=value.shape)
    return arrays | {"steps": 1000 * realisation + observer, "unfinished": int(rigidity)}


def write(path, job, **options):
    return synthetic_results.write(path, job, entry=entry, **options)


def numbers(path):
    """What bit-identity covers: all but run records and the origin of entries."""
    return {name: found for name, found in data_of(path).items() if not name.endswith("origin")}


def extended(path, job):
    """Extend a file as a run does before it computes what is missing."""
    check_resumable(path, job)
    assert must_lay_out(path, job)
    return join.extend(path, job, provenance=FACTS)


def completed(path, job, done):
    """Write what is missing, then compare with a file written in one go."""
    from hpc_cr.io.writer import ResultWriter

    with ResultWriter(path, job) as writer:
        for case, row, rig in synthetic_results.entries(job):
            if not done[case.name][row, rig]:
                writer.write_entry(case.name, row, rig, entry(case.job, row, rig))
    whole = write(path.with_name("whole.h5"), job)
    assert numbers(path) == numbers(whole)
    return path


@pytest.fixture(autouse=True)
def clean_source(monkeypatch):
    """Whether the source has changes that are not committed is said, and is not the matter here."""
    monkeypatch.setattr(provenance, "collect", lambda: dict(FACTS))


@pytest.fixture
def small_blocks(monkeypatch):
    """Copy in blocks of a few entries and single stops, as files of gigabytes are."""
    monkeypatch.setattr(copying, "BLOCK_BYTES", 8000)
    monkeypatch.setattr(copying, "SYNC_BYTES", 20_000)


@pytest.mark.parametrize(
    ("text", "count"),
    [(JOB, 1), (JOB, 6), (MAPS, 2), (JOB + synthetic_results.CASES, 3)],
)
def test_blocks_are_merged_into_the_whole(tmp_path, small_blocks, text, count):
    job = parse_job(text, name="synthetic")
    pieces = [write(tmp_path / f"{i}.h5", block_of(job, i, count)) for i in range(1, count + 1)]
    before = [piece.read_bytes() for piece in pieces]
    merger = look_at(pieces[::-1], tmp_path / "merged.h5")
    copied = []
    join.merge(merger, tmp_path / "merged.h5", provenance=FACTS, report=copied.append)
    assert sum(copied) == merger.n_bytes
    whole = write(tmp_path / "whole.h5", job)
    assert numbers(tmp_path / "merged.h5") == numbers(whole)
    assert [piece.read_bytes() for piece in pieces] == before
    with hpc_cr.open_results(tmp_path / "merged.h5") as results:
        assert all(case.complete for case in results.each_case())
        assert all(entry.whole for entry in verify(results))
        assert results.provenance["created_by"] == "merge"
        assert [r["piece"] for r in results.runs] == [piece.name for piece in pieces[::-1]]
        # entries of the first block were made by the run recorded last
        assert results.origin["run"][0, 0] == count - 1
        assert not set(results.origin["run"].ravel()) - set(range(count))


def test_a_wrong_offset_shows_in_the_numbers(tmp_path):
    """Control: were a block's first realisation forgotten, the comparison above would fail."""
    job = parse_job(JOB, name="synthetic")
    forgetful = write(tmp_path / "2.h5", block_of(job, 2, 2), finished=lambda *_: False)
    first = block_of(job, 1, 2)
    synthetic_results.write(forgetful, block_of(job, 2, 2),
                            entry=lambda _, row, rig: entry(first, row, rig))
    pieces = [write(tmp_path / "1.h5", first), forgetful]
    join.merge(look_at(pieces, tmp_path / "m.h5"), tmp_path / "m.h5", provenance=FACTS)
    merged, whole = numbers(tmp_path / "m.h5"), numbers(write(tmp_path / "whole.h5", job))
    assert {name for name in whole if merged[name] != whole[name]} >= {
        "anisotropy/response", "anisotropy/alm", "status/steps", "status/checksum"}  # fmt: skip


MORE = {
    "later realisations": ("realisations = 6", "realisations = 9"),
    "earlier and later": ("realisations = 6", "realisations = 11\nfirst_realisation = 2"),
    "rigidities between": ('"1 PV", "10 PV"', '"3 PV", "10 PV", "1 PV", "30 PV"'),
    "another order": ('"1 PV", "10 PV"', '"10 PV", "1 PV"'),
    "observers": ("observers = 2", "observers = 3"),
    "gradient by rigidity": ('"1 PV", "10 PV"]\nnside', '"2 PV", "1 PV", "10 PV"]\nnside'),
}


@pytest.mark.parametrize("what", MORE)
def test_a_file_is_extended(tmp_path, small_blocks, what):
    text = MAPS.replace("realisations = 6", "realisations = 6\nfirst_realisation = 4")
    if what == "gradient by rigidity":
        text = text.replace('"1e-4 / pc"', '["1e-4 / pc", "3e-4 / pc"]')
    old = parse_job(text, name="synthetic")
    before, after = MORE[what]
    more = text.replace(before, after)
    if what == "earlier and later":
        more = more.replace("\nfirst_realisation = 4", "")
    if what == "gradient by rigidity":
        more = more.replace('["1e-4 / pc"', '["7e-4 / pc", "1e-4 / pc"')
    job = parse_job(more, name="synthetic")
    path = write(tmp_path / "out.h5", old, finished=lambda n, row, rig: n % 5)
    with hpc_cr.open_results(path) as results:
        finished, origin = int(results.done.sum()), results.origin[results.done]
        runs = results.runs
    promised = check_resumable(path, job)[""]
    done = extended(path, job)[""]
    np.testing.assert_array_equal(done, promised)
    assert done.sum() == finished
    with hpc_cr.open_results(path) as results:
        assert results.job == job and all(entry.whole for entry in verify(results))
        np.testing.assert_array_equal(results.done, done)
        assert results.runs == runs  # origin.run points at the same records
        assert sorted(results.origin[done].tolist()) == sorted(origin.tolist())
    assert not must_lay_out(path, job)
    completed(path, job, {"": done})


def test_cases_are_added(tmp_path):
    text = JOB + '[[case]]\nname = "strong-field"\nset = {}\n'
    path = write(tmp_path / "out.h5", parse_job(text, name="synthetic"))
    job = parse_job(JOB + '[[case]]\nname = "isotropic"\nset = { "turbulence.rms" = "3 uG" }\n'
                    + text.removeprefix(JOB), name="synthetic")  # fmt: skip
    done = extended(path, job)
    assert done["strong-field"].all() and not done["isotropic"].any()
    completed(path, job, done)


def test_a_damaged_entry_is_left_behind(tmp_path):
    job = parse_job(JOB.replace("= 6", "= 8"), name="synthetic")
    path = write(tmp_path / "out.h5", parse_job(JOB, name="synthetic"))
    with h5py.File(path, "r+") as file:
        file["anisotropy/alm"][4, 1, 2, 0, 3] += 1e-3
    done = extended(path, job)[""]
    assert done.sum() == 11 and not done[4, 1]
    completed(path, job, {"": done})


@pytest.mark.parametrize("version", OLDER)
def test_a_file_of_an_older_version_is_read_but_not_continued(version, tmp_path):
    """Its entries lack data of this version; programs that knew no more wrote the files."""
    path = tmp_path / "1.h5"
    path.write_bytes(gzip.decompress(OLDER[version].read_bytes()))
    before = path.read_bytes()
    with hpc_cr.open_results(path) as results:
        job = results.job
        assert results.complete and np.isfinite(results.response).all()
        assert (results.origin is None) == (version == 1)
        assert results.array("anisotropy/memory") is None
        with pytest.raises(ResultError, match=f"format version {version} has no anisotropy/memory"):
            results.memory  # noqa: B018 - the access is what is tried
    # complete for its own job, there is nothing to do but to print it
    assert check_resumable(path, job)[""].all() and not must_lay_out(path, job)
    assert must_lay_out(path, with_realisations(job, {"": (0, 3)}))
    with pytest.raises(ResultError, match=f"version {version}: its entries lack .* begin anew"):
        extended(path, with_realisations(job, {"": (0, 3)}))
    second = write(tmp_path / "2.h5", with_realisations(job, {"": (2, 3)}))
    with pytest.raises(ResultError, match=f"1.h5: format version {version}: .* or merged"):
        look_at([second, path], tmp_path / "out.h5")
    assert path.read_bytes() == before and not (tmp_path / "out.h5").exists()


def test_mode_and_link_stay(tmp_path):
    target = write(tmp_path / "real.h5", parse_job(JOB, name="synthetic"))
    target.chmod(0o640)
    (tmp_path / "out.h5").symlink_to(target)
    extended(tmp_path / "out.h5", parse_job(JOB.replace("= 6", "= 7"), name="synthetic"))
    assert (tmp_path / "out.h5").is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    with hpc_cr.open_results(target) as results:
        assert len(results.done) == 7


REFUSED = {
    "fewer realisations": ("= 6", "= 5", r"holds more .*run\.realisations is 5 now, 6 in the file"),
    "later realisations only": ("= 6", "= 6\nfirst_realisation = 1",
                                r"run\.first_realisation is 6 realisations \(1 to 6\) now, 6"),
    "fewer rigidities": ('"1 PV", "10 PV"', '"1 PV"', r"holds more .*particles\.rigidities"),
    "other rigidities": ('"10 PV"', '"11 PV", "12 PV"', r"holds more .*particles\.rigidities"),
    "fewer observers": ("observers = 2", "observers = 1", r"holds more .*particles\.observers"),
    "more maps": ("l_max = 4", "l_max = 4\ncrossing_time = true",
                  r"output\.crossing_time is true now, false in the file: maps cannot be added"),
    "fewer maps": ("displacement = true", "", r"output\.displacement is false now, true"),
    "another l_max": ("l_max = 4", "l_max = 3", r"output\.l_max is 3 now, 4 in the file"),
    "another seed": ("seed = 7", "seed = 8", r"run\.seed is 8 now, 7 in the file"),
    "gradient": ("1e-4 / pc", "2e-4 / pc", r"gradient\.magnitude is 0\.0002 / pc now, 0\.0001"),
    "more stops": ('"60 pc"', '"60 pc", "80 pc"', r"boundary\.times"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_change_or_lose_entries_is_refused(tmp_path, what):
    path = write(tmp_path / "out.h5", parse_job(MAPS), finished=lambda n, *_: n == 0)
    before, after, words = REFUSED[what]
    assert before in MAPS
    content = path.read_bytes()
    with pytest.raises(ResultError, match=words) as error:
        check_resumable(path, parse_job(MAPS.replace(before, after)))
    assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value)
    assert path.read_bytes() == content


def test_what_does_not_change_numbers_may_change_while_extending(tmp_path):
    path = write(tmp_path / "out.h5", parse_job(JOB, name="synthetic"))
    other = JOB.replace("= 6", "= 8") + '[parallel]\nteam_size = 4\n[grids]\nlayout = "nodes"\n'
    job = parse_job(other, name="synthetic")
    done = extended(path, job)[""]
    assert done.sum() == 12
    with hpc_cr.open_results(path) as results:
        assert results.job.grids.layout == "nodes" and results.job.parallel.team_size == 4


def test_random_directions_keep_their_observers(tmp_path):
    text = OBSERVERS.replace("nside = 4", "count = 48")
    path = write(tmp_path / "out.h5", parse_job(text))
    with pytest.raises(ResultError, match=r"particles\.observers is 3 now, 2 .*particles\.count"):
        check_resumable(path, parse_job(text.replace("observers = 2", "observers = 3")))


def test_the_default_inner_scale_follows_the_smallest_rigidity(tmp_path):
    path = write(tmp_path / "out.h5", parse_job(synthetic_results.JOB), finished=lambda *_: False)
    lower = synthetic_results.JOB.replace('"1 PV"', '"500 TV", "1 PV"')
    with pytest.raises(ResultError, match=r"turbulence\.inner_scale") as error:
        check_resumable(path, parse_job(lower))
    # what it says is what helps
    setting = re.search(r'set (turbulence\.inner_scale = ".*? pc")', str(error.value))[1]
    job = parse_job(lower, overrides=[setting])
    assert not extended(path, job)[""].any()


def test_the_disk_must_hold_both(tmp_path):
    path = write(tmp_path / "out.h5", parse_job(JOB))
    content = path.read_bytes()
    job = parse_job(JOB.replace("= 6", "= 1000000").replace("l_max = 4", "l_max = 11"))
    huge = parse_job(JOB.replace("= 6", "= 1000000").replace("nside = 4", "nside = 1024")
                     + "displacement = true\n")  # fmt: skip
    with pytest.raises(ResultError, match="made beside what it is copied from"):
        layout.create(path, huge, provenance=FACTS, fill=lambda partial: None)
    with pytest.raises(ResultError, match=r"output\.l_max"):
        check_resumable(path, job)
    assert path.read_bytes() == content and len(list(tmp_path.iterdir())) == 1


@pytest.fixture
def halves(tmp_path):
    """A job of six realisations in two files."""
    job = parse_job(JOB, name="synthetic")
    return [write(tmp_path / f"{i}.h5", block_of(job, i, 2)) for i in (1, 2)]


def refused(capsys, *arguments):
    """The one line with which `hpc-cr merge` refuses."""
    capsys.readouterr()  # what the fixtures said
    assert run(["merge", *map(str, arguments)]) == 2
    out, errors = capsys.readouterr()
    assert errors.count("\n") == 1 and out == ""
    return errors


def test_merge_refuses_what_does_not_belong_together(tmp_path, capsys, halves):
    out = tmp_path / "out.h5"
    first, second = halves

    def with_other(job, **options):
        other = write(tmp_path / "other.h5", parse_job(job, name="synthetic"), **options)
        return refused(capsys, first, other, "-o", out)

    one = 'realisations = 1\nfirst_realisation = 2'
    assert re.search(r"other\.h5 and .*1\.h5 both hold realisation 2, 1 PV and 1 more",
                     with_other(JOB.replace("realisations = 6", one)))  # fmt: skip
    assert re.search(r"other\.h5: of another job than .*1\.h5: run\.seed is 8, not 7",
                     with_other(JOB.replace("seed = 7", "seed = 8")))  # fmt: skip
    assert re.search(r'other\.h5: .*its cases are isotropic, strong-field, not none',
                     with_other(JOB + synthetic_results.CASES))  # fmt: skip
    assert "2.h5: is given twice" in refused(capsys, *halves, second, "-o", out)
    assert "is one of the files" in refused(capsys, *halves, "-o", second)
    assert "there is no such file" in refused(capsys, first, tmp_path / "none.h5", "-o", out)
    (tmp_path / "text.h5").write_text("not HDF5")
    assert "text.h5: not a result file" in refused(capsys, first, tmp_path / "text.h5", "-o", out)
    with h5py.File(shutil.copy(second, tmp_path / "newer.h5"), "r+") as file:
        file.attrs["format_version"] = 99
    assert "format version 99" in refused(capsys, first, tmp_path / "newer.h5", "-o", out)
    assert not out.exists()


def test_merge_refuses_a_file_that_is_being_written(tmp_path, capsys, halves):
    code = ("import sys; from hpc_cr.io.lock import FileLock; FileLock(sys.argv[1]).acquire();"
            "print(1, flush=True); sys.stdin.read()")  # fmt: skip
    with subprocess.Popen([sys.executable, "-c", code, halves[1]], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as job:  # fmt: skip
        job.stdout.readline()
        words = refused(capsys, *halves, "-o", tmp_path / "out.h5")
        job.stdin.close()
    assert "2.h5: a job is writing it" in words
    assert run(["merge", *map(str, halves), "-o", str(tmp_path / "out.h5")]) == 0
    assert "is being written by" in refused_while_locked(tmp_path, capsys, halves)


def refused_while_locked(tmp_path, capsys, halves):
    with FileLock(tmp_path / "out.h5"):
        return refused(capsys, *halves, "-o", tmp_path / "out.h5", "--overwrite")


def test_merge_refuses_damaged_entries(tmp_path, capsys, halves):
    with h5py.File(halves[1], "r+") as file:
        file["anisotropy/alm"][1, 0, 2, 0, 3] += 1e-3
    words = refused(capsys, *halves, "-o", tmp_path / "out.h5")
    assert "2.h5: realisation 4, 1 PV: the data do not have their checksum" in words
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.h5", "2.h5"]


def test_merge_names_what_is_missing(tmp_path, capsys):
    job = parse_job(OBSERVERS.replace("= 6", "= 10"), name="synthetic")
    pieces = [write(tmp_path / f"{i}.h5", block_of(job, i, 5),
                    finished=lambda n, row, rig: (row, rig) != (1, 1)) for i in (1, 4)]  # fmt: skip
    out = tmp_path / "out.h5"
    capsys.readouterr()
    assert run(["merge", *map(str, pieces), "-o", str(out)]) == 0
    text, errors = capsys.readouterr()
    assert errors == ""
    assert "14 of 32 entries done" in text and f"hpc-cr run JOB -o {out} --resume" in text
    with hpc_cr.open_results(out) as results:
        names = list(missing_names(results))
        assert results.job.run.realisations == 8
    assert names == ["realisations 2 to 5", "realisation 0, observer 1, 10 PV",
                     "realisation 6, observer 1, 10 PV"]  # fmt: skip
    assert "Unfinished: " + "; ".join(names) in text
    done = extended(out, job)
    completed(out, job, done)
    with pytest.raises(SystemExit):
        sys.exit(run(["merge", *map(str, pieces), "-o", str(out)]))
    assert "exists: --overwrite replaces it" in capsys.readouterr().err


def test_versions_that_are_not_the_same_are_said(tmp_path, capsys, monkeypatch):
    job, pieces = parse_job(JOB, name="synthetic"), []
    for i, version in ((1, "1.0"), (2, "1.1")):
        monkeypatch.setitem(FACTS, "version", version)
        pieces.append(write(tmp_path / f"{i}.h5", block_of(job, i, 2)))
    out = tmp_path / "out.h5"
    assert run(["merge", *map(str, pieces), "-o", str(out)]) == 0
    assert "note: made with hpc_cr 1.0 in 1.h5, 1.1 in 2.h5" in capsys.readouterr().err
    # who merges does not count, who computed does
    assert other_versions(out, FACTS) == ["made with hpc_cr 1.0, now 1.1"]


def test_a_killed_copy_leaves_the_file_as_it_was(tmp_path):
    job = parse_job(JOB.replace("= 6", "= 8"), name="synthetic")
    path = write(tmp_path / "out.h5", parse_job(JOB, name="synthetic"))
    content = path.read_bytes()

    class Stopped(Exception):
        pass

    def stop(n_bytes):
        raise Stopped

    with pytest.raises(Stopped):
        join.extend(path, job, provenance=FACTS, report=stop)
    assert path.read_bytes() == content and os.listdir(tmp_path) == ["out.h5"]
    # after kill -9 nobody tidies up, but the next run with the file does
    (tmp_path / ".out.h5.123.partial").write_text("half a file")
    check_resumable(path, job)
    assert os.listdir(tmp_path) == ["out.h5"]


def test_blocks():
    job = parse_job(JOB.replace("= 6", "= 10\nfirst_realisation = 5"))
    runs = [block_of(job, i, 4).run for i in (1, 2, 3, 4)]
    assert [(r.first_realisation, r.realisations) for r in runs] == [(5, 2), (7, 3), (10, 2),
                                                                     (12, 3)]  # fmt: skip
    with pytest.raises(JobError, match=r"run\.realisations: 10 realisations cannot be split"):
        block_of(job, 1, 11)
    assert parse_block("3/8") == (3, 8)
    for text in ("0/8", "9/8", "8", "1/0", "a/b", "-1/3", "1/3/5", ""):
        with pytest.raises(JobError, match="expected I/N"):
            parse_block(text)


def test_a_file_without_room_for_another_record_is_laid_out_anew(tmp_path):
    """No record is written over: entries would seem to be of another run."""
    job = parse_job(JOB, name="synthetic")
    path = synthetic_results.write(tmp_path / "out.h5", job, entry=entry)
    assert not must_lay_out(path, job)
    before = data_of(path)
    with h5py.File(path, "r+") as file:
        runs = file["provenance/runs"]
        runs[...] = np.repeat(runs[:1], len(runs))
    with hpc_cr.open_results(path) as results:
        n_runs = len(results.runs)
    assert must_lay_out(path, job)
    join.extend(path, job, provenance=FACTS)
    assert not must_lay_out(path, job) and data_of(path) == before
    with hpc_cr.open_results(path) as results:
        assert len(results.runs) == n_runs
