"""hpc-cr diff: entries are matched by what they are, numbers compared bit by bit."""

import json
import shutil

import h5py
import numpy as np
import pytest
import synthetic_results

from hpc_cr.cli.main import run
from hpc_cr.config import parse_job
from hpc_cr.io.distance import distance

TWO_OBSERVERS = ["particles.observers=2", "run.realisations=3"]


def by_name(job, row, rig):
    """Numbers that depend on what an entry is, not on its place in the file."""
    realisation = row // job.particles.observers + job.run.first_realisation
    key = [realisation, row % job.particles.observers, int(1000 * job.particles.rigidities[rig])]
    whole = synthetic_results.entry(job, 0, 0)
    maps = {name: np.random.default_rng([*key, *name.encode()]).normal(size=value.shape)
            for name, value in whole.items() if isinstance(value, np.ndarray)}
    return {**whole, **maps, "steps": 1000 + realisation, "unfinished": 0}


def make(path, *overrides, cases=True, **options):
    text = synthetic_results.JOB + (synthetic_results.CASES if cases else "")
    job = parse_job(text, name="synthetic", overrides=[*TWO_OBSERVERS, *overrides])
    return synthetic_results.write(path, job, entry=by_name, **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return make(tmp_path_factory.mktemp("diff") / "a.h5")


def diff(a, b, capsys, status):
    """The document and the text."""
    capsys.readouterr()
    assert run(["diff", str(a), str(b), "--json"]) == status
    document = json.loads(capsys.readouterr().out)
    assert run(["diff", str(a), str(b)]) == status
    captured = capsys.readouterr()
    assert captured.err == ""
    return document, captured.out


def differing(document):
    return {(n["case"], n["path"]): n for n in document["numbers"] if n["differ"]}


def test_same_file(whole, capsys):
    document, text = diff(whole, whole, capsys, 0)
    assert document["same_numbers"] and document["job"] == document["provenance"] == []
    assert "24 entries in both: the same to the last bit" in text
    compared = {n["path"]: n["compared"] for n in document["numbers"] if n["case"] == "isotropic"}
    assert compared["anisotropy/displacement"] == compared["status/checksum"] == 12
    # everything but what says how the entries were made
    with h5py.File(whole, "r") as file:
        group = file["case/isotropic"]
        stored = {f"{part}/{name}" for part in ("anisotropy", "status") for name in group[part]}
    machine = {f"status/{name}" for name in ("rank", "seconds", "origin", "done")}
    assert {p for p in compared if not p.startswith("axes/")} == stored - machine


def test_a_longer_run_with_other_rigidities_and_stops_in_another_order(whole, tmp_path, capsys):
    other = make(tmp_path / "b.h5", "run.realisations=5", 'particles.rigidities=["10 PV","3 PV"]',
                 finished=lambda n, row, rig: row != 2)
    document, text = diff(whole, other, capsys, 0)
    assert document["same_numbers"]
    for done in document["completion"]:
        assert (done["first"], done["second"], done["common"]) == (12, 18, 5)
    assert {d["key"] for d in document["job"]} >= {"run.realisations", "particles.rigidities"}
    assert "case isotropic: 12 of 12 | 18 of 20, 5 in both" in text


def test_a_block_of_realisations_matches_by_realisation(whole, tmp_path, capsys):
    block = make(tmp_path / "block.h5", "run.first_realisation=2", "run.realisations=2")
    document, _ = diff(whole, block, capsys, 0)
    assert [done["common"] for done in document["completion"]] == [4, 4]


def test_stops_are_matched_by_value(whole, tmp_path, capsys):
    path = tmp_path / "b.h5"
    job = parse_job(synthetic_results.JOB + synthetic_results.CASES, name="synthetic",
                    overrides=[*TWO_OBSERVERS, 'boundary.times=["5 pc","60 pc"]'])

    with h5py.File(whole, "r") as source:
        def entry(job, row, rig):
            case = "strong-field" if job.regular.strength else "isotropic"
            group = source[f"case/{case}/anisotropy"]
            # 5 pc is new, 60 pc was the last of three
            found = {name: np.stack([0 * d[row, rig, 0], d[row, rig, 2]])
                     for name, d in group.items() if name != "local_field"}
            return {**by_name(job, row, rig), **found}

        synthetic_results.write(path, job, entry=entry)
    document, text = diff(whole, path, capsys, 0)
    stops = next(n for n in document["numbers"] if n["path"] == "axes/time")
    assert stops["note"] == "2 of 8 are in both files"
    response = next(n for n in document["numbers"] if n["path"] == "anisotropy/response")
    assert response["compared"] == 12
    assert "covers other data" in text


def test_one_changed_number_is_found_and_placed(whole, tmp_path, capsys):
    path = shutil.copy(whole, tmp_path / "b.h5")
    with h5py.File(path, "r+") as file:
        noise = file["case/strong-field/anisotropy/noise"]
        largest = np.abs(noise[3, 1]).max()
        noise[3, 1, 0, 1, 2] += 0.25 * largest
        file["case/strong-field/anisotropy/alm"][5, 0, 0, 0, 0] *= np.exp(1e-9j)
        file["case/strong-field/status/seconds"][0, 0] = 99
        file["case/strong-field/status/rank"][0, 0] = 99
    document, text = diff(whole, path, capsys, 1)
    found = differing(document)
    assert {case for case, _ in found} == {"strong-field"}
    assert {path for _, path in found} == {"anisotropy/noise", "anisotropy/alm"}
    changed = found["strong-field", "anisotropy/noise"]
    assert changed["differ"] == 1 and changed["where"] == "realisation 1, observer 1, 10 PV"
    assert changed["absolute"] == pytest.approx(0.25 * largest) and changed["units"] == "pc2"
    assert 0.2 < changed["relative"] <= 0.25
    turned = found["strong-field", "anisotropy/alm"]
    assert 0 < turned["relative"] < 2e-9 and turned["where"] == "realisation 2, observer 1, 1 PV"
    assert "DIFFERENT" in text and f"{changed['absolute']:.3g} pc2" in text


def test_other_settings_and_makers(whole, tmp_path, capsys):
    other = make(tmp_path / "b.h5", "integrator.tolerance=0.001", "parallel.team_size=2",
                 "output.displacement=false", "output.l_max=3")
    with h5py.File(other, "r+") as file:
        file.attrs["numpy"] = "1.0.0"
    # these numbers do not depend on the integrator: settings alone are no difference of numbers
    document, text = diff(whole, other, capsys, 0)
    changed = [d for d in document["job"] if d["key"] == "integrator.tolerance"]
    assert [(d["case"], d["first"], d["second"], d["changes_numbers"]) for d in changed] == [
        (case, 1e-4, 1e-3, True) for case in ("isotropic", "strong-field")]
    team = next(d for d in document["job"] if d["key"] == "parallel.team_size")
    assert not team["changes_numbers"]
    assert "\n  integrator.tolerance: 0.0001 | 0.001\n" in text  # once for both cases
    assert "parallel.team_size: 1 | 2   (no influence on numbers)" in text
    assert {"name": "numpy", "first": np.__version__, "second": "1.0.0"} in document["provenance"]
    notes = {n["path"]: n["note"] for n in document["numbers"] if n["case"] == "isotropic"}
    assert notes["anisotropy/displacement"] == "only in the first file"
    assert notes["anisotropy/alm"] == "other shape: (3, 15) and (3, 10)"


def test_other_versions_alone_are_no_difference_of_numbers(whole, tmp_path, capsys):
    path = shutil.copy(whole, tmp_path / "b.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["commit"] = "0" * 40
    document, text = diff(whole, path, capsys, 0)
    assert [d["name"] for d in document["provenance"]] == ["commit"]
    assert "\n  commit: " in text


def test_nothing_in_common_is_not_the_same(whole, tmp_path, capsys):
    other = make(tmp_path / "b.h5", "run.first_realisation=7", cases=False)
    document, text = diff(whole, other, capsys, 1)
    assert not document["same_numbers"] and "nothing was compared" in text
    assert document["cases_only_in_a"] == ["isotropic", "strong-field"]


def test_single_cases_are_compared_whatever_their_names(tmp_path, capsys):
    plain = make(tmp_path / "a.h5", cases=False)
    job = parse_job(synthetic_results.JOB + '[[case]]\nname = "x"\nset = {}\n', name="synthetic",
                    overrides=TWO_OBSERVERS)
    named = synthetic_results.write(tmp_path / "b.h5", job, entry=by_name)
    document, _ = diff(plain, named, capsys, 0)
    assert document["completion"][0]["common"] == 12


def test_wrong_input(whole, tmp_path, capsys):
    assert run(["diff", str(whole), str(tmp_path / "none.h5")]) == 2
    assert "no such file" in capsys.readouterr().err
    assert run(["diff", str(whole)]) == 2


@pytest.mark.parametrize(
    ("one", "other", "absolute", "relative"),
    [
        ([1.0, -4.0], [1.0, -3.0], 1.0, 0.25),
        ([1.0, np.nan], [1.5, np.nan], 0.5, 1 / 3),
        ([1.0, np.nan], [1.0, 2.0], np.inf, np.inf),
        ([0.0], [-0.0], 0.0, 0.0),
        ([np.nan], [-np.nan], 0.0, 0.0),
        ([3 + 4j], [0j], 5.0, 1.0),
        (np.uint32([1]), np.uint32([3]), 2.0, 2 / 3),
        (np.float32([1]), np.float32([1 + 2**-23]), 2**-23, 2**-23 / (1 + 2**-23)),
    ],
)  # fmt: skip
def test_distance(one, other, absolute, relative):
    assert distance(np.asarray(one), np.asarray(other)) == pytest.approx((absolute, relative))
