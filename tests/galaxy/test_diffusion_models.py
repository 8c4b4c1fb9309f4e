"""Diffusion models at places where their formulas are known in closed form.

Source-dependent (Li et al. 2021): at the Sun f = 1, F = N_m/2 = 0.31, D = 0.31 D0 at R0 with the
local slope 0.31 * 0.58 = 0.180; from xi z_h = 500 pc upwards D0 (R/R0)^0.58. Source-power (Evoli et
al. 2012): q^tau times e^(|z|/H), with k q^-tau where that is larger, from q^(2 tau) = k outwards.
"""

import numpy as np
import pytest

from hpc_cr.constants import PC_C_CM2_PER_S
from hpc_cr.galaxy.coefficients import DiffusionModel, arm_factor, escape_time_ratio

LI = DiffusionModel("source-dependent", 4.87e28 / PC_C_CM2_PER_S, 4.0, 0.58, n_m=0.62, xi=0.1,
                    index=4.0, half_height_pc=5000.0, distribution="case1996")  # fmt: skip
EVOLI = DiffusionModel("source-power", 0.25, 4.0, 0.6, -0.4, 4000.0, tau=0.85)


def test_source_dependent_at_the_sun():
    assert LI.at(8500.0, 0.0, 4.0) * PC_C_CM2_PER_S == pytest.approx(0.310 * 4.87e28, rel=1e-12)
    assert LI.slope_at(8500.0, 0.0) == pytest.approx(0.1798, rel=1e-12)
    ratio = LI.at(8500.0, 0.0, 4e6) / LI.at(8500.0, 0.0, 4e3)
    assert np.log(ratio) / np.log(1e3) == pytest.approx(0.1798, rel=1e-9)
    assert ratio != pytest.approx(1e3**0.58, rel=0.5)  # control: the exponent without F
    # with R0 = 1 GV instead of 4 the coefficient at 4 GV would be another
    assert LI._replace(rigidity_GV=1.0).at(8500.0, 0.0, 4.0) > 1.2 * LI.at(8500.0, 0.0, 4.0)


def test_source_dependent_off_the_plane():
    z = np.array([250.0, -250.0, 500.0, 2000.0, 5000.0])
    found = LI.at(8500.0, z, 4.0) / LI.coefficient_pc
    g = 0.62 / (1 + np.exp(-250 / 200))
    np.testing.assert_allclose(found, [g + (1 - g) / 16] * 2 + [1.0] * 3, rtol=1e-12)
    np.testing.assert_allclose(LI.at(8500.0, z[2:], 4e4), LI.coefficient_pc * 1e4**0.58)
    # slowest where sources are dense: the maximum of f, r = 8.5 kpc * 1.69/3.33
    r = np.linspace(10.0, 15e3, 3000)
    in_plane = LI.at(r, 0.0, 4.0)
    assert abs(r[np.argmin(in_plane)] - 8500 * 1.69 / 3.33) < 2 * (r[1] - r[0])


def test_the_sun_elsewhere():
    """D is what it is called at the Sun's radius of a job, wherever that is."""
    for sun in (8000.0, 8178.0, 10e3):
        li = LI._replace(sun_radius_pc=sun)
        assert li.at(sun, 0.0, 4.0) / LI.coefficient_pc == pytest.approx(0.31, rel=1e-12)
        for tau in (0.2, 0.85):
            evoli = EVOLI._replace(sun_radius_pc=sun, tau=tau)
            assert evoli.at(sun, 0.0, 4.0) == pytest.approx(0.25, rel=1e-12)
            # the dependence on the radius is the same
            ratio = evoli.at(6000.0, 0.0, 4.0) / evoli.at(sun, 0.0, 4.0)
            fixed = EVOLI._replace(tau=tau)
            assert ratio == pytest.approx(fixed.at(6000.0, 0.0, 4.0) / fixed.at(sun, 0.0, 4.0))
        # control: with the Sun at 8.5 kpc it is not 0.31 D0 and D0 there
        assert abs(LI.at(sun, 0.0, 4.0) / LI.coefficient_pc - 0.31) > 0.003
        assert abs(EVOLI.at(sun, 0.0, 4.0) - 0.25) > 0.003
    # a Sun within the frozen radius has q = 1, as the centre
    inside = EVOLI._replace(sun_radius_pc=2000.0)
    np.testing.assert_allclose(inside.at([0.0, 2000.0, 3000.0], 0.0, 4.0), 0.25, rtol=1e-12)
    # R_arm is pi times the Sun's radius
    near, far = (EVOLI._replace(parallel_ratio=0.5, sun_radius_pc=sun) for sun in (8e3, 16e3))
    assert near.least_share == pytest.approx(4 * far.least_share)


