"""The scaling study: its points, its reports, and the simulation against exact results.

Equal tasks without any cost but their own take ceil(n/p) rounds. A manager that needs a time s per
request limits tiny tasks to 1/s. Writes that the file takes one at a time limit entries likewise.
"""

import json
from math import ceil

import numpy as np
import pytest
from click.testing import CliRunner

from tools.scaling import predict, report, study
from tools.scaling.command import command
from tools.scaling.simulate import PLAIN, Costs, Policy, simulate

FREE = Costs(call=1e-9)
"""Nothing costs anything, and rank 0 looks at its messages all the time."""
SERVES = Policy(serve_only=True)
"""Rank 0 serves only."""


def equal(tasks, entries=1, seconds=1.0):
    return np.full((tasks, entries), seconds / entries)


@pytest.mark.parametrize("tasks, ranks", [(100, 7), (64, 2), (5, 8), (61, 6), (12, 1)])
def test_equal_tasks_take_whole_rounds(tasks, ranks):
    for policy in (None, PLAIN):
        outcome = simulate(equal(tasks), FREE, ranks, policy=policy)
        assert outcome.seconds == pytest.approx(ceil(tasks / ranks), rel=1e-6)
        assert outcome.efficiency == pytest.approx(
            tasks / (ranks * ceil(tasks / ranks)), rel=1e-6)


def test_rank_0_that_serves_computes_nothing():
    assert simulate(equal(100), FREE, 8, policy=SERVES).seconds == pytest.approx(ceil(100 / 7))


def test_manager_limits_tiny_tasks():
    """2000 tasks of 1 us at 1 ms per request; control: at 1 ns the manager limits nothing."""
    slow = simulate(equal(2000, seconds=1e-6), Costs(request=1e-3), 64, policy=SERVES)
    assert slow.seconds == pytest.approx(2000e-3, rel=0.01)
    assert slow.manager > 0.95
    fast = simulate(equal(2000, seconds=1e-6), Costs(request=1e-9), 64, policy=SERVES)
    assert fast.seconds < 1e-3 and fast.manager < 0.1


def test_file_limits_tiny_entries():
    """Of 2 ms per write 1 ms is one at a time; control: writes that share nothing overlap."""
    costs = Costs(write=2e-3, write_shared=1e-3)
    outcome = simulate(equal(2000, seconds=1e-6), costs, 65, policy=SERVES)
    assert outcome.seconds == pytest.approx(2000e-3, rel=0.01)
    assert outcome.file > 0.95
    free = simulate(equal(2000, seconds=1e-6), costs._replace(write_shared=0.0), 65, policy=SERVES)
    assert free.seconds == pytest.approx(ceil(2000 / 64) * 2e-3, rel=0.05)


def test_waits_for_a_rank_0_that_computes():
    """Requests come at random in kernel calls of 0.1 s: half a call per task of 1 s.

    Asking ahead removes it, but for the last tasks of each leader.
    """
    # sorted by their true lengths, tasks would run in step and end when rank 0 looks anyway
    plain = simulate(equal(400), Costs(call=0.1), 2, spread=0.2, policy=PLAIN)
    # rank 1 does half of the tasks and waits 0.05 +- 0.03 s for each: 1 rank in 2 loses 5 %
    assert plain.waiting == pytest.approx(0.05 / 2, abs=0.006)
    assert simulate(equal(400), Costs(call=0.1), 2, spread=0.2).waiting < 0.001


def test_splitting_the_last_realisations_shortens_the_end():
    """6.1 realisations per rank: 7 rounds are 87 %; three entries each may be spread."""
    entries = np.tile([[1.0, 1.0, 1.0]], (610, 1))
    whole = simulate(entries, FREE, 100, policy=PLAIN)
    assert whole.efficiency == pytest.approx(6.1 / 7, rel=1e-5)
    split = simulate(entries, FREE, 100)
    assert split.efficiency == pytest.approx(6.1 / (19 / 3), rel=1e-5)
    # whoever splits makes the field again
    again = simulate(entries, FREE._replace(synthesis=0.01), 100)
    assert again.repeated == pytest.approx(0.01 * 2 * 510 / (100 * again.seconds), rel=0.02)


def test_teams_shorten_the_end():
    """One entry per realisation cannot be split: teams of 4 make 25 rounds of 24.4."""
    outcome = simulate(equal(610), FREE, 100, team=4)
    assert outcome.efficiency == pytest.approx(24.4 / 25, rel=1e-5)


def test_dry_run_lists_every_run():
    done = CliRunner().invoke(command, ["run", "--dry-run", "--ranks", "1,2,4", "--teams", "1,2",
                                        "--realisations", "8", "--repeats", "2"])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    # strong: ranks 1, 2, 4 and in teams of two 2, 4; weak: 2 and 4 realisations on 1 and 2 ranks,
    # 4 on 2 in a team; the largest is the strong one
    assert len(lines) == 2 * (5 + 3)
    assert all("mpirun.sh" in line and "run.realisations=" in line for line in lines)
    # repeats take turns
    assert [line.split(" --set")[0].replace("-0.h5", "-1.h5") for line in lines[:8]] == \
        [line.split(" --set")[0] for line in lines[8:]]


