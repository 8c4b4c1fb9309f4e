"""Set-ups and skies of the study of statistics per core-second (statistics.py).

A sky is the response M of one observer from one set of start directions; everything is held per
realisation, so that errors of what follows come from resampling realisations.
"""

import time
from typing import NamedTuple

import numpy as np

from hpc_cr import backtrack, make_field
from hpc_cr.anisotropy.estimators import arrival_response, field_controls
from hpc_cr.anisotropy.multipoles import half_samples
from hpc_cr.anisotropy.response import dipole_matrix, nested_quads
from hpc_cr.config import parse_job
from hpc_cr.fields.nested import random_rotation
from hpc_cr.trajectories.directions import healpix_directions


class Setup(NamedTuple):
    """Turbulence, rigidity and times; `axis` is the symmetry of the ensemble."""

    name: str
    rms: float  # uG
    inner: float  # L_min, pc; L_max is 100 pc
    levels: int
    rigidity: float  # PV
    regular: float  # B0 along x, uG
    times: tuple  # pc
    axis: object  # "isotropic" or the direction of the regular field


SETUPS = (
    Setup("r_g << L_c", 4.0, 0.1, 4, 1.0, 0.0, (6.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0),
          "isotropic"),
    Setup("r_g ~ L_c", 4.0, 4.0, 2, 75.0, 0.0, (7.0, 22.0, 66.0, 110.0, 220.0, 330.0, 440.0),
          "isotropic"),
    Setup("strong field", 1.265, 0.1, 4, 1.0, 3.795, (25.0, 50.0, 75.0, 100.0, 150.0, 200.0),
          (1.0, 0.0, 0.0)),
)


def make_job(setup, seed, cells=64, **changes):
    """A job of a set-up; `changes` replace fields of it."""
    setup = setup._replace(**changes)
    text = (f"[run]\nseed = {seed}\n"
            f'[turbulence]\nrms = "{setup.rms} uG"\nouter_scale = "100 pc"\n'
            f'inner_scale = "{setup.inner} pc"\n'
            f"[grids]\ncells = {cells}\nlevels = {setup.levels}\n"
            f'[particles]\nrigidities = ["{setup.rigidity} PV"]\n')
    if setup.regular:
        text += (f'[regular]\nmodel = "uniform"\nstrength = "{setup.regular} uG"\n'
                 "direction = [0, 0]\n")
    return parse_job(text)


def track(field, rigidity, sets, times, positions=None, charge=-1):
    """Trajectories of several sets of directions at once.

    Parameters
    ----------
    field : MagneticField
    rigidity : float
        PV.
    sets : list of ndarray (n, 3)
    times : sequence of float
        pc.
    positions : ndarray (n_set, 3), optional
        Observer of each set, pc; default the origin.
    charge : int
        As in `backtrack`.

    Returns
    -------
    list of (X, U), each (n_stop, n, 3)
    """
    directions = np.concatenate(sets)
    if positions is None:
        positions = np.zeros((len(sets), 3))
    start = np.repeat(positions, [len(n) for n in sets], axis=0)
    tracks = backtrack(field, rigidity, directions, times, position=start, charge=charge)
    ends = np.cumsum([len(n) for n in sets])[:-1]
    return list(zip(np.split(tracks.displacement, ends, axis=1),
                    np.split(tracks.direction, ends, axis=1), strict=True))


def responses(sets, tracks):
    """M (n_set, n_stop, 3, 3) of tracked sets."""
    return np.array([[dipole_matrix(n, x) for x in displacement]
                     for n, (displacement, _) in zip(sets, tracks, strict=True)])


# designs of start directions

def rotated(directions, generator):
    """The set under a random rotation."""
    return directions @ random_rotation(generator)


