"""The command line itself: help, shipped jobs, one-line errors with status 2, quick start-up."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from hpc_cr.cli.document import valid
from hpc_cr.cli.main import COMMANDS, run
from hpc_cr.config.shipped import shipped_jobs


def hpc_cr(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "hpc_cr", *arguments], capture_output=True,
                          text=True, timeout=60, **options)


def test_help_lists_the_commands():
    result = hpc_cr("--help")
    assert result.returncode == 0 and result.stderr == ""
    for name in COMMANDS:
        assert f"\n  {name} " in result.stdout


def test_help_is_quick():
    # the best of three, since other processes may be running
    took = []
    for _ in range(3):
        start = time.perf_counter()
        hpc_cr("--help")
        took.append(time.perf_counter() - start)
    assert min(took) < 0.5


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command(name, capsys):
    assert run([name, "--help"]) == 0
    assert f"Usage: hpc-cr {name}" in capsys.readouterr().out


def test_version(capsys):
    from hpc_cr import __version__

    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"hpc-cr {__version__}\n"


def test_jobs_lists_names_and_descriptions(capsys):
    assert run(["jobs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(shipped_jobs())
    assert all(len(line.split()) > 5 for line in lines)


@pytest.mark.parametrize("name", shipped_jobs())
def test_jobs_prints_a_file(name, capsys):
    assert run(["jobs", name]) == 0
    assert capsys.readouterr().out == shipped_jobs()[name].read_text()


WRONG = {
    "no such command": (["runn"], "hpc-cr: runn: no such command; did you mean run?"),
    "no such option": (["--fast"], "hpc-cr: No such option"),
    "no such option of a command": (["jobs", "--fast"], "hpc-cr: jobs: No such option"),
    "missing argument": (["plan"], "hpc-cr: plan: Missing argument"),
    "no such job": (["jobs", "quikstart"],
                    "hpc-cr: quikstart: no such job; did you mean quickstart?"),
    "no such file": (["plan", "nowhere.toml"], "hpc-cr: nowhere.toml: no such file"),
    "no such result": (["info", "nowhere.h5"], "nowhere.h5"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_command_lines(name, capsys):
    arguments, words = WRONG[name]
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("command", ["run", "plan"])
def test_wrong_job_is_one_line_and_status_2(command, tmp_path):
    (tmp_path / "quickstart.toml").write_text('[particles]\nrigidity = ["1 PV"]\n')
    result = hpc_cr(command, "quickstart.toml", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr == ("hpc-cr: quickstart.toml: particles.rigidity: unknown key;"
                             " did you mean particles.rigidities?\n")
    assert result.stdout == ""


def test_only_the_first_rank_speaks(tmp_path):
    first, second = (
        hpc_cr("plan", "nowhere.toml", cwd=tmp_path,
               env={**os.environ, "OMPI_COMM_WORLD_RANK": rank})
        for rank in "01"
    )
    assert (first.returncode, second.returncode) == (2, 2)
    assert first.stderr.count("\n") == 1 and second.stderr == ""


def test_closed_pipe_is_no_error():
    command = f"{sys.executable} -m hpc_cr jobs quickstart | head -1"
    result = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True,
                            text=True, timeout=60)
    assert result.returncode == 0
    assert result.stderr == ""
    assert result.stdout.startswith("# ")


def test_an_error_of_the_program_keeps_its_traceback(monkeypatch):
    from hpc_cr.config import shipped

    def broken():
        raise RuntimeError("a bug")

    monkeypatch.setattr(shipped, "shipped_jobs", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        run(["jobs"])


def test_numbers_become_what_json_has():
    found = valid({"one": np.array(1.5), "many": np.array([[1, np.nan]]), "none": np.float64("inf"),
                   "list": (np.int64(2), np.bool_(True), "text")})  # fmt: skip
    assert found == {"one": 1.5, "many": [[1, None]], "none": None, "list": [2, True, "text"]}
    assert json.loads(json.dumps(found, allow_nan=False)) == found
