"""hpc-cr submit without SLURM: scripts, wall times, and what is refused (tests/slurm submits)."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from hpc_cr.cli import batch, slurm
from hpc_cr.cli.main import run
from hpc_cr.cli.scripts import part_name, scripts
from hpc_cr.cli.submission import Needs, Wishes, lines, memory_asked, wall_time
from hpc_cr.config import load_job

ROOT = Path(__file__).resolve().parents[2]
READY = sorted((ROOT / "jobs" / "slurm").glob("*.sbatch"))
SHELL = sorted((ROOT / "jobs" / "slurm").rglob("*.sh"))

JOB = """
[run]
seed = 7
realisations = 8
[turbulence]
rms = "4 uG"
outer_scale = "20 pc"
inner_scale = "1 pc"
[grids]
cells = 24
levels = 2
periods = 2
[particles]
rigidities = ["20 PV"]
nside = 2
[boundary]
times = ["3 pc"]
[gradient]
direction = [90, 0]
magnitude = "0.01 / pc"
"""

HOUR = slurm.Partition(name="short", limit=3600, memory=16 * 2**30, cores=64, nodes=8)
NEEDS = Needs(seconds=1000.0, node=2 * 2**30)


@pytest.fixture
def job(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "my job.toml"
    path.write_text(JOB)
    return path


@pytest.fixture
def no_slurm(monkeypatch):
    """A path on which neither sinfo nor sbatch is found."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))


def wishes(**changes):
    plain = dict.fromkeys(Wishes._fields) | {
        "nodes": 1, "more": (), "overrides": (), "output": Path("my job.h5"),
        "script": Path("my job.sbatch")}  # fmt: skip
    return Wishes(**plain | changes)


def directives(text):
    """Options of sbatch in a script, by name."""
    found = re.findall(r"^#SBATCH (-[^= \n]+)(?:=(.*))?$", text, flags=re.M)
    names = [name for name, _ in found]
    assert len(names) == len(set(names)), "an option stands twice"
    return {name: value.strip('"') for name, value in found}


def one(job, asked, per_node=64):
    """The only script of a submission."""
    (script,) = scripts(load_job(job), job, asked, per_node, 1800, memory_asked(NEEDS, HOUR))
    return script.text


@pytest.mark.parametrize("path", READY + SHELL, ids=lambda path: path.name)
def test_scripts_are_valid_shell(path):
    subprocess.run(["bash", "-n", path], check=True)


@pytest.mark.parametrize("path", READY, ids=lambda path: path.name)
def test_ready_scripts_ask_for_what_the_page_promises(path):
    found = directives(path.read_text())
    assert found["--cpus-per-task"] == "1" and found["--open-mode"] == "append"
    if "run_until_complete" in path.read_text():
        assert found["--signal"] == "B:USR1@120" and "--requeue" in found


def test_script_holds_everything(job):
    """Nothing is sourced from the package, so that the script runs wherever it is put."""
    text = one(job, wishes(nodes=4))
    found = directives(text)
    assert (found["--nodes"], found["--ntasks-per-node"]) == ("4", "64")
    assert found["--job-name"] == "my job" and found["--chdir"] == str(job.parent)
    assert "--exclusive" in found and "--mem" not in found
    assert f"set -- '{job}' -o 'my job.h5'" in text
    assert "run_until_complete \"$@\"" in text and "scontrol requeue" in text
    assert "load_profile" not in text and "$place" not in text
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)


def test_options_of_sbatch(job):
    """A share of a node asks for memory; what the user says of sbatch has the last word."""
    asked = wishes(per_node=8, partition="short", account="cr", overrides=("run.seed=3",),
                   more=("--qos=long", "--signal=B:USR1@300", "--hold"))
    text = one(job, asked, per_node=8)
    found = directives(text)
    assert found["--mem"] == "3072M" and "--exclusive" not in found
    assert (found["--partition"], found["--account"]) == ("short", "cr")
    assert (found["--qos"], found["--signal"], found["--hold"]) == ("long", "B:USR1@300", "")
    assert "--set run.seed=3" in text


def test_array_and_its_merge(job):
    blocks, merge = scripts(load_job(job), job, wishes(blocks=3), 64, 1800, 0)
    assert directives(blocks.text)["--array"] == "0-2"
    assert "HPC_CR_BLOCKS=3" in blocks.text and "--block" in blocks.text
    parts = [f"'my job-{i}of3.h5'" for i in (1, 2, 3)]
    assert f"set -- -o 'my job.h5' {' '.join(parts)}" in merge.text
    assert part_name(Path("d/x.h5"), 2, 12) == Path("d/x-2of12.h5")
    # the shell that runs an array names its files in the same way
    common = (ROOT / "jobs" / "slurm" / "common.sh").read_text()
    (function,) = re.findall(r"^result_file\(\) \{.*?^\}$", common, flags=re.M | re.S)
    shell = blocks.text.partition("choose_launch\n# block")[2].replace("run_until_complete", "echo")
    shell = f"{function}\nSLURM_ARRAY_TASK_ID=1\nSLURM_ARRAY_TASK_MAX=2\n#{shell}"
    for words in (["my job.toml"], ["x.toml", "-o", "my job.h5"], ["x.toml", "-omy job.h5"]):
        done = subprocess.run(["bash", "-c", shell, "array", *words], capture_output=True,
                              text=True, check=True)
        assert done.stdout.endswith("--block 2/3 -o my job-2of3.h5\n")


