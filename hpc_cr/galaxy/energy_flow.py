"""Flow of particles through momentum, and the steady state of all energies of one species.

With n = p N per logarithm u of momentum the flow is

    J = (3 K - a) n - K dn/du,

a the rate of losses and K = D_pp/p^2, over c. It is fitted exponentially (`transport.conductances`;
Chang & Cooper 1970, J. Comput. Phys. 6, 1) to n e^(s u), s the slope of the spectrum there, found
in a few passes: power laws, which fall by half from one energy to the next, are exact, curved
spectra of second order, and densities positive. What leaves an energy enters the next. A pass with
given slopes is solved by block Gauss-Seidel sweeps over the energies; one suffices where there are
only losses.

Ends of the axis: above, the spectrum goes on as a power law, and losses bring particles from
there; below, particles are lost, but none come back. (Carrying the power law on at this end as well
runs away where particles gain energy.)

The factors of all energies are kept where particles gain energy: 25 MB each with 200 x 200 cells.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import exprel

from hpc_cr.galaxy import transport

SWEEPS = 2000
PASSES = 50
SHIFT = 2e-4
"""Change of the flow through momentum, by that of spectral slopes, which is not followed further;
relative to the flow, or to what is injected per unit of u where that is more."""
LOOSE = 1e-4
"""Tolerance of the sweeps while slopes are still to be found."""
STEEPEST = 8.0
"""Of the slopes assumed between two energies; next to a line of one energy they would be infinite.
"""


class Rates(NamedTuple):
    """How fast momentum changes, between energies and half a step beyond the first and the last.

    u : ndarray (n)
        Logarithms of the momenta, increasing.
    loss : ndarray (n + 1, n_r, n_z)
        a = -dp/(p c dt), 1/pc, not negative.
    spread : ndarray (n + 1, n_r, n_z)
        K = D_pp/(c p^2), 1/pc.
    """

    u: np.ndarray
    loss: np.ndarray
    spread: np.ndarray


class Flow(NamedTuple):
    """What moves between neighbouring energies per density per unit of u, 1/pc.

    leave : ndarray (n, n_r, n_z)
        To both neighbours and over the ends of the axis.
    from_below, from_above : ndarray (n, n_r, n_z)
        Per density of the energy below and above; 0 at the ends.
    width : ndarray (n)
        Of the energies in u: particles of energy k are width[k] n[k].
    """

    leave: np.ndarray
    from_below: np.ndarray
    from_above: np.ndarray
    width: np.ndarray


class Spectrum(NamedTuple):
    """Steady state at all energies.

    density : ndarray (n, n_r, n_z)
        Per unit of u.
    flow : Flow
    sweeps : int
        Through all energies, the last time.
    change : float
        Estimated distance from convergence of the sweeps, relative.
    shift : float
        Change that the last pass has made to the flow through momentum (`SHIFT`).
    """

    density: np.ndarray
    flow: Flow
    sweeps: int
    change: float
    shift: float


def edges(u):
    """Between the logarithms u, and half a step beyond both ends, (n + 1)."""
    middle = 0.5 * (u[1:] + u[:-1])
    return np.concatenate(([1.5 * u[0] - 0.5 * u[1]], middle, [1.5 * u[-1] - 0.5 * u[-2]]))


def flow(rates, slopes, flux_slopes):
    """Flow between energies for assumed spectral slopes.

    Parameters
    ----------
    rates : Rates
    slopes : ndarray (n - 1)
        s of n ~ e^(-s u) between neighbouring energies.
    flux_slopes : ndarray (n)
        The same of the flow, across each energy.

    Returns
    -------
    Flow
    """
    u, bounds = rates.u, edges(rates.u)
    s = np.concatenate((slopes[:1], slopes, slopes[-1:]))[:, None, None]
    steps = np.diff(u)[:, None, None]
    drift = (3 + s) * rates.spread - rates.loss
    inner = slice(1, -1)
    # pure drift is the limit of weak spread
    spread = np.maximum(rates.spread[inner], 1e-12 * np.abs(drift[inner]) * steps) + 1e-300
    ratio = drift[inner] * steps / spread
    up, down = (np.zeros_like(rates.loss) for _ in range(2))
    up[inner] = np.exp(-0.5 * s[inner] * steps) * spread / steps / exprel(-ratio)
    down[inner] = np.exp(0.5 * s[inner] * steps) * spread / steps / exprel(ratio)
    down[0] = rates.loss[0] * np.exp(s[0] * (u[0] - bounds[0]))
    # what comes from beyond the end is in proportion to what is there; a rising spectrum, which
    # could bring more than leaves, goes on level
    up[-1] = drift[-1] * np.exp(-np.maximum(s[-1], 0.0) * (bounds[-1] - u[-1]))
    above, below = bounds[1:] - u, u - bounds[:-1]
    width = above * exprel(-flux_slopes * above) + below * exprel(flux_slopes * below)
    each = width[:, None, None]
    leave = (up[1:] + down[:-1]) / each
    up[-1] = down[0] = 0.0
    return Flow(leave, up[:-1] / each, down[1:] / each, width)


def _slopes(grid, rates, density):
    """Slopes of the spectrum between energies and of the flow across them, (n - 1) and (n).

    Of the whole Galaxy, each place with the weight of its rates. Smoothed over neighbours: an
    alternating error would otherwise see its own slope and stay."""
    u = rates.u
    weights = (rates.loss + rates.spread) * grid.volume
    below = np.einsum("kij,kij->k", weights[1:-1], density[:-1])
    above = np.einsum("kij,kij->k", weights[1:-1], density[1:])
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = -np.log(above / below) / np.diff(u)
        slopes = _smooth(np.clip(np.nan_to_num(slopes, posinf=np.inf), -STEEPEST, STEEPEST))
        flux_slopes = -np.diff(np.log(above * below)) / (u[2:] - u[:-2])
    flux_slopes = np.clip(np.nan_to_num(flux_slopes, posinf=np.inf), -STEEPEST, STEEPEST)
    return slopes, np.concatenate((flux_slopes[:1], flux_slopes, flux_slopes[-1:]))


def _smooth(values):
    wide = np.concatenate((values[:1], values, values[-1:]))
    return 0.25 * wide[:-2] + 0.5 * values + 0.25 * wide[2:]


def steady(grid, media, rates, source, tolerance=1e-8):
    """Steady state at all energies of one species.

    Parameters
    ----------
    grid : hpc_cr.galaxy.grid.Grid
    media : sequence of hpc_cr.galaxy.transport.Medium
        One per energy.
    rates : Rates
    source : ndarray (n, n_r, n_z)
        Injected per unit of u.
    tolerance : float
        Of the sweeps through the energies.

    Returns
    -------
    Spectrum

    Raises
    ------
    RuntimeError
        Not converged.
    """
    if rates.u.size < 4 or not np.all(np.diff(rates.u) > 0):
        raise ValueError("energy losses and gains need at least 4 increasing energies")
    density = np.zeros_like(source)
    # injected over D: exact far from losses, in an endless uniform slab
    slopes, flux_slopes = _slopes(grid, rates, np.stack(
        [one / medium.d_z[:, 1:] for one, medium in zip(source, media, strict=True)]))
    for _ in range(PASSES):
        found = flow(rates, slopes, flux_slopes)
        energies = _Energies(grid, media, found, source)
        # slopes are found before the sweeps have come to their end
        density, sweeps, change = energies.sweep(density, max(tolerance, LOOSE))
        before = slopes
        slopes, flux_slopes = _slopes(grid, rates, density)
        shift = _shift(grid, rates, density, source, slopes - before)
        if shift < SHIFT:
            if change > tolerance:
                density, sweeps, change = energies.sweep(density, tolerance)
            return Spectrum(density, found, sweeps, change, shift)
    raise RuntimeError(f"spectral slopes still shift the flow through momentum by {shift:.1e} "
                       f"after {PASSES} passes")


def _shift(grid, rates, density, source, change):
    """Largest change of the flow through momentum by changes of the slopes, (n - 1)."""
    flows = np.einsum("kij,kij,ij->k", (rates.loss + rates.spread)[1:-1],
                      np.sqrt(density[1:] * density[:-1]), grid.volume)
    injected = np.einsum("kij,ij->k", source, grid.volume)
    most = np.maximum(flows, np.sqrt(injected[1:] * injected[:-1]))
    share = np.divide(flows, most, out=np.zeros_like(flows), where=most > 0)
    return float(np.max(np.abs(change) * np.diff(rates.u) / 2 * share))


class _Energies:
    """The equations of all energies, each with its neighbours' densities as sources."""

    def __init__(self, grid, media, flow, source):
        self.grid, self.media, self.flow, self.source = grid, media, flow, source
        self.count = len(media)
        self.gains = bool(flow.from_below.any())
        # kept for the sweeps; where one suffices each is made when its turn comes
        self._solvers = [self._solver(k) for k in range(self.count)] if self.gains else None

    def _solver(self, k):
        medium = self.media[k]
        return transport.Factorised(self.grid,
                                    medium._replace(loss=medium.loss + self.flow.leave[k]))

    def _solve(self, density, k):
        given = self.source[k].copy()
        if k > 0:
            given += self.flow.from_below[k] * density[k - 1]
        if k < self.count - 1:
            given += self.flow.from_above[k] * density[k + 1]
        return (self._solvers[k] if self.gains else self._solver(k)).solve(given)

    def sweep(self, density, tolerance):
        """From the highest energy down and, where particles gain energy, up again, and so on.

        Returns the densities, the number of sweeps and the distance from convergence."""
        density, steps = density.copy(), []
        down = range(self.count - 1, -1, -1)
        for number in range(1, SWEEPS + 1):
            changes = []
            for k in down if number % 2 else reversed(down):
                now = self._solve(density, k)
                whole = np.sum(now * self.grid.volume)
                moved = np.sum(np.abs(now - density[k]) * self.grid.volume)
                changes.append(moved / whole if whole > 0 else 0.0)
                density[k] = now
            if not self.gains:
                return density, 1, 0.0
            steps.append(max(changes))
            left = _left(steps)
            if left <= tolerance:
                return density, number, float(left)
        raise RuntimeError(f"energies have not converged after {SWEEPS} sweeps: {left:.1e} is "
                           f"left, {tolerance:.0e} wanted")


def _left(steps):
    """What a geometric series of steps would still add; two ratios, sweeps being down and up."""
    if steps[-1] == 0:
        return 0.0
    if len(steps) < 3:
        return np.inf
    ratio = np.sqrt(steps[-1] / steps[-3])
    return steps[-1] * ratio / (1 - ratio) if ratio < 1 else np.inf
