"""What the physics tests share: jobs, exact two-point functions, sampling along lines.

Theory used throughout, for an isotropic divergence-free field with one-dimensional spectrum
E(k) ~ k^-q between k0 = 2 pi/L_max and k1 = 2 pi/L_min and int E dk = B_rms^2 (pc, uG):

* two-point function <B(x).B(x+r)> = R(r) = int E(k) sin(kr)/(kr) dk;
* its spectrum along a straight line, P(kappa) = int R(r) exp(i kappa r) dr (two-sided)
  = pi int_max(|kappa|, k0)^k1 E(k)/k dk: flat below k0;
* so P(0) = int R dr = L_c B_rms^2, with the coherence length
  L_c = (L_max/2) ((q-1)/q) [1 - (L_min/L_max)^q]/[1 - (L_min/L_max)^(q-1)].
"""

import numpy as np

from hpc_cr.config import parse_job
from hpc_cr.fields.interpolation import FieldArrays
from hpc_cr.fields.nested import MagneticField


def grid_job(boxes, bands, *, cells=48, rms=4.0, slope=5 / 3, seed=1, rotate=True,
             compensate=True, precision="half", regular=None):
    """A job with explicit levels: boxes (pc), bands (longest, shortest in pc) of turbulence.

    Nodes, which give the same bits as cells in less memory.
    """
    return _job(
        f"[turbulence]\nslope = {slope!r}\nrms = '{rms!r} uG'\n"
        f"[grids]\ncells = {cells}\nrotate = {str(rotate).lower()}\n"
        f"compensate = {str(compensate).lower()}\nprecision = '{precision}'\nlayout = 'nodes'\n"
        f"boxes = {[f'{box!r} pc' for box in boxes]}\n"
        f"bands = {[[f'{longest!r} pc', f'{shortest!r} pc'] for longest, shortest in bands]}\n",
        seed, regular)


def wave_job(longest, shortest, *, waves=1000, rms=4.0, slope=5 / 3, seed=1, regular=None):
    """A job whose turbulence is a sum of plane waves."""
    return _job(
        f"[turbulence]\nslope = {slope!r}\nrms = '{rms!r} uG'\nsynthesis = 'plane-waves'\n"
        f"waves = {waves}\nouter_scale = '{longest!r} pc'\ninner_scale = '{shortest!r} pc'\n",
        seed, regular)


def _job(text, seed, regular):
    text = f"[run]\nkind = 'anisotropy'\nseed = {seed}\n" + text
    if regular is not None:
        strength, direction = regular
        text += (f"[regular]\nmodel = 'uniform'\nstrength = '{strength!r} uG'\n"
                 f"direction = {list(direction)}\n")
    return parse_job(text + "[particles]\nrigidities = ['100 PV']\nnside = 1\n"
                     "[boundary]\nkind = 'time'\ntimes = ['10 pc']\n")


# ---- fields made by hand ---------------------------------------------------------------------


def hand_made(regular=(0, 0, 0), *, grids=None, boxes=(), rotations=None, offsets=None,
              waves=None, b_ref=None, shortest=np.inf):
    """A `MagneticField` from given parts.

    Parameters
    ----------
    regular : (3,) uG
    grids : ndarray (n_level, cells+1, cells+1, cells+1, 3), uG at the nodes, in the levels' axes
    boxes : (n_level,) pc
    rotations : (n_level, 3, 3), default unit matrices
    offsets : (n_level, 3) cells, default 0: cell coordinates = rotation x cells/box + offset
    waves : (k, c, s), each (n_wave, 3): c cos(k.x) + s sin(k.x), 1/pc and uG
    b_ref : float, uG, default |regular|
    shortest : float, pc
    """
    n_level, nodes = (0, 2) if grids is None else grids.shape[:2]
    cells = nodes - 1
    rotation = np.tile(np.eye(3), (n_level, 1, 1)) if rotations is None else np.array(rotations)
    grid, to_box = np.zeros((n_level, nodes, nodes, nodes, 4)), np.zeros((n_level, 3, 4))
    for n in range(n_level):
        grid[n, ..., :3] = grids[n] @ rotation[n]   # Q^T b: in Galactic axes
        to_box[n, :, :3] = rotation[n] / boxes[n]
        if offsets is not None:
            to_box[n, :, 3] = np.array(offsets[n]) / cells
    waves = np.zeros((3, 0, 3)) if waves is None else [np.array(w, float) for w in waves]
    arrays = FieldArrays(np.array(regular, float), grid, to_box, *waves)
    b_ref = float(np.linalg.norm(regular)) if b_ref is None else b_ref
    return MagneticField(arrays, b_ref, shortest)