def random_set(count, generator):
    """Independent isotropic directions."""
    vectors = generator.standard_normal((count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def pairs(count, generator):
    """Random isotropic directions with their opposites."""
    half = random_set(count // 2, generator)
    return np.concatenate([half, -half])


def spiral(count, generator):
    """Fibonacci spiral of equal areas (golden angle), randomly rotated."""
    index = np.arange(count)
    cosine = 1 - (2 * index + 1) / count
    azimuth = np.pi * (3 - np.sqrt(5)) * index
    sine = np.sqrt(1 - cosine**2)
    points = np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine], axis=1)
    return rotated(points, generator)


def design_skies(setup, realisations, seed, nsides, repeats, loop):
    """M of repeated sets of every design in every realisation.

    Parameters
    ----------
    setup : Setup
    realisations, seed : int
    nsides : sequence of int
        HEALPix resolutions, once as they are and `repeats` times under random rotations.
    repeats : int
    loop : callable (description, count) -> iterable
        Shows progress.

    Returns
    -------
    dict of str -> ndarray (n_realisation, n_repeat, n_stop, 3, 3)
        "fixed NSIDE", "rotated NSIDE" and, with 192 directions, "random", "pairs", "spiral".
    """
    job = make_job(setup, seed)
    result = {}
    for realisation in loop(f"{setup.name}: directions", realisations):
        generator = np.random.default_rng([seed, realisation])
        groups = {f"fixed {nside}": [healpix_directions(nside)] for nside in nsides}
        groups |= {f"rotated {nside}": [rotated(healpix_directions(nside), generator)
                                        for _ in range(repeats)] for nside in nsides}
        for name, make in (("random", random_set), ("pairs", pairs), ("spiral", spiral)):
            groups[name] = [make(192, generator) for _ in range(repeats)]
        sets = [n for group in groups.values() for n in group]
        m = responses(sets, track(make_field(job, realisation), setup.rigidity, sets, setup.times))
        for name, group in groups.items():
            result.setdefault(name, []).append(m[:len(group)])
            m = m[len(group):]
    return {name: np.array(rows) for name, rows in result.items()}


class Ensemble(NamedTuple):
    """Skies of many observers; the axes (n_realisation, n_observer) come first."""

    response: np.ndarray  # (..., n_stop, 3, 3) M, pc
    halves: np.ndarray  # (..., 2, n_stop, 3, 3) M of two half-samples; NaN for nside 1
    direction: np.ndarray  # (..., n_stop, 3, 3) W_ij = 3 <n_i U_j>
    arrival: np.ndarray  # (..., n_stop, 3, 3) 3 <X_i U_j>, of the same mean as M
    windows: np.ndarray  # (..., n_stop) <U(s).(X(s+T) - X(s))> over all pairs of stops T apart
    controls: np.ndarray  # (..., 3) of the field at the observer, see `field_controls`
    synthesis: float  # core-seconds per realisation
    tracking: float  # core-seconds per particle to the last stop
    count: int  # particles per sky


def ensemble(setup, realisations, observers, seed, nside, loop, *, flip=False, positions=None,
             **changes):
    """Skies of observers at random places (the first at the origin) of every realisation.

    Parameters
    ----------
    setup, realisations, seed, loop
        See `design_skies`.
    observers, nside : int
    flip : bool
        Turn the sign of the turbulence.
    positions : ndarray (n_realisation, n_observer, 3), optional
        Instead of random places, pc.
    **changes
        Fields of the set-up to replace.

    Returns
    -------
    Ensemble
    """
    job = make_job(setup, seed, **changes)
    setup = setup._replace(**changes)
    n = healpix_directions(nside)
    halves = half_samples(nested_quads(nside), len(n)) if nside > 1 else []
    rows, synthesis, tracking = [], [], []
    for realisation in loop(f"{setup.name}: {observers} observers, nside {nside}", realisations):
        began = time.process_time()
        field = make_field(job, realisation)
        synthesis.append(time.process_time() - began)
        if flip:
            # B0 - b acts on an antiparticle as -B0 + b does on a particle
            field.arrays = field.arrays._replace(regular=-field.arrays.regular)
        generator = np.random.default_rng([seed, realisation, 1])
        places = generator.uniform(-500, 500, (observers, 3)) * (np.arange(observers) > 0)[:, None]
        if positions is not None:
            places = positions[realisation]
        reference = generator.uniform(-2000, 2000, (4096, 3))
        began = time.process_time()
        tracks = track(field, setup.rigidity, [n] * observers, setup.times, places,
                       charge=+1 if flip else -1)
        tracking.append((time.process_time() - began) / (observers * len(n)))
        skies = [_sky(n, halves, *xu, setup.times) for xu in tracks]
        rows.append([np.array(column) for column in zip(*skies, strict=True)]
                    + [field_controls(field, places, reference)])
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return Ensemble(*columns, float(np.median(synthesis)), float(np.median(tracking)), len(n))


def _sky(n, halves, x, u, times):
    """(response, halves, direction, arrival, windows) of one sky."""
    parts = np.array([[dipole_matrix(n[part], at_stop[part]) for at_stop in x]
                      for part in halves]) if len(halves) else np.full((2, len(x), 3, 3), np.nan)
    return (np.array([dipole_matrix(n, at_stop) for at_stop in x]), parts,
            np.array([dipole_matrix(n, at_stop) for at_stop in u]),
            arrival_response(np.swapaxes(x, 1, 2), np.swapaxes(u, 1, 2)), _windows(n, x, u, times))


def _windows(n, displacement, direction, times):
    """<U(s) . (X(s + T) - X(s))> averaged over all pairs of stops (and the start) T apart."""
    x = np.concatenate([np.zeros((1, *n.shape)), displacement])
    u = np.concatenate([n[None], direction])
    t = np.concatenate([[0.0], times])
    result = []
    for span in times:
        found = [np.mean(np.sum(u[a] * (x[b] - x[a]), axis=-1))
                 for a in range(len(t)) for b in range(a + 1, len(t))
                 if abs(t[b] - t[a] - span) < 1e-9]
        result.append(np.mean(found))
    return np.array(result)
