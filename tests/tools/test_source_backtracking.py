"""The dipole of a source by backtracking in concrete fields, and its Hall part.

Theory: along the field M = 3 D_par (1 - exp(-T/tau)), tau = 3 D_par/c. Gyration about a field that
is nearly uniform makes M antisymmetric across it: a positive particle has v(t) = v cos + (v x b)
sin, so that <X_2 n_1> - <X_1 n_2> integrates to +-r_g with the damping of the turbulence, M_21 =
-M_12 = r_g for positive particles along (b, 1, 2), and the reverse for antiparticles. In the
gradient -d/(2 D_perp T) that is a dipole of r_g d/(3 D_perp R) times 3 R/(2 c T) along b x d for
antiparticles.
"""

import numpy as np
import pytest
from synthetic_results import write

from hpc_cr.config import parse_job
from hpc_cr.config.scales import gyroradius
from hpc_cr.frames import field_axes
from hpc_cr.io import schema
from hpc_cr.sources import gaussian
from tools.studies import source_backtracking as study

JOB = """
[run]
seed = 3
[turbulence]
rms = "0.242536 uG"
outer_scale = "25 pc"
inner_scale = "2 pc"
[grids]
cells = 48
periods = 3
[regular]
model = "uniform"
strength = "0.970143 uG"
direction = [30, 40]
[particles]
rigidities = ["3 PV"]
"""
PERP = (0.04, 0.002)  # pc: only the Gaussian's own, nothing of the field enters the ratio


@pytest.fixture(scope="module")
def setting():
    job = parse_job(JOB)
    return study.Setting(job, 3.0, field_axes(job.regular_field), (110.0, 1.0), PERP)


def test_hall_part_is_the_gyroradius(setting):
    found = study.across(setting, 600.0, 20.0, range(8), 240)
    radius = gyroradius(3.0, 0.970143)
    value, error = found.antisymmetric
    assert error < 0.2 * radius
    assert abs(value - radius) < 4 * error + 0.06 * radius  # (B_rms/B0)^2
    assert abs(value) > 5 * error and abs(value + radius) > 5 * error  # controls: none, the sign
    expected, spread = found.formula
    assert expected == pytest.approx(radius * np.sin(np.radians(20)) / (3 * 0.04))
    assert spread / expected == pytest.approx(0.05)
    one, both = found.one_charge, found.both_charges
    assert abs(one[0] - expected) < 4 * one[1] + 0.06 * expected
    assert one[0] > 4 * one[1]  # the diffusive dipole has nothing in this direction
    assert abs(both[0]) < 4 * both[1]  # and in the mean of both charges it goes away
    on_the_line = study.across(setting, 600.0, 0.0, range(2), 24)
    assert abs(on_the_line.one_charge[0]) < 0.2 and on_the_line.formula[0] == 0


def test_dipole_towards_the_source(setting):
    """Ballistic at first: M = T for T << tau, whatever the field, so T/tau of 3 R/(2 c T)."""
    times = (5.0, 20.0)
    found = study.towards(setting, times, range(4), 400)
    for back, (mean, error) in zip(times, found, strict=True):
        expected = 1 - np.exp(-back / 330.0)
        # <n_par^2 cos> of pitch angles that change by (B_rms/B0)^2 within a wave
        assert abs(mean - expected) < 4 * error + 0.06 * expected
        assert abs(mean - 2 * expected) > 4 * error  # control


def test_free_diffusion():
    """30 PV in 1 uG: (4/3) c r_g^2/L_c of small deflections, up to terms of (L_c/r_g)^2 = 1/16."""
    job = parse_job(study.NO_FIELD.replace('["3 PV", "10 PV"]', '["30 PV"]').replace(
        "[particles]", 'inner_scale = "4 pc"\n[grids]\ncells = 48\nperiods = 3\n[particles]'))
    mean, error = study.free_diffusion(job, 30.0, 6000.0, range(6), 60)
    radius, length = gyroradius(30.0, 1.0), job.coherence_length
    expected = (4 / 3) * radius**2 / length
    assert abs(mean / expected - 1) < 4 * error / expected + 0.25
    assert mean > 5 * error


SOURCE = """
[run]
kind = "source"
realisations = 3
[turbulence]
rms = "0.242536 uG"
outer_scale = "25 pc"
[grids]
cells = 24
periods = 2
[regular]
model = "uniform"
strength = "0.970143 uG"
direction = [30, 40]
[particles]
rigidities = ["3 PV"]
count = 500
[boundary]
times = ["1000 pc", "3000 pc", "9000 pc"]
[source]
along = ["0 pc", "200 pc"]
perpendicular = ["0 pc", "10 pc"]
[[case]]
name = "eta-025"
"""


def entry(job, row, rig):
    """D_par = 110 pc times 0.99, 1 and 1.01, D_perp = 0.04 pc."""
    arrays = {spec.name: np.zeros(shape[2:]) for spec, shape in schema.datasets(job)
              if spec.role == "data"}
    tensor = gaussian.uniaxial(110 * (1 + 0.01 * (row - 1)), 0.04, job.regular_field)
    arrays["covariance"] = 2 * np.array(job.stops[rig])[:, None, None] * tensor
    scalars = {"unfinished": 0, "over_tolerance": 0, "steps": 1}
    return arrays | scalars | {"seconds": 0.5, "rank": 0, "origin": (0, "host", 0.0, 0.5)}


def test_program(tmp_path, capsys):
    path = write(tmp_path / "source.h5", parse_job(SOURCE), entry=entry)
    study.main([str(path), "--realisations", "2", "--directions", "8"])
    told = capsys.readouterr().out
    # (1 % of 110)/sqrt(3); 9.675 with D_perp = 0.0394 is 9.5 with 0.04
    assert "eta-025, 3 PV, D +- 0.006: 300 pc: " in told and "eta-025, 10 PV" not in told
    assert "across, eta-025, 3 PV, formula: 9.5" in told
    assert "no regular field, 3 PV" in told and "no regular field, 10 PV" in told