def one_level(field, number):
    """The same realisation with one of its levels alone, without the regular field."""
    a = field.arrays
    part = slice(number, number + 1)
    arrays = a._replace(regular=np.zeros(3), grid=a.grid[part], to_box=a.to_box[part])
    return MagneticField(arrays, field.b_ref, field.shortest)


# ---- theory ----------------------------------------------------------------------------------


def spectrum(k, longest, shortest, slope, rms):
    """E(k) in uG^2 pc, normalised to int E dk = rms^2; zero outside the band."""
    k0, k1 = 2 * np.pi / longest, 2 * np.pi / shortest
    norm = rms**2 * (slope - 1) / (k0 ** (1 - slope) - k1 ** (1 - slope))
    return np.where((k >= k0) & (k < k1), norm * np.asarray(k, float) ** -slope, 0.0)


def band_rms(band, longest, shortest, slope, rms):
    """r.m.s. of the band (its longest, shortest wavelength) of the spectrum of all, uG."""
    low, high = (np.array([band[1], band[0]]) ** (slope - 1))
    return rms * np.sqrt((high - low) / (longest ** (slope - 1) - shortest ** (slope - 1)))


def coherence_length(longest, shortest, slope):
    """Two-sided L_c in pc."""
    ratio = shortest / longest
    return longest / 2 * (slope - 1) / slope * (1 - ratio**slope) / (1 - ratio ** (slope - 1))


def two_point(r, longest, shortest, slope, rms):
    """R(r) = <B(x).B(x+r)> in uG^2 at separations r (pc), by quadrature in ln k."""
    k = np.geomspace(2 * np.pi / longest, 2 * np.pi / shortest * (1 - 1e-12), 20001)
    value = (spectrum(k, longest, shortest, slope, rms) * k
             * np.sinc(np.multiply.outer(np.asarray(r, float), k) / np.pi))
    return np.trapezoid(value, np.log(k), axis=-1)


def line_spectrum(kappa, longest, shortest, slope, rms):
    """P(kappa) in uG^2 pc along a line (two-sided)."""
    k0, k1 = 2 * np.pi / longest, 2 * np.pi / shortest
    norm = rms**2 * (slope - 1) / (k0 ** (1 - slope) - k1 ** (1 - slope))
    low = np.clip(np.abs(kappa), k0, k1)
    return np.pi * norm * (low**-slope - k1**-slope) / slope


def lattice_power(level, slope):
    """Power of the modes that a level's lattice holds.

    Returns
    -------
    m : three int arrays that broadcast together, components in units of 2 pi/box
    power : ndarray (cells-1,) * 3, uG^2, ~ |m|^-(q+2) in the band, sum = rms^2
    """
    m = np.arange(-level.cells // 2 + 1, level.cells // 2)
    mx, my, mz = np.meshgrid(m, m, m, indexing="ij", sparse=True)
    m2 = np.asarray(mx**2 + my**2 + mz**2, float)
    band = (m2 >= (level.box / level.longest) ** 2) & (m2 < (level.box / level.shortest) ** 2)
    power = np.where(band, np.maximum(m2, 1.0) ** (-(slope + 2) / 2), 0.0)
    return (mx, my, mz), power * (level.rms**2 / np.sum(power))


def interpolated_share(m, cells):
    """Share of a wave's power that trilinear interpolation keeps, images included."""
    share = 1.0
    for i in m:
        share = share * (2 + np.cos(2 * np.pi * i / cells)) / 3
    return share


def gyration(u0, t, r_g, sign, axis):
    """Exact displacement and direction (n, 3) at time t (scalar or (n,)) in a uniform field.

    With p b the part of u0 (n, 3) along the field's unit vector b = axis, q the rest and
    phi = t/r_g: u = p b + q cos phi + s (q x b) sin phi, and its integral; s = sign is the charge.
    """
    along = (u0 @ axis)[:, None] * axis
    across = u0 - along
    third = sign * np.cross(across, axis)
    t = np.reshape(t, (-1, 1))
    phi = t / r_g
    x = along * t + r_g * (across * np.sin(phi) + third * (1 - np.cos(phi)))
    return x, along + across * np.cos(phi) + third * np.sin(phi)


# ---- sampling --------------------------------------------------------------------------------


def random_unit(generator, count):
    """Isotropic unit vectors (count, 3)."""
    v = generator.standard_normal((count, 3))
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def along_lines(field, generator, directions, step, samples, extent=1e4):
    """Field (n_line, samples, 3) uG along lines that start at random places (within extent pc)."""
    start = generator.uniform(-extent, extent, (len(directions), 3))
    path = step * np.arange(samples)
    return field.at(start[:, None] + path[None, :, None] * directions[:, None])


def sigmas(samples, expected):
    """(mean - expected) in standard errors; one sample per realisation on the leading axis."""
    samples = np.asarray(samples, float)
    error = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    return (samples.mean(axis=0) - expected) / error