def test_wall_time():
    # 1000 s x 1.5 + 300 s = 1800 s, of whole five minutes
    assert wall_time(wishes(), NEEDS, HOUR) == 1800
    assert wall_time(wishes(), NEEDS._replace(seconds=1001), HOUR) == 2100
    assert wall_time(wishes(), NEEDS._replace(seconds=9000), HOUR) == 3600
    assert wall_time(wishes(), NEEDS._replace(seconds=9000), None) == 13800
    assert wall_time(wishes(time="2-00:00:00"), NEEDS, HOUR) == 172800
    with pytest.raises(click.UsageError, match="--time soon: expected a time as for sbatch"):
        wall_time(wishes(time="soon"), NEEDS, HOUR)


def test_what_the_user_is_told(job):
    def told(needs, facts=HOUR, **changes):
        return "\n".join(lines(load_job(job), wishes(**changes), 64, needs, facts))

    text = told(NEEDS, nodes=2)
    assert "128 ranks (2 nodes x 64) of partition short" in text
    assert "2.00 GiB per node (+-25 %) of 16.0 GiB" in text and "warning" not in text
    assert "17 min predicted; 00:30:00 requested (1.5 times that and 5 min, rounded up)" in text
    long = told(Needs(20000.0, 32 * 2**30))
    assert "01:00:00 requested (the limit of partition short)" in long
    assert "requeues itself at the limit, about 6 times" in long
    assert "warning: more than a node has" in long


@pytest.mark.parametrize(("text", "value"), [
    ("90", 5400), ("1:30", 90), ("02:00:00", 7200), ("1-6", 108000), ("1-06:30", 109800),
    ("7-00:00:00", 604800), ("infinite", float("inf"))])  # fmt: skip
def test_times_of_slurm(text, value):
    assert slurm.seconds(text) == value
    if value < float("inf"):
        assert slurm.seconds(slurm.clock(value)) == value


def test_a_script_of_the_user_is_kept(job):
    path = job.parent / "my job.sbatch"
    batch.check(path)
    batch.write(path, one(job, wishes()))
    batch.check(path)  # untouched: may be written again
    path.write_text(path.read_text() + "echo done\n")
    with pytest.raises(click.UsageError, match="was written or edited by hand"):
        batch.check(path)
    path.write_text("#!/bin/bash\nsrun hpc-cr run my.toml\n")
    with pytest.raises(click.UsageError, match="--script names another file"):
        batch.check(path)


def test_profiles():
    assert set(batch.profiles()) == {"conda", "debian", "easybuild", "modules", "spack"}
    with pytest.raises(click.UsageError, match="did you mean spack"):
        batch.profile_text("spck")
    assert "module load" in batch.profile_text("modules")


def test_profile_in_the_script(job, tmp_path):
    mine = tmp_path / "mine.sh"
    mine.write_text("module load mine\n")
    text = one(job, wishes(profile=str(mine)))
    assert f"venv={sys.prefix}\nmodule load mine\nchoose_launch\n" in text


def test_dry_run_measures_and_prints_the_script_only(job, no_slurm, capsys):
    assert run(["submit", str(job), "--tasks-per-node", "4", "--dry-run"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("#!/bin/bash\n")
    assert directives(printed.out)["--time"] == "00:10:00"
    assert "s predicted; 00:10:00 requested" in printed.err
    assert sorted(os.listdir(job.parent)) == ["my job.toml"]


def refusal(capsys, *words):
    """The one line that a refused submission prints."""
    assert run(["submit", *(str(word) for word in words)]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    return printed.err


def test_refusals(job, no_slurm, capsys, tmp_path):
    per_node = ("--tasks-per-node", 2)
    assert "turbulence.rsm" in refusal(capsys, job, "--set", "turbulence.rsm=4 uG")
    assert "no such file" in refusal(capsys, tmp_path / "none.toml")
    assert "--tasks-per-node is needed" in refusal(capsys, job)
    assert "there is no folder" in refusal(capsys, job, *per_node, "-o", tmp_path / "no" / "x.h5")
    assert "8 realisations" in refusal(capsys, job, *per_node, "--array", 9)
    assert "expected a time as for sbatch" in refusal(capsys, job, *per_node, "--time", "1 h")
    assert "expected an option of sbatch" in refusal(capsys, job, *per_node, "--sbatch", "hold")
    assert "did you mean conda" in refusal(capsys, job, *per_node, "--profile", "cond")
    (tmp_path / "my job.sbatch").write_text("mine")
    assert "edited by hand" in refusal(capsys, job, *per_node)
    assert (tmp_path / "my job.sbatch").read_text() == "mine"


def test_without_sbatch(job, no_slurm, capsys):
    assert run(["submit", str(job), "--tasks-per-node", "2"]) == 2
    assert "there is no sbatch here: my job.sbatch is written" in capsys.readouterr().err
    assert batch.is_untouched(job.parent / "my job.sbatch")


def test_results_that_are_there(job, monkeypatch, capsys):
    subprocess.run([sys.executable, "-m", "hpc_cr", "run", job, "--quiet",
                    "--set", "run.realisations=1"], check=True)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    words = (job, "--tasks-per-node", 2)
    same = ("--set", "run.realisations=1")
    assert "is complete: nothing to submit" in refusal(capsys, *words, *same)
    assert "run.seed" in refusal(capsys, *words, *same, "--set", "run.seed=8")
    assert "-o names another file" in refusal(capsys, *words, "--array", 2)
    assert run(["submit", *map(str, words), "--dry-run"]) == 0
    assert "holds 1 of 8 entries: the job goes on" in capsys.readouterr().err
