"""Losses and gains of energy in the Galaxy against exact solutions.

Theory, n = p N per u = ln p, rates over c in 1/pc, a homogeneous medium with escape after tau:

1. Losses alone, dp/(c dt) = -b: N(p) = int_p^inf Q dp'/b, that is n = (p/b) int_u^inf q du.
2. Adiabatic and other losses with a = b/p constant, q ~ e^(-s u): n = q/(1/tau + s a).
3. A constant wind v from the plane of a slab of half height H, D not depending on p, a sheet
   S e^(-s u) in the plane: the expansion 2 v delta(z) takes (2 v/3) s n(0), so that
   n(0) = S/[2 v/(1 - e^(-v H/D)) + 2 v s/3].
4. Diffusion in momentum, K = D_pp/p^2 constant, one momentum p0 injected: n ~ p^l+ below and p^l-
   above, l = 3/2 +- sqrt(9/4 + 1/(K tau)), n(p0) = q/[K (l+ - l-)] for q injected per pc^3.

Tolerances: second order in the step of u, so that twice the step has three times the finer one's
error more: half of the difference between both is allowed. Where the scheme is exact, the tolerance
asked of the sweeps or rounding. Wrong rates must fail the same checks.
"""

import numpy as np
import pytest
from scipy.integrate import quad

from hpc_cr.galaxy import energy_flow, momentum, network, nuclei, spectra, transport
from hpc_cr.galaxy.coefficients import DiffusionModel
from hpc_cr.galaxy.grid import Grid, make_grid

TAU = 1e7
BOX = make_grid(1e3, 1e3, 4, 4, 250.0)
KM_S = 1 / 299_792.458


def axis(count, first=-1.0, last=4.0):
    return np.linspace(first, last, count) * np.log(10)


def homogeneous(u, source, loss=0.0, spread=0.0, escape=1 / TAU, tolerance=1e-10):
    """Densities per u; `source` (n), `loss` on the edges (n + 1) or a number."""
    shape = (u.size + 1, *BOX.shape)
    loss = np.zeros(shape) + np.reshape(loss, (-1, 1, 1))
    rates = energy_flow.Rates(u, loss, np.full(shape, spread))
    place = transport.medium(BOX, lambda r, z: 1e-30, escape)
    found = energy_flow.steady(BOX, [place] * u.size, rates,
                            np.zeros((u.size, *BOX.shape)) + source[:, None, None], tolerance)
    # D is nothing: every place is on its own
    assert np.ptp(found.density, axis=(1, 2)).max() <= 1e-9 * found.density.max()
    return found.density[:, 0, 0], found


def second_order(solve, exact, part, count=31, last=4.0):
    """Check an axis and one of half the step against a function of u, on a part of the first."""
    coarse, fine = solve(axis(count, last=last)), solve(axis(2 * count - 1, last=last))[::2]
    wanted = exact(axis(count, last=last))
    error, difference = (np.abs(one / wanted - 1)[part] for one in (fine, fine - coarse + wanted))
    assert error.max() <= 0.5 * difference.max()
    assert difference.max() < 0.3


# ---- losses -------------------------------------------------------------------------------------


def cut(u):
    """A power law of slope 1.2 per u that steepens by one beyond p = 10."""
    return np.exp(-1.2 * u) / (1 + np.exp(u) / 10)


def check_losses(power, assumed):
    """b = 1e-7 p^power in theory, p^assumed in the solver."""
    def solve(u):
        loss = 1e-7 * np.exp((assumed - 1) * energy_flow.edges(u))
        return homogeneous(u, cut(u), loss, escape=0.0)[0]

    def exact(u):
        flow = [quad(cut, one, 60, epsrel=1e-10, limit=200)[0] for one in u]
        return np.array(flow) / (1e-7 * np.exp((power - 1) * u))

    # without escape the assumed power law beyond the last energy is felt a step or two below it
    second_order(solve, exact, slice(0, -4))


@pytest.mark.parametrize("power", [0, 1, 2])
def test_losses_alone(power):
    check_losses(power, power)


def test_losses_that_grow_otherwise_fail():
    with pytest.raises(AssertionError):
        check_losses(0, 1)


def check_adiabatic(share):
    u, a = axis(31), 1e-7
    found, spectrum = homogeneous(u, np.exp(-1.2 * u), share * 3 * a)
    assert spectrum.sweeps == 1
    assert np.allclose(found, np.exp(-1.2 * u) / (1 / TAU + 1.2 * a), rtol=1e-12, atol=0)


