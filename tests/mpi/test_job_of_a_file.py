"""hpc-cr info --job: the job that a file carries gives the file again, bit for bit."""

import tomllib

import pytest

from hpc_cr.cli.main import run as hpc_cr_command

from .launch import JOB, differing, run_job

pytestmark = pytest.mark.mpi

PLAIN = JOB[: JOB.index("[[case]]")]
CHANGED = ["--set", "turbulence.slope=1.6", "--set", "particles.observers=2",
           "--set", 'boundary.times=[1, 2]', "--set", 'boundary.times_in="L_c"',
           "--set", "run.first_realisation=3"]  # fmt: skip


@pytest.mark.parametrize("text", [
    pytest.param(PLAIN, id="plain", marks=pytest.mark.slow), pytest.param(JOB, id="cases")])
def test_the_printed_job_gives_the_same_bits(text, tmp_path, capsys):
    (tmp_path / "first.toml").write_text(text)
    first = run_job(tmp_path / "first.toml", tmp_path / "first.h5", *CHANGED)
    assert hpc_cr_command(["info", "--job", str(first)]) == 0
    printed = capsys.readouterr().out
    # the settings of the command line are in it, resolved, and so are all defaults
    document = tomllib.loads(printed)
    assert document["turbulence"]["slope"] == 1.6 and document["run"]["first_realisation"] == 3
    assert document["integrator"]["method"] == "boris"
    (tmp_path / "again.toml").write_text(printed)
    again = run_job(tmp_path / "again.toml", tmp_path / "again.h5")
    assert differing(first, again) == []
