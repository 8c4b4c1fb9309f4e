"""Steady densities of nuclei that lose and gain energy on their way.

With n = p N per logarithm u of momentum, rates over c and D_pp = p^2 K, the transport equation at
each place has in addition, with the flow J through momentum,

    - dJ/du,    J = (3 K - a) n - K dn/du,    a = b/p + (1/3) div v,

b the momentum lost per path c dt to ionisation and Coulomb collisions, div v the expansion of the
wind (a constant one expands where it starts, in the plane), and reacceleration at the Alfven speed
v_A over c with

    K = v_A^2/[D d (4 - d)(4 - d^2)],    d = d ln D/d ln R.

Several codes have 4/3 of it. With the same shape, K scales with v_A^2: a published v_A is to be
multiplied by the square root of the ratio.

No particles come from below the axis (`energy_flow`), so that reaccelerated spectra are too low,
and far up from its lowest energy where nothing else has taken the particles there. Protons of an
axis from 0.1 GeV over those of one from 0.01 GeV, with D = 2.7e28 (R/4 GV)^0.6 cm^2/s, |z| < 4 kpc
and sources of slope 2.3:

    v_A      ionisation   0.14   0.25    0.5      1      3     10 GeV
     6 km/s  yes         0.999  1.000  1.000  1.000  1.000  1.000
    15 km/s  yes          0.90   0.94   0.96   0.98  0.997  1.000
    18 km/s  yes          0.85   0.89   0.92   0.95  0.985  1.000
     6 km/s  no           0.50   0.73   0.92  0.993  1.000  1.000
    18 km/s  no           0.21   0.26   0.31   0.38   0.61   0.99

With ionisation an axis from 0.03 GeV is within 1 % up to 18 km/s, and 5 % too low at 30 km/s.
Without it one from 0.01 GeV is not low enough either: what the spectrum is then depends on sources
at energies where there are none, so that it is to be switched on.
"""

import numpy as np

from hpc_cr.galaxy import losses, network, spectra, transport
from hpc_cr.galaxy.energy_flow import Rates, edges, steady


def expansion(grid, wind):
    """div v over c, 1/pc, (n_z): a constant wind expands in the first cell only."""
    speeds = np.array(np.broadcast_to(wind, grid.z_edges.shape), dtype=float)
    speeds[0] = 0.0
    return np.diff(speeds) / np.diff(grid.z_edges)


def reacceleration(setting, rigidity_GV, beta):
    """K = D_pp/(c p^2), 1/pc.

    Parameters
    ----------
    setting : hpc_cr.galaxy.network.Setting
    rigidity_GV, beta : float

    Returns
    -------
    ndarray (n_r, n_z)
    """
    grid = setting.grid
    if setting.alfven == 0:
        return np.zeros(grid.shape)
    place = grid.r[:, None], grid.z
    d = setting.diffusion.slope_at(*place)
    if not np.all((d > 0) & (d < 2)):
        raise ValueError("reacceleration needs a diffusion coefficient that rises with rigidity by "
                         "a power between 0 and 2")
    factor = d * (4 - d) * (4 - d**2)
    return setting.alfven**2 / (setting.diffusion.at(*place, rigidity_GV, beta) * factor)


def rates_of(setting, i):
    """Rates of species i.

    Parameters
    ----------
    setting : hpc_cr.galaxy.network.Setting
    i : int

    Returns
    -------
    Rates
    """
    grid, one = setting.grid, setting.species[i]
    u = np.log(network.rigidities(setting)[i])
    rigidity = np.exp(edges(u))
    beta = spectra.velocity(rigidity, one.z, one.a)
    momentum = spectra.momentum_per_nucleon(rigidity, one.z, one.a)
    nucleon = spectra.nucleon_energy(rigidity, one.z, one.a)
    loss = np.zeros((rigidity.size, *grid.shape)) + expansion(grid, setting.wind) / 3
    if setting.ionisation:
        ionised = 0.0 if setting.ionised is None else np.asarray(setting.ionised)
        neutral = np.maximum(setting.gas - ionised, 0.0)
        lost = losses.rate(one, nucleon[:, None, None], neutral, ionised, setting.helium)
        # dT = beta dp
        loss += lost / (beta * momentum)[:, None, None]
    spread = np.stack([reacceleration(setting, *each)
                       for each in zip(rigidity, beta, strict=True)])
    return Rates(u, loss, spread)


def march(setting, tolerance=1e-8, report=None):
    """All species at all energies, heaviest first.

    Parameters
    ----------
    setting : hpc_cr.galaxy.network.Setting
    tolerance : float
        Of the sweeps through the energies, relative.
    report : callable (int, Spectrum), optional
        Called with the number of each species and how it converged.

    Yields
    ------
    (int, int, hpc_cr.galaxy.network.Solved)
        Species, energy, solution per unit of the energy axis.

    Raises
    ------
    RuntimeError
        Not converged.
    """
    network.check(setting)
    site, made = np.asarray(setting.site, float), {}
    energies = range(len(setting.values))
    for i, one in enumerate(setting.species):
        media = [network.medium(setting, i, k) for k in energies]
        rigidity = network.rigidities(setting)[i]
        # dx/du of the energy axis x: R dx/dR
        per_u = rigidity * spectra.axis_per_rigidity(setting.axis, rigidity, one.z, one.a)
        source = np.asarray(setting.injection[i], float)[:, None, None] * site + made.pop(i, 0.0)
        found = steady(setting.grid, media, rates_of(setting, i), source * per_u[:, None, None],
                       tolerance)
        if report is not None:
            report(i, found)
        density = found.density / per_u[:, None, None]
        for j in range(i + 1, len(setting.species)):
            _feed(setting, made, i, j, density)
        for k in energies:
            yield i, k, network.Solved(
                density[k], _balance(setting.grid, media[k], found, source[k], per_u[k], k),
                transport.at_sun(setting.grid, density[k], setting.sun_radius))


def _feed(setting, made, i, j, density):
    """Add what species i turns into species j, at the same number on the energy axis."""
    for k in range(len(density)):
        rate = network.feeding(setting, i, j, k)
        if rate is not None:
            made.setdefault(j, np.zeros_like(density))[k] += rate * density[k]


def _balance(grid, medium, found, source, per_u, k):
    """Balance of energy k; `found` is per unit of u, `source` per unit of the energy axis."""
    flow, density = found.flow, found.density
    moved = flow.leave[k] * density[k]
    if k > 0:
        moved = moved - flow.from_below[k] * density[k - 1]
    if k < len(density) - 1:
        moved = moved - flow.from_above[k] * density[k + 1]
    there = transport.balance(grid, medium, density[k] / per_u, source)
    return there._replace(moved=2 * np.sum(moved * grid.volume) / per_u)