def test_source_power():
    assert EVOLI.at(8500.0, 0.0, 4.0) == pytest.approx(0.25)
    assert EVOLI.at(8500.0, -4000.0, 4.0) == pytest.approx(0.25 * np.e)
    assert EVOLI.at(8500.0, 0.0, 40.0, 0.5) == pytest.approx(0.25 * 10**0.6 * 0.5**-0.4)
    q = lambda r: (r / 8500) ** 1.9 * np.exp(-5 * (r / 8500 - 1))  # noqa: E731
    for r in (3000.0, 5000.0, 12e3):
        assert EVOLI.at(r, 0.0, 4.0) == pytest.approx(0.25 * q(r) ** 0.85)
    # frozen inside 3 kpc; at tau = 0 no dependence on the radius
    np.testing.assert_allclose(EVOLI.at([0.0, 1000.0, 2999.0], 0.0, 4.0), EVOLI.at(3e3, 0.0, 4.0))
    np.testing.assert_allclose(EVOLI._replace(tau=0.0).at([0.0, 8500.0, 2e4], 0.0, 4.0), 0.25)
    # along the arms far out: k q^-tau
    assert q(2e4) ** 1.7 < 0.01
    assert EVOLI.at(2e4, 0.0, 4.0) == pytest.approx(0.25 * 0.01 * q(2e4) ** -0.85)
    assert EVOLI._replace(floor=0.0).at(2e4, 0.0, 4.0) < 0.1 * EVOLI.at(2e4, 0.0, 4.0)  # control
    # D_par/D_perp = 0.44567 at the Sun is the same k, (4 kpc/R_arm)^2 of it
    parallel = EVOLI._replace(floor=0.5, parallel_ratio=0.01 * (np.pi * 8.5 / 4) ** 2)
    assert parallel.at(2e4, 0.0, 4.0) == pytest.approx(EVOLI.at(2e4, 0.0, 4.0), rel=1e-12)


def test_simple_models():
    model = DiffusionModel("uniform", 2.0, 4.0, 0.5)
    np.testing.assert_allclose(model.at(np.ones((3, 1)), np.zeros(2), 16.0), np.full((3, 2), 4.0))
    model = DiffusionModel("exponential", 2.0, 4.0, 0.5, scale_height_pc=1000.0)
    np.testing.assert_allclose(model.at(0.0, [0.0, 1e3, -2e3], 4.0), 2 * np.exp([0.0, 1.0, 2.0]))
    with pytest.raises(ValueError, match="no diffusion model 'unifrom'; there are uniform"):
        DiffusionModel("unifrom").at(1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="did you mean lorimer2006"):
        LI._replace(distribution="lorimer206").at(1.0, 1.0, 1.0)


def test_escape_times_along_and_across():
    """R_arm = pi 8.5 kpc = 26.7 kpc; squared over (4 kpc)^2, 44.6."""
    assert arm_factor(4000.0) == pytest.approx(44.6, abs=0.05)
    assert escape_time_ratio(4000.0, 1.0, printed=True) == 4e2
    assert escape_time_ratio(8000.0, 1.0, printed=True) == 1e2
    assert escape_time_ratio(8000.0, 0.5) == pytest.approx(44.567 / 8, rel=1e-4)
    # for the least D_perp/D_par that the paper quotes the two say the opposite
    assert escape_time_ratio(4000.0, 0.01, printed=True) > 1 > escape_time_ratio(4000.0, 0.01)
