"""hpc-cr submit without SLURM: scripts, wall times, and what is refused (tests/slurm submits)."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest

from hpc_cr.campaigns import planning
from hpc_cr.cli.main import run
from hpc_cr.cli.submit import batch, slurm
from hpc_cr.cli.submit.scripts import environment, part_name, scripts
from hpc_cr.cli.submit.submission import Needs, Wishes, lines, memory_asked, merge_time, wall_time
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
    (script,) = scripts(load_job(job), job, asked, per_node, 1800, memory_asked(NEEDS, HOUR), 0)
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
    blocks, merge = scripts(load_job(job), job, wishes(blocks=3), 64, 1800, 0, 900)
    assert directives(blocks.text)["--array"] == "0-2"
    assert "HPC_CR_BLOCKS=3" in blocks.text and "--block" in blocks.text
    parts = [f"'my job-{i}of3.h5'" for i in (1, 2, 3)]
    assert f"set -- -o 'my job.h5' {' '.join(parts)}" in merge.text
    found = directives(merge.text)
    assert found["--time"] == "00:15:00" and "--no-requeue" in found
    assert part_name(Path("d/x.h5"), 2, 12) == Path("d/x-2of12.h5")


def shell(text, *words, **variables):
    """Status and output of a piece of shell text."""
    done = subprocess.run(["bash", "-c", text, "script", *words], capture_output=True, text=True,
                          env=os.environ | variables)
    return done.returncode, done.stdout + done.stderr


def function(name):
    """Text of a function of common.sh."""
    common = (ROOT / "jobs" / "slurm" / "common.sh").read_text()
    pattern = rf"^{name}\(\) \{{(?:[^\n]*\}}$|.*?^\}}$)"
    return re.search(pattern, common, flags=re.M | re.S)[0]


@pytest.mark.parametrize("words", [["d/my job.toml"], ["my job.txt"], ["x.toml", "-o", "my job.h5"],
                                   ["x.toml", "-omy job.h5"]])
def test_blocks_of_the_ready_script(words):
    """It names files as `submit` does, and knows N where all blocks are submitted at once."""
    text = (ROOT / "jobs" / "slurm" / "array.sbatch").read_text().partition("choose_launch\n")[2]
    text = "\n".join([function("say"), function("result_file"),
                      text.replace("run_until_complete", "echo")])

    def task(first, last, **more):
        return shell(text, *words, SLURM_JOB_ID="7", SLURM_ARRAY_TASK_ID="1",
                     SLURM_ARRAY_TASK_MIN=str(first), SLURM_ARRAY_TASK_MAX=str(last),
                     SLURM_ARRAY_TASK_COUNT=str(last - first + 1), **more)

    of_three = (0, f"{' '.join(words)} --block 2/3 -o my job-2of3.h5\n")
    assert task(0, 2) == of_three
    assert task(1, 1, HPC_CR_BLOCKS="3") == of_three
    status, said = task(1, 1)
    assert status == 2 and "HPC_CR_BLOCKS=N says how many blocks there are" in said


@pytest.mark.parametrize(("variables", "ranks"), [
    ({}, 64), ({"SLURM_CPUS_PER_TASK": "2"}, 64), ({"SLURM_CPUS_PER_TASK": "12"}, 10),
    ({"SLURM_NTASKS": "3", "SLURM_CPUS_PER_TASK": "12"}, 3)])  # fmt: skip
def test_ranks_without_ntasks(variables, ranks):
    """Two nodes of 32 cores with two threads each; twelve threads are six cores."""
    tools = "hpc-cr() { :; }; srun() { :; }; scontrol() { echo ' ThreadsPerCore=2 '; }"
    text = f'{tools}\n{function("choose_launch")}\nchoose_launch; echo "$ranks"'
    variables = {"SLURM_NNODES": "2", "SLURM_CPUS_ON_NODE": "64"} | variables
    assert shell(text, **variables) == (0, f"{ranks}\n")


@pytest.mark.parametrize("name", ["modules", "easybuild"])
def test_a_module_that_cannot_be_loaded_ends_the_job(name, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "activate").touch()
    text = "\n".join([function("say"), "module() { echo $*; [ $1 != load ] || [ $2 = mpi ]; }",
                      batch.profile_text(name), "echo ready"])
    variables = {"SLURM_JOB_ID": "7", "venv": str(tmp_path)}
    assert shell(text, HPC_CR_MODULES="mpi", **variables) == (0, "purge\nload mpi\nready\n")
    status, said = shell(text, HPC_CR_MODULES="none", **variables)
    assert status == 2 and "module load failed" in said and "ready" not in said
    # nor where there are no modules at all
    status, said = shell(text.replace("module() {", "other() {"), SLURMD_NODENAME="n7", **variables)
    assert status == 2 and ("no module command on n7" in said or "module load failed" in said)


def test_wall_time():
    # 1000 s x 1.5 + 300 s = 1800 s, of whole five minutes
    assert wall_time(wishes(), NEEDS, HOUR) == 1800
    assert wall_time(wishes(), NEEDS._replace(seconds=1001), HOUR) == 2100
    assert wall_time(wishes(), NEEDS._replace(seconds=9000), HOUR) == 3600
    assert wall_time(wishes(), NEEDS._replace(seconds=9000), None) == 13800
    assert wall_time(wishes(time="2-00:00:00"), NEEDS, HOUR) == 172800
    # without a limit, as sbatch reads it
    assert wall_time(wishes(time="0"), NEEDS, HOUR) == float("inf")
    assert slurm.clock(wall_time(wishes(time="0"), NEEDS, HOUR)) == "UNLIMITED"
    with pytest.raises(click.UsageError, match="--time soon: expected a time as for sbatch"):
        wall_time(wishes(time="soon"), NEEDS, HOUR)


def test_wall_time_of_a_merge(job):
    assert merge_time(load_job(job), None) == 900  # 600 s and next to nothing
    # 750 rows of 3 x 12 x 1024^2 pixels, float32: 113 GB at 25 MB/s take 4530 s
    many = load_job(job, ["particles.nside=1024", "output.displacement=true",
                          "run.realisations=750"])
    assert merge_time(many, None) == 5400
    assert merge_time(many, HOUR) == 3600


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
    assert f"venv={sys.prefix}\nmodule load mine\n\nset -- '{job}' -o 'my job.h5'\n" in text


def test_a_profile_does_not_see_the_words_of_the_job(job, tmp_path):
    """conda's activate, for one, takes them for its own."""
    mine = tmp_path / "mine.sh"
    sourced = tmp_path / "sourced.sh"
    sourced.write_text('echo "sourced with ($*)"')
    mine.write_text(f". '{sourced}'\n")
    text = one(job, wishes(profile=str(mine)))
    text = text.replace("\nchoose_launch\nrun_until_complete", "\necho")
    assert shell(text) == (0, f"sourced with ()\n{job} -o my job.h5\n")


