"""The network of nuclei at one energy.

Theory. What a nucleus loses to a daughter its daughter gains: injected = escaped + lost, with what
comes from parents counted as injected. With one D for all and no collisions, parent and daughter of
a decay together are the parent without decay. Without parents a species is as if alone. Fragments
keep the energy per nucleon, so that a network asks for energies per nucleon.
"""

import numpy as np
import pytest

from hpc_cr.galaxy import coefficients, gas, grid, momentum, network, nuclei, spectra

ENERGIES = np.array([1.0, 30.0])
NAMES = ["O16", "C12", "B11", "Be10", "B10", "H1"]


def setting(names=NAMES, **changes):
    cells = grid.make_grid(15e3, 4e3, 24, 24, 50.0)
    species = nuclei.chain(names)
    injection = [spectra.convert(nuclei.injection(one, rigidity, 2.3), rigidity, one.z, one.a,
                                 "rigidity", "nucleon")
                 for one in species
                 for rigidity in [spectra.rigidity(ENERGIES, one.z, one.a)]]  # fmt: skip
    model = coefficients.DiffusionModel("uniform", 0.3, 4.0, 0.5)
    found = network.Setting(cells, model, gas.on_grid(cells),
                            np.exp(-cells.z / 200) * np.ones(cells.shape), species, ENERGIES,
                            np.array(injection))  # fmt: skip
    return found._replace(**changes)


def solve(of, k=0):
    return {of.species[i].name: solved for i, solved in network.one_energy(of, k)}


def test_kinematics_of_all_species():
    of = setting()
    assert network.rigidities(of).shape == network.velocities(of).shape == (6, 2)
    i = [one.name for one in of.species].index("Be10")
    assert network.rigidities(of)[i, 0] == spectra.rigidity(1.0, 4, 10)
    np.testing.assert_allclose(network.nucleon_energies(of), np.tile(ENERGIES, (6, 1)), rtol=1e-12)
    by_rigidity = of._replace(axis="rigidity")
    np.testing.assert_array_equal(network.rigidities(by_rigidity), np.tile(ENERGIES, (6, 1)))


@pytest.mark.parametrize("k", [0, 1])
def test_what_is_lost_by_parents_is_gained(k):
    of = setting()
    found = solve(of, k)
    # no abundance at the sources: all boron 10 comes from the others
    volume = 2 * of.grid.volume
    numbers = {one.name: i for i, one in enumerate(of.species)}
    gained = 0.0
    for name in ("O16", "C12", "B11", "Be10"):
        rate = network.feeding(of, numbers[name], numbers["B10"], k)
        gained += np.sum(rate * found[name].density * volume)
    balance = found["B10"].balance
    assert balance.injected == pytest.approx(gained, rel=1e-12)
    # rounding of a direct solution of 600 cells
    assert balance.escaped_top + balance.escaped_side + balance.lost == pytest.approx(
        gained, rel=1e-9)  # fmt: skip
    # less than what the parents lose
    lost = sum(found[name].balance.lost for name in ("O16", "C12", "B11", "Be10"))
    assert gained < lost


def test_decay_into_boron():
    """One D for both, no collisions: Be10 + B10 with decay is Be10 without."""
    model = coefficients.DiffusionModel("uniform", 0.3, 4.0, 0.0)
    of = setting(["Be10", "B10"], diffusion=model, network=False, inelastic=False,
                 injection=np.array([[1.0, 1.0], [0.0, 0.0]]))  # fmt: skip
    found, stable = solve(of), solve(of._replace(decay=False))
    both = found["Be10"].density + found["B10"].density
    np.testing.assert_allclose(both, stable["Be10"].density, rtol=1e-9)
    assert np.all(stable["B10"].density == 0)
    assert found["Be10"].local.density < 0.9 * stable["Be10"].local.density
    # control: with a D that depends on rigidity, which differs by 5/4, they no longer add up
    other = of._replace(diffusion=model._replace(slope=0.6))
    found, stable = solve(other), solve(other._replace(decay=False))
    both = found["Be10"].density + found["B10"].density
    assert not np.allclose(both, stable["Be10"].density, rtol=0.01)