def test_power_laws_with_constant_loss_are_exact():
    check_adiabatic(1 / 3)


def test_the_third_of_adiabatic_losses_is_needed():
    with pytest.raises(AssertionError):
        check_adiabatic(1.0)


def test_a_wind_expands_by_what_it_carries_away():
    grid = make_grid(1e3, 4e3, 4, 20, 50.0)
    heights = np.diff(grid.z_edges)
    assert momentum.expansion(grid, 1e-4) @ heights == pytest.approx(1e-4, rel=1e-13)
    assert np.allclose(momentum.expansion(grid, 1e-4 * grid.z_edges), 1e-4, rtol=1e-12)
    assert not momentum.expansion(grid, 0.0).any()


def check_wind(share):
    """The first cell is so thin that the wind starts in the plane: 1e-3 pc of 4 kpc."""
    d, v, height, s = 0.5, 1e-4, 4e3, 1.2
    grid = Grid(np.linspace(0, 60 * height, 13),
                np.concatenate(([0.0, 1e-3], np.linspace(0, height, 41)[1:])))
    u = axis(16, 0, 3)
    source = np.zeros((u.size, *grid.shape))
    source[:, :, 0] = np.exp(-s * u)[:, None] / 2e-3
    expanding = share * momentum.expansion(grid, v)
    shape = (u.size + 1, *grid.shape)
    rates = energy_flow.Rates(u, np.broadcast_to(expanding, shape), np.zeros(shape))
    place = transport.medium(grid, lambda r, z: d, 0.0, v)
    found = energy_flow.steady(grid, [place] * u.size, rates, source).density[:, 0, 0]
    exact = np.exp(-s * u) / (2 * v / -np.expm1(-v * height / d) + 2 * v * s / 3)
    assert np.allclose(found, exact, rtol=1e-6, atol=0)


def test_wind_from_the_plane():
    check_wind(1 / 3)
    with pytest.raises(AssertionError):
        check_wind(0.0)


# ---- reacceleration -----------------------------------------------------------------------------


def check_line(kt, loss):
    """One momentum injected; `loss` in units of K, 0 in theory."""
    k, place = kt / TAU, 8
    roots = 1.5 + np.array([1, -1]) * np.sqrt(2.25 + 1 / kt)
    at = axis(19, last=2.0)[place]

    def solve(u):
        step = u[1] - u[0]
        found, _ = homogeneous(u, (np.abs(u - at) < step / 4) / step, loss * k, k)
        return found

    def exact(u):
        power = np.where(u < at, roots[0], roots[1])
        return np.exp(power * (u - at)) / (k * (roots[0] - roots[1]))

    # below the line few are left, and none come from beyond the axis
    second_order(solve, exact, slice(place - 3, -1), 19, 2.0)


@pytest.mark.parametrize("kt", [0.3, 1.0])
def test_line_spreads_into_two_power_laws(kt):
    check_line(kt, 0.0)


def test_diffusion_of_the_wrong_density_fails():
    """d/dp[D_pp dn/dp] with n instead of n/p^2 (phase space) has no drift 3 K."""
    with pytest.raises(AssertionError):
        check_line(0.3, 3.0)


def test_power_laws_stay_power_laws():
    """Far above the lowest energy: what is missing from below falls as (p/p_first)^-8.6. Slopes
    are followed to energy_flow.SHIFT of the flow, here about a hundredth of the injection."""
    u, kt, s = axis(31), 0.01, 1.2
    found, _ = homogeneous(u, np.exp(-s * u), 0.0, kt / TAU)
    exact = TAU * np.exp(-s * u) / (1 - kt * (s * s + 3 * s))
    assert np.allclose(found[15:], exact[15:], rtol=0.01 * energy_flow.SHIFT, atol=0)


def test_reacceleration_moves_particles_but_keeps_their_number():
    """The line's wings at the ends of the axis hold less than 1e-8 of it: (10^2)^-4.4."""
    u, kt = axis(61), 0.03
    source = (np.arange(61) == 28).astype(float)
    found, spectrum = homogeneous(u, source, 0.0, kt / TAU)
    width = spectrum.flow.width
    assert np.sum(width * found) / TAU == pytest.approx(np.sum(width * source), rel=1e-7)
    assert np.all(found > 0)


