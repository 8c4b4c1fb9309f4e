"""Antiprotons made in the gas.

Theory. Without diffusion the density is local, and the current F = beta N obeys the equation

    sigma_inel(T) F(T) = q(T)/n + int_T^inf (sigma_inel - sigma_ann) F dT'/T',

an ordinary differential equation for the integral G, dG/dln T = -sigma_3 (q/n + G)/sigma_inel. The
solver's trapezoids with steps w in ln T of an integrand that falls as T^-g are off by (g w)^2/12.
"""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from hpc_cr.galaxy import antiprotons, coefficients, emissivity, grid, network, spectra

GAS = 1.0  # atoms per cm^3
SLOPE = 2.0  # of q
TOP = 1e4  # GeV


@pytest.fixture(scope="module")
def setting():
    cells = grid.make_grid(4000.0, 1000.0, 6, 6, 100.0)
    ones = np.ones(cells.shape)
    # over (100 pc)^2 loss at a rate of 1e-7/pc is 1e-3/1e-9 times faster than diffusion
    slow = coefficients.DiffusionModel("uniform", 1e-9, slope=0.0)
    return network.Setting(cells, slow, GAS * ones, ones, (), np.array([1.0]), np.zeros((0, 1)),
                           helium=0.0)


def local(energy, lost=antiprotons.inelastic):
    """F of the integral equation for q/n = T^-SLOPE mb, by an integrator of its own."""
    def rate(log, total):
        t = np.exp(log)
        survives = antiprotons.inelastic(t) - antiprotons.annihilation(t)
        return -survives * (t**-SLOPE + total) / lost(t)

    solved = solve_ivp(rate, np.log([TOP, energy[0]]), [0.0], rtol=1e-9, atol=1e-30,
                       dense_output=True)
    return (energy**-SLOPE + solved.sol(np.log(energy))[0]) / lost(energy)


def current(setting, energy, **options):
    """F in the middle of the halo."""
    beta = spectra.velocity(spectra.rigidity(energy, 1, 1), 1, 1)
    rate = antiprotons.CM2_PER_MB * antiprotons.CM_PER_PC
    made = (rate * energy**-SLOPE)[:, None, None] * np.ones(setting.grid.shape)
    found = np.empty(len(energy))
    for k, density in antiprotons.solve(setting, energy, made, **options):
        found[k] = beta[k] * density[2, 2]
    return found


def test_tertiaries_without_diffusion(setting):
    for count in (41, 81):
        energy = np.geomspace(1.0, TOP, count)
        width = np.log(energy[1] / energy[0])
        bound = (SLOPE * width) ** 2 / 12 + 1e-6  # diffusion: 1e-6 at most
        found, exact = current(setting, energy), local(energy)
        assert np.allclose(found[:-1], exact[:-1], rtol=bound)
        # controls: no tertiaries; annihilation forgotten among the losses
        alone = current(setting, energy, tertiary=False)
        assert np.allclose(alone, energy**-SLOPE / antiprotons.inelastic(energy), rtol=1e-6)
        assert not np.allclose(alone[:-1], exact[:-1], rtol=bound)
        wrong = local(energy, lambda t: antiprotons.inelastic(t) - antiprotons.annihilation(t))
        assert not np.allclose(found[:-1], wrong[:-1], rtol=bound)


def test_fits_of_cross_sections():
    """Annihilation is part of what is inelastic, dies out, and both pieces of the fit meet."""
    t = np.geomspace(0.1, 1e3, 200)
    assert (antiprotons.annihilation(t) < antiprotons.inelastic(t)).all()
    assert antiprotons.annihilation(15.499) == pytest.approx(antiprotons.annihilation(15.501),
                                                             rel=0.05)
    # far above, antiprotons collide as protons do: 30 to 33 mb at 0.1 to 1 TeV (PDG: 31 to 34)
    assert antiprotons.inelastic(300.0) == pytest.approx(33.0, abs=2.0)
    assert np.isnan(antiprotons.inelastic(0.01)) and np.isnan(antiprotons.annihilation(0.01))


def test_threshold():
    """p + p makes antiprotons from six proton masses of kinetic energy."""
    made = emissivity.antiproton_kernel(np.geomspace(1, 1e3, 40), [1.0, 3.0], helium=0.0)
    low = made.nucleon_GeV < 6 * 0.938 / 1.2  # the point below has a share of the cell above
    assert (made.matrix[:, low] == 0).all()
    assert (made.matrix[:, made.nucleon_GeV > 20] > 0).all()


def test_yield_at_high_energy():
    """Antiprotons per collision at a spectrum T^-2.7, p-bar and n-bar together.

    The ratio to protons near 100 GV, 2e-4 (AMS-02, Aguilar et al. 2016, PRL 117, 091103), after 2
    to 5 g/cm^2 with a collision per 60 g/cm^2 needs 2.4e-3 to 6e-3 from all cosmic rays on all gas,
    of which p + p is between a half and all.
    """
    energy = np.geomspace(10, 1e6, 80)
    made = antiprotons.production([100.0], [energy], [1], [energy**-2.7], 0.0)[0]
    moment = made / (antiprotons.CM_PER_PC * 32e-27 * 100.0**-2.7)
    assert 1.2e-3 < moment < 6e-3
    # the gas's helium adds its nucleons, 0.4, with some shadowing, 4^(-0.1)
    gas = antiprotons.production([100.0], [energy], [1], [energy**-2.7], 0.1)[0]
    assert gas / made == pytest.approx(1 + 0.1 * 4**0.9, abs=0.06)


def test_bad_input(setting):
    with pytest.raises(ValueError, match="shape"):
        next(antiprotons.solve(setting, [1.0, 2.0], np.zeros((1, 6, 6))))
    with pytest.raises(ValueError, match="ascend"):
        next(antiprotons.solve(setting, [2.0, 1.0], np.zeros((2, 6, 6))))