@pytest.mark.parametrize("marched", [False, True])
def test_decay_feeds_without_the_network_of_collisions(marched):
    of = setting(network=False)
    numbers = {one.name: i for i, one in enumerate(of.species)}
    injection = of.injection.copy()
    injection[numbers["Be10"]] = 1.0
    of = of._replace(injection=injection)
    if marched:
        values = np.geomspace(1.0, 30.0, 4)
        of = of._replace(values=values, injection=np.repeat(injection[:, :1], 4, axis=1))
        solved = {of.species[i].name: found for i, k, found in momentum.march(of) if k == 0}
    else:
        solved = solve(of)
    beta = network.velocities(of)[numbers["Be10"], 0]
    decayed = nuclei.decay_rate(nuclei.SPECIES["Be10"], beta) * solved["Be10"].density
    # B10 has no source of its own
    assert solved["B10"].balance.injected == pytest.approx(
        2 * np.sum(decayed * of.grid.volume), rel=1e-12)  # fmt: skip
    # nothing else is fed by anything
    for name in ("O16", "C12", "B11", "Be10", "H1"):
        own = network.alone(of, numbers[name], 0)
        np.testing.assert_allclose(solved[name].density, own.density, rtol=1e-9)
    # controls: without decay there is none; with the network it is more
    assert np.all(solve(of._replace(decay=False))["B10"].density == 0)
    assert solve(of._replace(network=True))["B10"].balance.injected > (
        1.5 * solved["B10"].balance.injected)  # fmt: skip


def test_alone_is_without_parents():
    of = setting()
    found = solve(of)
    i = [one.name for one in of.species].index("O16")
    np.testing.assert_array_equal(network.alone(of, i, 0).density, found["O16"].density)
    off = solve(of._replace(network=False))
    for i, one in enumerate(of.species):
        if one.name != "B10":
            np.testing.assert_array_equal(network.alone(of, i, 0).density, off[one.name].density)
    # decay goes on without collisions' fragments; Be10 has no source of its own
    assert np.all(off["B10"].density == 0)
    # what oxygen adds to carbon
    assert found["C12"].local.density > 1.02 * off["C12"].local.density


def test_losses_by_switch():
    of = setting()
    i = [one.name for one in of.species].index("Be10")
    beta = network.velocities(of)[i, 0]
    decay = nuclei.decay_rate(of.species[i], beta)
    collisions = nuclei.collision_rate(of.species[i], 1.0, beta) * of.gas
    np.testing.assert_allclose(network.loss(of, i, 0), decay + collisions)
    np.testing.assert_allclose(network.loss(of._replace(decay=False), i, 0), collisions)
    np.testing.assert_allclose(network.loss(of._replace(inelastic=False), i, 0), decay)
    # an atom of helium per atom of hydrogen more than doubles them
    helium = network.loss(of._replace(helium=1.0, decay=False), i, 0)
    assert np.all(helium > 2 * network.loss(of._replace(helium=0.0, decay=False), i, 0))


def test_errors():
    of = setting()
    with pytest.raises(ValueError, match="energies per nucleon, not rigidities"):
        solve(of._replace(axis="rigidity"))
    with pytest.raises(ValueError, match="no energy axis 'momentum'"):
        solve(of._replace(axis="momentum"))
    with pytest.raises(ValueError, match="6 species at 2 energies"):
        solve(of._replace(injection=np.ones((2, 2))))
    with pytest.raises(ValueError, match="gas of shape"):
        solve(of._replace(gas=np.ones(3)))
    with pytest.raises(ValueError, match="Be10 decays to B10 of the same energy per nucleon"):
        solve(of._replace(axis="rigidity", network=False))
    rigid = of._replace(axis="rigidity", network=False, decay=False)
    assert len(solve(rigid)) == 6