def setting(names, **given):
    grid = make_grid(20e3, 4e3, 12, 10, 100.0)
    species = nuclei.chain(names)
    values = np.geomspace(0.5, 50.0, 12)
    injection = [nuclei.injection(one, spectra.rigidity(values, one.z, one.a), 2.3)
                 for one in species]
    gas = 1.2 * np.exp(-grid.z / 150.0) * np.ones(grid.shape)
    site = np.exp(-grid.z / 200.0) * np.exp(-grid.r[:, None] / 5e3)
    model = DiffusionModel(coefficient_pc=0.3, slope=1 / 3)
    return network.Setting(grid, model, gas, site, species, values, np.array(injection), **given)


def test_coefficient_of_reacceleration():
    """d = 1/3: d (4 - d)(4 - d^2) = 385/81."""
    case = setting(["H1"], alfven=30 * KM_S)
    found = momentum.reacceleration(case, 4.0, 1.0)
    assert np.allclose(found, (30 * KM_S) ** 2 * 81 / 385 / 0.3, rtol=1e-12)
    flat = case._replace(diffusion=DiffusionModel(coefficient_pc=0.3, slope=0.0))
    with pytest.raises(ValueError, match="power"):
        momentum.reacceleration(flat, 4.0, 1.0)


def check_free_electrons(share):
    """Fully ionised hydrogen: what a fast charge loses in a plasma (Fermi 1940),
    dp/(c dt) = 4 pi n r_e^2 m/beta^2 ln(2 m gamma beta^2/(hbar omega_p)), hbar omega_p =
    3.713e-11 eV (n cm^3)^(1/2); `share` of it ionised in the solver. The recoil, up to 0.03 of a
    logarithm of 40, is left out."""
    case = setting(["H1"], ionisation=True, helium=0.0)
    case = case._replace(ionised=None if share is None else share * case.gas)
    found = momentum.rates_of(case, 0)
    p = np.exp(energy_flow.edges(found.u))[:, None, None]
    beta, gamma = p / np.hypot(p, 0.9383), np.hypot(p, 0.9383) / 0.9383
    logarithm = np.log(2 * 0.511e6 * gamma * beta**2 / (3.713e-11 * np.sqrt(case.gas)))
    wanted = (4 * np.pi * case.gas * 2.81794e-13**2 * 0.511e-3 * 3.085678e18
              / beta**2 * logarithm)  # GeV/pc
    assert np.allclose(found.loss * p, wanted, rtol=1e-3, atol=0)


def test_ionised_gas_takes_energy_as_a_plasma():
    check_free_electrons(1.0)
    for share in (None, 0.9):
        with pytest.raises(AssertionError):
            check_free_electrons(share)


def test_more_ionised_gas_than_gas_is_refused():
    case = setting(["H1"], ionisation=True)
    with pytest.raises(ValueError, match="more of the gas is ionised"):
        list(momentum.march(case._replace(ionised=2 * case.gas)))
    with pytest.raises(ValueError, match="ionised of shape"):
        list(momentum.march(case._replace(ionised=np.ones(3))))


# ---- all nuclei ---------------------------------------------------------------------------------

CHAIN = ["O16", "C12", "B11", "B10", "Be10", "H1"]


def test_without_losses_and_gains_energies_stand_alone():
    case = setting(CHAIN)
    found = {(i, k): solved.density for i, k, solved in momentum.march(case)}
    assert len(found) == len(CHAIN) * len(case.values)
    for k in (0, 7):
        for i, alone in network.one_energy(case, k):
            assert np.allclose(found[i, k], alone.density, rtol=1e-12, atol=0)


def test_every_energy_balances():
    """What the sweeps have left, 1e-8, is spread over few energies: 1e-7 of any."""
    case = setting(CHAIN, ionisation=True, wind=10 * KM_S, alfven=20 * KM_S)
    reported = []
    for _, _, solved in momentum.march(case, report=lambda i, found: reported.append(found)):
        b = solved.balance
        assert b.escaped_top + b.escaped_side + b.lost + b.moved == pytest.approx(b.injected,
                                                                                  rel=1e-7)
        assert solved.density.min() > 0
    assert len(reported) == len(CHAIN)
    assert max(found.change for found in reported) <= 1e-8
    assert max(found.shift for found in reported) <= energy_flow.SHIFT


def test_a_solution_that_has_not_converged_is_refused(monkeypatch):
    case = setting(["H1"], alfven=30 * KM_S)
    monkeypatch.setattr(energy_flow, "SWEEPS", 3)
    with pytest.raises(RuntimeError, match="not converged"):
        list(momentum.march(case))


def test_an_axis_of_few_or_falling_energies_is_refused():
    for u in (axis(3), axis(8)[::-1]):
        with pytest.raises(ValueError, match="increasing"):
            homogeneous(u, np.ones(u.size), 1e-7)
