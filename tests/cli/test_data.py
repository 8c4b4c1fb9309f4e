"""hpc-cr data: what is listed, what is shown, and that a failed renewal changes nothing."""

import os
import subprocess
import sys

import pytest

from hpc_cr.cli.main import run
from hpc_cr.measurements import dipole, renewal


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HPC_CR_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.mark.parametrize("arguments", [["data"], ["data", "list"]])
def test_list(arguments, capsys):
    assert run(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    points = dipole.read().points
    (tibet,) = [line for line in lines if line.startswith("Tibet")]
    # counted in the papers: four energies in 2005, five in 2017; 4 TeV to 1 PeV
    assert tibet.split()[:4] == ["Tibet", "air", "showers", "9"]
    assert "0.004 to 1 " in tibet and tibet.endswith("Amenomori et al. 2005, 2017")
    assert lines[-2].startswith(f"{len(points)} points of 39 experiments, as shipped")
    assert len(lines) == 39 + 4


def test_show_has_errors_limits_references_and_notes(capsys):
    assert run(["data", "show", "kascade"]) == 0
    shown = capsys.readouterr().out
    assert "< 10 (95 %)" in shown and "ApJ 604, 687 (2004), arXiv:astro-ph/0312375" in shown
    assert "no confidence level: 95 % is from memory" in shown
    assert run(["data", "show", "Baksan", "Carpet"]) == 0
    shown = capsys.readouterr().out
    assert "2.6 +3.5 -2.6" in shown and "323 " in shown and "arXiv:0902.2967" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data", "show", "Tibbet"], "did you mean Tibet?"),
        (["data", "lst"], "Did you mean 'list'?"),
        (["data", "show", "none"], "name an experiment"),
        (["data", "show"], "data show: Missing argument"),
        (["data", "update", "--timeout", "0"], "see hpc-cr data update --help"),
    ],
)
def test_mistakes_are_one_line(arguments, message, capsys):
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err and captured.err.count("\n") == 1 and captured.out == ""


def test_a_broken_renewed_table_is_named(own_folder, capsys):
    own_folder.mkdir()
    (own_folder / dipole.NAME).write_text("energy,amplitude\n1,2\n")
    assert run(["data"]) == 2
    captured = capsys.readouterr()
    assert str(own_folder / dipole.NAME) in captured.err and captured.err.count("\n") == 1
    assert captured.out == ""


def test_update_writes_and_says_what(own_folder, monkeypatch, capsys):
    def renewed(folder, timeout):
        path = (folder or dipole.user_folder()) / dipole.NAME
        renewal.write(path, dipole.read().points, "renewed 2030-01-02 from x")
        return path, renewal.Renewal(1, 2, 3, 4)

    monkeypatch.setattr(renewal, "renew", renewed)
    assert run(["data", "update"]) == 0
    out = capsys.readouterr().out
    assert "1 points renewed, 2 new, 3 kept" in out and out.count("\n") == 1
    assert run(["data"]) == 0
    assert "renewed 2030-01-02: " + str(own_folder) in capsys.readouterr().out


def update(folder, **environment):
    """hpc-cr data update as a user starts it."""
    return subprocess.run([sys.executable, "-m", "hpc_cr", "data", "update", "--timeout", "5"],
                          env=os.environ | environment | {"HPC_CR_DATA": str(folder)},
                          capture_output=True, text=True, timeout=60)  # fmt: skip


def test_update_without_network_or_client_changes_nothing(tmp_path):
    """The real client where it is installed: no connection, for nobody listens on the proxy's port.

    Where it is not: said in the same single line.
    """
    before = dipole.PACKAGE_TABLE.read_bytes()
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / dipole.NAME).write_bytes(before)
    done = update(kept, https_proxy="http://127.0.0.1:9")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("hpc-cr: data update: ") and done.stderr.count("\n") == 1
    assert "nothing was changed" in done.stderr
    assert "crdb" in done.stderr
    assert [path.name for path in kept.iterdir()] == [dipole.NAME]
    assert (kept / dipole.NAME).read_bytes() == dipole.PACKAGE_TABLE.read_bytes() == before


def test_update_without_the_client(tmp_path):
    """A module of that name that cannot be imported stands for none at all."""
    (tmp_path / "crdb.py").write_text("raise ImportError('No module named crdb')\n")
    (tmp_path / "cachier.py").write_text("")
    done = update(tmp_path / "data", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "pip install crdb" in done.stderr and not (tmp_path / "data").exists()