def test_environment_of_this_program(tmp_path, monkeypatch):
    """A venv is activated; conda's bin/activate is no such thing, its bin goes on the path."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "other"))
    for folder, names in (("bin", ("activate", "hpc-cr")), ("other", ("hpc-cr",))):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).touch(mode=0o755)
    assert environment(None) == f"export PATH={tmp_path}/bin:$PATH"
    (tmp_path / "bin" / "hpc-cr").unlink()
    assert environment(None) == f"export PATH={tmp_path}/other:$PATH"
    (tmp_path / "pyvenv.cfg").touch()
    assert environment(None) == f". {tmp_path}/bin/activate"


def test_compile_loads_the_kernel_of_the_watchdog_too(job):
    """In a process of its own, in which nothing else has loaded it."""
    text = f"""
from hpc_cr.cli.main import run
from hpc_cr.parallel.watchdog import watch_without_lock
assert not watch_without_lock.signatures
assert run(["plan", "--compile", {str(job)!r}]) == 0
assert watch_without_lock.signatures
"""
    subprocess.run([sys.executable, "-c", text], check=True)


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


def test_only_what_is_missing_is_predicted(job):
    """On one rank each realisation takes the same time."""
    job = load_job(job)
    cost = planning.CaseCost(0.0, 1.0, np.array([1e-3]), np.array([1000.0]), 0.5)

    def seconds(done):
        wall = planning.wall_seconds(job, [cost], 1, done)
        return wall - planning.START_AND_END_SECONDS

    assert seconds(None) == pytest.approx(8 * 2.5)
    assert seconds({"": np.arange(8)[:, None] < 5}) == pytest.approx(3 * 2.5)
