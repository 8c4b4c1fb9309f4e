"""The same numbers to the last bit on any number of ranks and any team size.

No tolerance: the datasets are compared as bytes. 192 directions over a team of 5 are a ragged
split, as are 4 fields over 3 ranks; 5 ranks outnumber the fields, so that tasks are split by
rigidity.
"""

import sys

import pytest

from .launch import JOB, by_the_same_ranks, differing, mpirun, one_after_the_other, run

pytestmark = pytest.mark.mpi

TEAMS = [(2, 1), (3, 1), (5, 1), (2, 2), (5, 5), (5, 2)]
"""Ranks, and ranks in a team."""

SPHERE = ('kind = "time"\ntimes = ["3 pc", "10 pc"]', 'kind = "sphere"\nradii = ["2 pc", "5 pc"]')
CASH_KARP = ("[output]", '[integrator]\nmethod = "cash-karp"\n\n[output]')
OPTIONS = {
    "cash-karp": [CASH_KARP],
    "sphere": [SPHERE],
    "sphere-cash-karp": [SPHERE, CASH_KARP],
    "random": [("nside = 4", "count = 101")],
    "observers": [("nside = 4", "nside = 2\nobservers = 3")],
    "plane-waves": [('inner_scale = "1 pc"',
                     'inner_scale = "1 pc"\nsynthesis = "plane-waves"\nwaves = 50')],
    "double": [("cells = 24", 'cells = 24\nprecision = "double"'),
               ("[output]", "[output]\nfinal_direction = true\ncrossing_time = true")],
}
"""Changes (old, new) of the job's text."""


def compute(name, out, *settings):
    return ["run", f"{name}.toml", "-o", f"{out}.h5", "--quiet", *settings]


def teams(size):
    return ["--set", f"parallel.team_size={size}"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The job and its changes by a single process, NAME-one.h5; with another seed, seed.h5."""
    place = tmp_path_factory.mktemp("bits")
    for name, changes in {"small": [], **OPTIONS}.items():
        text = JOB
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (place / f"{name}.toml").write_text(text)
    one_after_the_other([compute("small", "seed", "--set", "run.seed=8"),
                         *(compute(name, f"{name}-one") for name in ("small", *OPTIONS))], place)
    return place


@pytest.fixture(scope="module")
def by_many(folder):
    """The same on many ranks: RANKS-TEAM.h5, and on a team of 3: NAME-three.h5."""
    for ranks in {ranks for ranks, _ in TEAMS}:
        commands = [compute("small", f"{ranks}-{team}", *teams(team))
                    for number, team in TEAMS if number == ranks]
        if ranks == 3:
            commands += [compute(name, f"{name}-three", *teams(3)) for name in OPTIONS]
        by_the_same_ranks(commands, folder, ranks)
    return folder


@pytest.mark.parametrize("ranks, team", TEAMS)
def test_same_bits_on_any_ranks_and_teams(by_many, ranks, team):
    assert differing(by_many / "small-one.h5", by_many / f"{ranks}-{team}.h5") == []


def test_another_seed_gives_other_bits(folder):
    """Control: the comparison sees a difference where there is one."""
    names = differing(folder / "small-one.h5", folder / "seed.h5")
    assert any(name.endswith("anisotropy/response") for name in names)
    assert any(name.endswith("anisotropy/displacement") for name in names)


@pytest.mark.parametrize("name", OPTIONS)
def test_same_bits_with_every_option(by_many, name):
    assert differing(by_many / f"{name}-one.h5", by_many / f"{name}-three.h5") == []


def test_same_bits_where_h5py_has_no_mpi(folder, tmp_path):
    """With a serial h5py rank 0 writes what the others send, through the serial driver."""
    script, out = tmp_path / "serial.py", tmp_path / "serial.h5"
    script.write_text(
        "import types, h5py\n"
        "h5py.get_config = lambda: types.SimpleNamespace(mpi=False)\n"
        "from hpc_cr.cli.main import main\n"
        "main()\n"
    )
    done = run([*mpirun(3), sys.executable, script, "run", folder / "small.toml", "-o", out])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rank 0 writes" in done.stdout
    assert differing(folder / "small-one.h5", out) == []
