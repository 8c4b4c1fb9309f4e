"""Steady densities of all nuclei at one energy per nucleon, with what they are made from.

    div(D grad N_i) - div(v N_i) - (beta n sigma_i + 1/(gamma tau_i)) N_i
        + Q_i + sum_j (beta n sigma_ji + 1/(gamma tau_ji)) N_j = 0

over c. Fragments keep the kinetic energy per nucleon, so that the nuclei are solved one after the
other, heaviest first. Losses and gains of energy are not here (`momentum.march` has them).
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.galaxy import nuclei, spectra, transport
from hpc_cr.galaxy.grid import Grid
from hpc_cr.jf12 import SUN_RADIUS


class Setting(NamedTuple):
    """All that the densities of cosmic rays follow from.

    grid : hpc_cr.galaxy.grid.Grid
    diffusion : hpc_cr.galaxy.coefficients.DiffusionModel
        With .at(r, z, rigidity_GV, beta) -> D/c in pc.
    gas : ndarray (n_r, n_z)
        Hydrogen atoms per cm^3.
    site : ndarray (n_r, n_z)
        Sources per volume, 1 at the Sun.
    species : tuple of hpc_cr.galaxy.nuclei.Species
        Heaviest first (`nuclei.chain`).
    values : ndarray (n_energy)
        Rigidities in GV or kinetic energies per nucleon in GeV.
    injection : ndarray (n_species, n_energy)
        Q at the Sun per unit of the axis.
    axis : {"rigidity", "nucleon"}
        What `values` are, and what densities are per unit of.
    sun_radius : float
        pc.
    wind, alfven : float
        Wind away from the plane and Alfven speed over c.
    helium : float
        Helium atoms per hydrogen atom.
    network, inelastic, decay, ionisation : bool
        Whether nuclei make others, are destroyed, decay and lose energy.
    ionised : ndarray (n_r, n_z) or None
        What of the gas is ionised, hydrogen nuclei per cm^3: Coulomb collisions with its electrons
        cost more energy than ionisation. None: all is neutral.
    """

    grid: Grid
    diffusion: object
    gas: np.ndarray
    site: np.ndarray
    species: tuple
    values: np.ndarray
    injection: np.ndarray
    axis: str = "nucleon"
    sun_radius: float = SUN_RADIUS
    wind: float = 0.0
    alfven: float = 0.0
    helium: float = nuclei.HELIUM
    network: bool = True
    inelastic: bool = True
    decay: bool = True
    ionisation: bool = False
    ionised: np.ndarray | None = None


class Solved(NamedTuple):
    """Steady state of one species at one energy; densities per unit of the energy axis."""

    density: np.ndarray  # (n_r, n_z)
    balance: transport.Balance
    local: transport.Local


def rigidities(setting):
    """Rigidities in GV, (n_species, n_energy)."""
    values = np.asarray(setting.values, float)
    if setting.axis == "rigidity":
        return np.tile(values, (len(setting.species), 1))
    return np.array([spectra.rigidity(values, one.z, one.a) for one in setting.species])


def velocities(setting):
    """v/c, (n_species, n_energy)."""
    return np.array([spectra.velocity(row, one.z, one.a)
                     for one, row in zip(setting.species, rigidities(setting), strict=True)])


def nucleon_energies(setting):
    """Kinetic energies per nucleon in GeV, (n_species, n_energy)."""
    return np.array([spectra.nucleon_energy(row, one.z, one.a)
                     for one, row in zip(setting.species, rigidities(setting), strict=True)])


def check(setting):
    """Raise ValueError, in one line, where a setting contradicts itself."""
    if setting.axis not in ("rigidity", "nucleon"):
        raise ValueError(f"no energy axis {setting.axis!r}: it is rigidity or nucleon")
    if setting.network and setting.axis != "nucleon":
        raise ValueError("fragments keep the energy per nucleon: a network of nuclei needs energies"
                         " per nucleon, not rigidities")
    names = [one.name for one in setting.species]
    decays = [one for one in setting.species if setting.decay and one.daughter in names]
    if decays and setting.axis != "nucleon":
        raise ValueError(f"{decays[0].name} decays to {decays[0].daughter} of the same energy per "
                         "nucleon: needs energies per nucleon, not rigidities")
    wanted = len(setting.species), len(setting.values)
    if np.shape(setting.injection) != wanted:
        raise ValueError(f"injection of shape {np.shape(setting.injection)} for {wanted[0]} species"
                         f" at {wanted[1]} energies")
    places = ("gas", "site") if setting.ionised is None else ("gas", "site", "ionised")
    for name in places:
        if np.shape(getattr(setting, name)) != setting.grid.shape:
            raise ValueError(f"{name} of shape {np.shape(getattr(setting, name))} on a grid of"
                             f" {setting.grid.shape}")
    if setting.ionised is not None and np.any(setting.ionised > setting.gas * (1 + 1e-9)):
        raise ValueError("more of the gas is ionised than there is")


def _place(setting, i, k):
    """Rigidity, v/c and kinetic energy per nucleon of species i at energy k."""
    one, value = setting.species[i], float(setting.values[k])
    rigidity = value if setting.axis == "rigidity" else spectra.rigidity(value, one.z, one.a)
    return (rigidity, spectra.velocity(rigidity, one.z, one.a),
            spectra.nucleon_energy(rigidity, one.z, one.a))


def loss(setting, i, k):
    """Rate over c at which species i is destroyed and decays at energy k, 1/pc.

    Returns
    -------
    ndarray (n_r, n_z)
    """
    one = setting.species[i]
    _, beta, kinetic = _place(setting, i, k)
    found = np.zeros(setting.grid.shape)
    if setting.inelastic:
        found += nuclei.collision_rate(one, kinetic, beta, setting.helium) * setting.gas
    if setting.decay:
        found += nuclei.decay_rate(one, beta)
    return found


def feeding(setting, parent, daughter, k):
    """Rate over c at which one species turns into another at energy k.

    Parameters
    ----------
    parent, daughter : int
        Numbers of the species.
    k : int

    Returns
    -------
    ndarray (n_r, n_z) or None
        1/pc; None where it does not.
    """
    one, other = setting.species[parent], setting.species[daughter]
    decays = setting.decay and one.daughter == other.name
    collides = setting.network and nuclei.makes(one, other)
    if not (decays or collides):
        return None
    _, beta, kinetic = _place(setting, parent, k)
    found = np.zeros(setting.grid.shape)
    if collides:
        rate = nuclei.production_rate(one, other, kinetic, beta, setting.helium)
        found += rate * setting.gas
    if decays:
        found += nuclei.decay_rate(one, beta)
    return found


def medium(setting, i, k):
    """`transport.Medium` of species i at energy k."""
    rigidity, beta, _ = _place(setting, i, k)

    def coefficient(r, z):
        return setting.diffusion.at(r, z, rigidity, beta)

    return transport.medium(setting.grid, coefficient, loss(setting, i, k), setting.wind)


def _solve(setting, i, k, made):
    source = setting.injection[i][k] * np.asarray(setting.site, float)
    if made is not None:
        source = source + made
    through = medium(setting, i, k)
    density = transport.Factorised(setting.grid, through).solve(source)
    return Solved(density, transport.balance(setting.grid, through, density, source),
                  transport.at_sun(setting.grid, density, setting.sun_radius))


def alone(setting, i, k):
    """Species i at energy k from its own sources only.

    Returns
    -------
    Solved
    """
    return _solve(setting, i, k, None)


def one_energy(setting, k):
    """All species at energy k.

    Parameters
    ----------
    setting : Setting
    k : int
        Of `setting.values`.

    Yields
    ------
    (int, Solved)
        Number and solution of each species, heaviest first.
    """
    check(setting)
    made = {}
    for i in range(len(setting.species)):
        solved = _solve(setting, i, k, made.pop(i, None))
        for j in range(i + 1, len(setting.species)):
            rate = feeding(setting, i, j, k)
            if rate is not None:
                made[j] = made.get(j, 0.0) + rate * solved.density
        yield i, solved
