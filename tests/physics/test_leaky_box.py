"""All nuclei in a thin disc within a wide halo: the leaky box.

Theory. In a disc of half-thickness h and gas density n within a halo of half-thickness H, uniform
along the plane, with gas and sources in the disc only, uniform D and h/H -> 0 at fixed n h

    N_i (D_i/H + beta n h s_i) = h q_i + sum_j beta n h s_ji N_j,

the leaky box with X = beta rho h H/D. Where little is lost the first order of h/H in the plane,
from N(0) = int (H - z) q(z) dz/D, is

    primaries    1 - h/(2 H)
    secondaries  1 - 7 h/(6 H):   q(z) ~ N_p(z) ~ 1 - h/(2 H) - z^2/(2 h H)

so that B/C lies (2/3) h/H below the leaky box. Nuclei that decay in the halo leave the disc with
D k coth(k H), k^2 = 1/(gamma tau D), and their daughters take over what they do not carry out.

Parameters. H = 2 kpc, h = 40 and 20 pc, n h = 100 pc/cm^3, D/c = 0.15 pc (R/4 GV)^0.6; at 3 kpc
from the axis of a halo of 15 kpc, whose side is felt by exp(-pi 12/(2 2)) = 8e-5 only.
"""

import numpy as np
import pytest

from hpc_cr.constants import CM_PER_PC
from hpc_cr.diffusion import grammage as of_paper
from hpc_cr.galaxy import coefficients, gas, grid, leaky_box, network, nuclei, spectra

HALO = 2000.0
ENERGIES = np.array([0.5, 10.0, 300.0])
SPECIES = nuclei.chain(nuclei.SPECIES)
MODEL = coefficients.DiffusionModel("uniform", 0.15, 4.0, 0.6)


def setting(disc, **changes):
    cells = grid.make_grid(15e3, HALO, 24, 160, disc / 8)
    filled = gas.on_grid(cells, "slab", density=1 / disc, half_height=disc)
    injection = [spectra.convert(nuclei.injection(one, rigidity, 2.2), rigidity, one.z, one.a,
                                 "rigidity", "nucleon")
                 for one in SPECIES
                 for rigidity in [spectra.rigidity(ENERGIES, one.z, one.a)]]  # fmt: skip
    return network.Setting(cells, MODEL, 100 * filled, filled, SPECIES, ENERGIES,
                           np.array(injection), sun_radius=3000.0)._replace(**changes)


def solved(of):
    """J = beta N in the plane, (n_species, n_energy)."""
    found = np.empty((len(SPECIES), len(ENERGIES)))
    for k in range(len(ENERGIES)):
        for i, one in network.one_energy(of, k):
            found[i, k] = one.local.density
    return found * network.velocities(of)


def box(of, disc, helium=nuclei.HELIUM):
    """The same by the leaky box."""
    beta = network.velocities(of)
    coefficient = MODEL.at(0.0, 0.0, network.rigidities(of), beta)
    rates = np.array([nuclei.decay_rate(one, row) * of.decay
                      for one, row in zip(SPECIES, beta, strict=True)])
    stable, decaying = (leaky_box.grammage(coefficient, beta, 100 / disc, disc, HALO, helium, rate)
                        for rate in (0.0, rates))
    per_grammage = disc * leaky_box.gas_mass(helium) * 100 / disc * CM_PER_PC
    return leaky_box.fluxes(SPECIES, ENERGIES, of.injection / per_grammage, stable, decaying)


def boron_to_carbon(values):
    boron, carbon = (values[nuclei.of_element(SPECIES, one)].sum(axis=0) for one in "BC")
    return boron / carbon


@pytest.fixture(scope="module", params=[False, True], ids=["stable", "with decay"])
def both(request):
    """Solver over leaky box for h = 40 and 20 pc, and the decay switch."""
    found = []
    for disc in (40.0, 20.0):
        of = setting(disc, decay=request.param)
        found.append((solved(of), box(of, disc)))
    return found


def test_ratio_approaches_the_leaky_box(both):
    away = np.array([boron_to_carbon(values) / boron_to_carbon(wanted) - 1
                     for values, wanted in both])  # fmt: skip
    # first order in h/H: extrapolated to h = 0 what is left is (h/H)^2 = 4e-4, the side, 1e-4, and
    # the cells, (1/8)^2/24 = 7e-4 of the layer's own structure, which is h/H
    np.testing.assert_allclose(2 * away[1] - away[0], 0.0, atol=1e-3)
    # where little is lost, at 300 GeV/n, it is -(2/3) h/H; fragments of fragments are a tenth
    np.testing.assert_allclose(away[:, 2] * HALO / np.array([40.0, 20.0]), -2 / 3, rtol=0.1)
    assert np.all(np.abs(away[1]) < 20 / HALO)
    # inelastic losses are felt: the ratio is not proportional to the grammage
    ratio = boron_to_carbon(both[1][1])
    assert ratio[0] < 0.7 * ratio[2] * 10.85 / 0.489


def test_every_species_approaches_the_leaky_box(both):
    away = [values / wanted - 1 for values, wanted in both]
    # nuclei that decay see h/H sqrt(w H^2/D) = 3 h/H at 0.5 GeV/n; second order: (3 h/H)^2
    np.testing.assert_allclose(2 * away[1] - away[0], 0.0, atol=(3 * 40 / HALO) ** 2)
    proton = [one.name for one in SPECIES].index("H1")
    np.testing.assert_allclose(away[0][proton, 2], -40 / HALO / 2, rtol=0.05)


def test_another_grammage_is_seen():
    """Controls: helium forgotten in the box, or decays in the disc's matter only."""
    of = setting(20.0)
    values = boron_to_carbon(solved(of))
    bare = boron_to_carbon(box(of, 20.0, helium=0.0))
    # helium makes 13 % of the fragments, and destroys some
    assert np.all(values / bare - 1 > 0.05)
    stable = setting(20.0, decay=False)
    beryllium = [one.name for one in SPECIES].index("Be10")
    assert solved(of)[beryllium, 0] < 0.7 * box(stable, 20.0)[beryllium, 0]


def test_grammage_is_that_of_the_paper():
    for d_z in (0.3, 2.0):
        assert leaky_box.grammage(d_z, disc_pc=150.0, halo_pc=5000.0) == pytest.approx(
            of_paper.grammage(d_z), rel=1e-12)  # fmt: skip
    # decay shortens it; very fast, X = v rho h/sqrt(w D), the halo being never reached
    fast = leaky_box.grammage(0.3, decay=1e-3)
    wanted = leaky_box.gas_mass(0.0) * CM_PER_PC * 150.0 / np.sqrt(1e-3 * 0.3)
    assert fast == pytest.approx(wanted, rel=1e-12)
    # slowly: x coth x = 1 + x^2/3 on both sides of where the series is used
    near = leaky_box.grammage(0.3, decay=0.3 * (np.array([0.99e-4, 1.01e-4]) / 5000) ** 2)
    np.testing.assert_allclose(near, leaky_box.grammage(0.3), rtol=1e-8)