def test_submission_without_slurm_is_refused_in_one_line(tmp_path, monkeypatch):
    out = str(tmp_path / "scaling.json")
    listed = CliRunner().invoke(command, ["run", "--submit", "--dry-run", "-o", out, "--repeats",
                                          "1", "--ranks", "2", "--sbatch", "--partition=test"])
    assert listed.exit_code == 0 and listed.output.startswith("sbatch ")
    script = next((tmp_path / "scaling").glob("*.sbatch")).read_text()
    assert "#SBATCH --ntasks=2" in script and "#SBATCH --partition=test" in script
    assert '"${launch[@]}" -n "$ranks"' in script and "HPC_CR_TIMES=" in script
    monkeypatch.setenv("PATH", "")
    refused = CliRunner().invoke(command, ["run", "--submit", "-o", out, "--ranks", "2"])
    assert refused.exit_code != 0 and "sbatch" in refused.output


@pytest.mark.parametrize("words", [["--ranks", "2,x"], ["--teams", "8", "--ranks", "2"],
                                   ["--set", "turbulence.rsm=4 uG"]])
def test_wrong_options_are_refused(words):
    done = CliRunner().invoke(command, ["run", "--dry-run", *words])
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def record(ranks, realisations, seconds, repeat=0, team=1):
    return {"ranks": ranks, "team": team, "teams": ranks // team, "realisations": realisations,
            "repeat": repeat, "tracking_seconds": seconds, "command_seconds": seconds + 1,
            "writing_share": 0.001, "waiting_share": 0.01, "end_share": 0.0, "others": 0.0}


RECORDS = [record(1, 8, 16.0), record(1, 8, 20.0, 1), record(2, 8, 10.0), record(2, 8, 10.0, 1),
           record(1, 4, 8.0), record(1, 4, 8.0, 1)]


def test_efficiencies():
    strong = {row["ranks"]: row for row in report.rows(RECORDS, "strong")}
    # 16/(2 x 10) and 20/(2 x 10), repeat by repeat
    assert strong[2]["tracking_efficiency"] == pytest.approx((0.9, 0.8, 1.0))
    assert strong[1]["tracking_efficiency"] == pytest.approx((1, 1, 1))
    assert strong[2]["command_efficiency"][1] == pytest.approx(17 / 22)
    weak = {row["ranks"]: row for row in report.rows(RECORDS, "weak")}
    assert weak[2]["tracking_efficiency"] == pytest.approx((0.8, 0.8, 0.8))


def test_collected_runs_become_table_and_figure(tmp_path):
    """--collect of one finished run and one that is missing."""
    out = tmp_path / "scaling.json"
    folder = tmp_path / "scaling"
    folder.mkdir()
    _, times, whole, _ = study.files(folder, study.Point(1, 1, 8), 0)
    times.write_text(json.dumps({"ranks": 1, "teams": 1, "seconds": 10.0, "writing": [0.5],
                                 "waiting": [0.0], "end": [0.0]}))
    whole.write_text('{"seconds": 12.0}')
    words = ["run", "--collect", "-o", str(out), "--ranks", "1,2", "--teams", "1", "--repeats",
             "1", "--realisations", "8", "--kind", "strong"]
    done = CliRunner().invoke(command, words)
    assert done.exit_code == 0, done.output
    assert "1 of 2 runs are not finished" in done.output
    assert "5.00" in done.output  # per cent of the time in writes
    found = json.loads(out.read_text())
    assert found["strong"][0]["writing_share"] == [0.05] * 3
    assert out.with_suffix(".png").read_bytes()[:4] == b"\x89PNG"




def test_predictions_become_tables_and_a_figure(tmp_path):
    job = {"entries": [10.0, 5.0], "synthesis": 0.1, "sky": 0.01}
    machine = {"request": 3e-6, "report": 2e-6, "latency": 1e-6, "nap": 5e-4, "call": 0.1,
               "write": 5e-4, "write_shared": 5e-4, "datasets": 14, "bytes": 60_000}
    points = predict.predict({"a job": (job, 1)}, machine, [1, 16], 100, 0.05, 0.02, 5e-6,
                             (1e-3, 5e4, 1e10))
    assert [point["ranks"] for point in points] == [1, 1, 16, 16]
    one, _, many, plain = points
    assert one["efficiency"] == pytest.approx(1, rel=0.01)
    # 100 realisations on 16 ranks: 7 rounds of 6.25 unless the last ones are split
    assert plain["efficiency"] < many["efficiency"] - 0.05
    shown = predict.tables(points)
    assert len(shown) == 1 and shown[0].row_count == 2
    predict.figure(points, tmp_path / "prediction.png")
    assert (tmp_path / "prediction.png").read_bytes()[:4] == b"\x89PNG"
