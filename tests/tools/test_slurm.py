"""Starting and ending the SLURM for the tests: what is refused, and what is never killed."""

import os
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "tools" / "slurm"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may start nodes")


def call(script, *words, **env):
    return subprocess.run([FOLDER / script, *words], env=os.environ | env, capture_output=True,
                          text=True, timeout=60)


@pytest.mark.parametrize("words", [("0",), ("3", "many"), ("-1",)])
def test_wrong_numbers_are_refused(tmp_path, words):
    done = call("up.sh", *words, SLURM_TEST_BASE=str(tmp_path / "base"))
    assert done.returncode != 0 and done.stderr.count("\n") == 1 and "NODES" in done.stderr
    assert not (tmp_path / "base").exists()


@as_root
def test_what_is_missing_is_told_where_apt_is_forbidden(tmp_path):
    hide = tmp_path / "hide"   # `command -v` finds nothing of what SLURM brings
    hide.write_text('command() { case "$2" in slurm*|srun|munged) return 1;;'
                    ' *) builtin command "$@";; esac; }\n')
    done = call("up.sh", SLURM_TEST_BASE=str(tmp_path / "base"), HPC_CR_APT="0",
                BASH_ENV=str(hide))
    assert done.returncode != 0 and done.stderr.count("\n") == 1
    assert "slurmctld slurmd slurm-client munge " in done.stderr and "HPC_CR_APT" in done.stderr


@as_root
@pytest.mark.parametrize("foreign", [False, True])
def test_only_own_processes_are_killed(tmp_path, foreign):
    """A process number of a former instance may belong to somebody else by now."""
    with subprocess.Popen(["sleep", "100"]) as sleeper:
        fields = Path(f"/proc/{sleeper.pid}/stat").read_text().rpartition(")")[2].split()
        born = int(fields[19]) - (100 if foreign else 0)
        (tmp_path / "n1.pid").write_text(f"{sleeper.pid} {born}\n")
        try:
            assert call("down.sh", SLURM_TEST_BASE=str(tmp_path)).returncode == 0
            assert (sleeper.poll() is None) == foreign
            assert not (tmp_path / "n1.pid").exists()
        finally:
            sleeper.kill()
