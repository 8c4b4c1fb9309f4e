"""The same numbers to the last bit on any number of ranks and any team size.

No tolerance: the datasets are compared as bytes. 192 directions over a team of 5 are a ragged
split, as are 4 fields over 3 ranks; 5 ranks outnumber the fields, so that tasks are split by
rigidity.
"""

import pytest

from .launch import JOB, differing, run_job

pytestmark = pytest.mark.mpi


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bits")
    job = folder / "small.toml"
    job.write_text(JOB)
    return job, run_job(job, folder / "one.h5")


@pytest.mark.parametrize("ranks, team", [(2, 1), (3, 1), (5, 1), (2, 2), (5, 5), (5, 2)])
def test_same_bits_on_any_ranks_and_teams(reference, tmp_path, ranks, team):
    job, one = reference
    many = run_job(job, tmp_path / "many.h5", "--set", f"parallel.team_size={team}", ranks=ranks)
    assert differing(one, many) == []


def test_another_seed_gives_other_bits(reference, tmp_path):
    """Control: the comparison sees a difference where there is one."""
    job, one = reference
    other = run_job(job, tmp_path / "other.h5", "--set", "run.seed=8")
    names = differing(one, other)
    assert any(name.endswith("anisotropy/response") for name in names)
    assert any(name.endswith("anisotropy/displacement") for name in names)


SPHERE = ('kind = "time"\ntimes = ["3 pc", "10 pc"]', 'kind = "sphere"\nradii = ["2 pc", "5 pc"]')
CASH_KARP = ("[output]", '[integrator]\nmethod = "cash-karp"\n\n[output]')


@pytest.mark.parametrize(
    "changes",
    [
        [CASH_KARP],
        [SPHERE],
        [SPHERE, CASH_KARP],
        [("nside = 4", "count = 101")],
        [("nside = 4", "nside = 2\nobservers = 3")],
        [('inner_scale = "1 pc"', 'inner_scale = "1 pc"\nsynthesis = "plane-waves"\nwaves = 50')],
        [("cells = 24", 'cells = 24\nprecision = "double"'),
         ("[output]", "[output]\nfinal_direction = true\ncrossing_time = true")],
    ],
    ids=["cash-karp", "sphere", "sphere-cash-karp", "random", "observers", "plane-waves", "double"],
)
def test_same_bits_with_every_option(tmp_path, changes):
    text = JOB
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    job = tmp_path / "small.toml"
    job.write_text(text)
    one = run_job(job, tmp_path / "one.h5")
    three = run_job(job, tmp_path / "three.h5", "--set", "parallel.team_size=3", ranks=3)
    assert differing(one, three) == []


def test_same_bits_where_h5py_has_no_mpi(reference, tmp_path):
    """With a serial h5py rank 0 writes what the others send, through the serial driver."""
    job, one = reference
    script = tmp_path / "serial.py"
    script.write_text(
        "import types, h5py\n"
        "h5py.get_config = lambda: types.SimpleNamespace(mpi=False)\n"
        "from hpc_cr.cli.main import main\n"
        "main()\n"
    )
    import sys

    from .launch import mpirun, run

    out = tmp_path / "serial.h5"
    done = run([*mpirun(3), sys.executable, script, "run", job, "-o", out])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rank 0 writes" in done.stdout
    assert differing(one, out) == []
