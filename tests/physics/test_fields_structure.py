"""Structure of the field: k.B = 0, reality, closed periods, independent levels, two-point function.

Theory: a cube b(x) = sum_m A_m exp(2 pi i m.x/box) is real if A_-m = A_m*, divergence-free if
m.A_m = 0, and closes on itself after a box. Levels and realisations come from different random
streams: their amplitudes have no correlation. The components are Gaussian. The two-point function
of the field, along and across the separation r, is

    R_LL = int E (sin x - x cos x)/x^3 dk,  R_NN = (R - R_LL)/2,  R = int E sin x/x dk,  x = kr,

for the grids and for the sum of plane waves alike.

Parameters: cubes of 32^3 in double precision, 4 to 2 cells per shortest wavelength; two-point
function: L_max 100 pc, L_min 6.52 pc, q = 5/3, B_rms 4 uG, two levels of 64^3 and 300 waves,
60 realisations.
"""

import numpy as np
import pytest
from physics_common import (
    grid_job,
    one_level,
    random_unit,
    sigmas,
    spectrum,
    two_point,
    wave_job,
)

from hpc_cr.fields import make_field
from hpc_cr.fields.layouts import node_values
from hpc_cr.fields.random import FIELD_STREAM, philox_key, seed_sequence
from hpc_cr.fields.synthesis import LEAST_TRANSFER, extent_of, fill_tile, modes_of

CELLS, SLOPE, RMS = 32, 5 / 3, 4.0
LONGEST, SHORTEST = 100.0, 6.52


def cube_job(shortest=50.0, **options):
    """One level across 400 pc: wavelengths from 100 pc to `shortest`, double precision."""
    return grid_job([400.0], [(100.0, shortest)], cells=CELLS, slope=SLOPE, rms=RMS,
                    precision="double", **options)


def nodes_of(job, realisation=0):
    """Node values (n_level, cells, cells, cells, 3) in the levels' own axes."""
    field = make_field(job, realisation)
    return np.einsum("nij,nxyzj->nxyzi", field.rotation, node_values(field.arrays.grid))


def amplitudes(nodes):
    """Complex amplitudes (cells, cells, cells, 3) and wave vectors m of a cube."""
    m = np.fft.fftfreq(CELLS, 1 / CELLS)
    k = np.stack(np.meshgrid(m, m, m, indexing="ij"), axis=-1)
    return np.fft.fftn(nodes, axes=(0, 1, 2)) / CELLS**3, k


# ---- one cube --------------------------------------------------------------------------------


def check_divergence(nodes):
    a, k = amplitudes(nodes)
    # rounding of a double-precision transform: 1e-16 times log2(32^3) and the length of k
    assert np.max(np.abs(np.sum(k * a, axis=-1))) < 1e-13 * np.max(np.abs(k)) * np.max(np.abs(a))


@pytest.mark.parametrize("shortest", [50.0, 26.0])
def test_divergence_is_zero(shortest):
    nodes = nodes_of(cube_job(shortest))[0]
    check_divergence(nodes)
    with pytest.raises(AssertionError):  # control: a component of the wrong sign
        check_divergence(nodes * [1, 1, -1])


def columns_of(job, realisation=0):
    """The half-complex amplitudes that are handed to FFTW, as (component, m_x, m_y, m_z >= 0)."""
    level = job.levels[0]
    extent = extent_of(level)
    key = philox_key(seed_sequence(job.run.seed, realisation, FIELD_STREAM, 0))
    modes = modes_of(level, SLOPE, key, np.eye(3))
    tile = np.zeros((3, 2 * extent + 1, CELLS), complex)
    half = np.zeros((3, CELLS, CELLS, CELLS // 2 + 1), complex)
    for mz in range(extent + 1):
        if fill_tile(tile, -extent, mz, modes):
            half[:, :, np.arange(-extent, extent + 1), mz] = tile.transpose(0, 2, 1)
    return half


def check_reality(half, nodes):
    """The sum over all modes, both members of each pair, is real and is what the nodes hold."""
    full = np.zeros((CELLS,) * 3, complex)
    full[:, :, : CELLS // 2 + 1] = half
    # the half m_z < 0 is the conjugate of the half m_z > 0; the plane m_z = 0 stays as it is given
    minus = -np.arange(CELLS) % CELLS
    full[:, :, CELLS // 2 + 1:] = np.conj(
        half[minus][:, minus][:, :, CELLS // 2 - 1:0:-1])
    cube = np.fft.ifftn(full) * CELLS**3
    rounding = 1e-13 * np.max(np.abs(nodes))
    assert np.max(np.abs(cube.imag)) < rounding, "not real"
    assert np.max(np.abs(cube.real - nodes)) < rounding, "nodes differ"


@pytest.mark.parametrize("shortest", [50.0, 26.0])
def test_field_at_the_nodes_is_the_real_sum_of_its_modes(shortest):
    job = cube_job(shortest)
    nodes = nodes_of(job)[0]
    for component, half in enumerate(columns_of(job)):
        check_reality(half, nodes[..., component])
        # control: other phases for half of the plane m_z = 0, as independent numbers would give
        half[:, CELLS // 2:, 0] *= 1j
        with pytest.raises(AssertionError, match="not real"):
            check_reality(half, nodes[..., component])


def check_shells(total, expected, realisations):
    """Mean over shells of <|A|^2>/expected is 1 within 3 sigma.

    |A|^2 is a sum of the squares of 4 normal numbers: a relative scatter of 1/sqrt(2) per mode
    and realisation; every second mode is independent.
    """
    m = np.fft.fftfreq(CELLS, 1 / CELLS)
    m2 = m[:, None, None] ** 2 + m[:, None] ** 2 + m**2
    for low in (4, 5, 6, 7):
        shell = (m2 >= low**2) & (m2 < (low + 1) ** 2)
        ratio = np.mean(total[shell] / expected[shell])
        assert abs(ratio - 1) < 3 / np.sqrt(realisations * np.sum(shell)), "wrong power"


def test_power_of_each_mode_is_that_of_the_spectrum():
    """<|A_m|^2> = C m^-(q+2)/T^2 in the band, T the transfer of the interpolation; else nothing."""
    job, realisations = cube_job(), 50
    total = np.zeros((CELLS,) * 3)
    for realisation in range(realisations):
        a, k = amplitudes(nodes_of(job, realisation)[0])
        total += np.sum(np.abs(a) ** 2, axis=-1) / realisations
    m2 = np.sum(k**2, axis=-1)
    band = (m2 >= 16) & (m2 < 64)
    assert np.all(total[~band] < 1e-28)
    plain = np.where(band, np.maximum(m2, 1.0) ** (-(SLOPE + 2) / 2), 0)
    plain *= job.levels[0].rms ** 2 / plain.sum()
    transfer = np.prod(np.sinc(k / CELLS) ** 2, axis=-1)
    divided_out = np.maximum(transfer, LEAST_TRANSFER["trilinear"])
    check_shells(total, plain / divided_out**2, realisations)
    with pytest.raises(AssertionError, match="wrong power"):  # control: nothing divided out
        check_shells(total, plain, realisations)


# ---- continuity ------------------------------------------------------------------------------


def check_periods(field, boxes, distance=1e-8):
    """No jump where a level's box ends: |dB| < 2 distance max|grad B|, with 2 pi B/Delta for it."""
    generator = np.random.default_rng(3)
    cells = field.arrays.grid.shape[1] - 1
    for n, box in enumerate(boxes):
        # points in the level's own axes, in boxes, one coordinate on the end of a box
        own = generator.uniform(-3, 3, (300, 3))
        axis = generator.integers(0, 3, 300)
        own[np.arange(300), axis] = generator.integers(-3, 4, 300)
        q = field.rotation[n]
        normal = q[axis]
        points = (own - field.arrays.to_box[n, :, 3]) * box @ q
        jump = field.at(points + distance * normal) - field.at(points - distance * normal)
        # nodes of the order of 10 uG are interpolated in single precision, to 1e-6
        steepest = 2 * np.pi * 5 * RMS / (min(boxes) / cells)
        assert np.max(np.abs(jump)) < 2 * distance * steepest + 2e-5


def test_field_is_continuous_across_periods_and_levels():
    boxes = [400.0, 104.3, 27.1]
    job = grid_job(boxes, [(100.0, 25.0), (25.0, 6.52), (6.52, 1.7)], cells=64, rms=RMS)
    field = make_field(job, 0)
    check_periods(field, boxes)
    # one whole box further on a level repeats itself: its closing planes are the first ones
    grid = field.arrays.grid
    for axis in (1, 2, 3):
        np.testing.assert_array_equal(np.take(grid, 0, axis), np.take(grid, -1, axis))
    # control: one closing plane of the second level missing
    grid[1, -1] = 0
    with pytest.raises(AssertionError):
        check_periods(field, boxes)


def test_level_repeats_after_its_box():
    job = cube_job(rotate=False)
    field = make_field(job, 0)
    points = np.random.default_rng(4).uniform(-1000, 1000, (100, 3))
    for step in 400.0 * np.array([[1, 0, 0], [0, -2, 0], [3, 1, -1]]):
        # positions up to 10 boxes carry a rounding error of 1e-15 boxes, 3e-14 cells
        np.testing.assert_allclose(field.at(points + step), field.at(points), atol=1e-11)
    assert np.max(np.abs(field.at(points + [200, 0, 0]) - field.at(points))) > 1


# ---- independent streams ---------------------------------------------------------------------


def correlation(first, second):
    """Correlation coefficients of the amplitudes of two cubes of equal bands, per component."""
    a, b = amplitudes(first)[0], amplitudes(second)[0]
    norm = np.sqrt(np.sum(np.abs(a) ** 2, axis=(0, 1, 2)) * np.sum(np.abs(b) ** 2, axis=(0, 1, 2)))
    return np.sum((a * np.conj(b)).real, axis=(0, 1, 2)) / norm


def check_uncorrelated(first, second):
    """Scatter 1/sqrt(effective number of independent real numbers): 3 sigma.

    A cube's real amplitudes weigh by their power p: n = (sum p)^2/sum p^2 for the modes of the
    half-space, two numbers each.
    """
    power = np.sum(np.abs(amplitudes(first)[0]) ** 2, axis=-1)
    number = np.sum(power) ** 2 / np.sum(power**2)
    assert np.all(np.abs(correlation(first, second)) < 3 / np.sqrt(number))


def test_levels_and_realisations_are_uncorrelated():
    # bands of equal modes: the same key would give the same cube
    job = grid_job([400.0, 200.0, 100.0], [(100.0, 50.0), (50.0, 25.0), (25.0, 12.5)],
                   cells=CELLS, precision="double")
    nodes = [nodes_of(job, realisation) for realisation in range(2)]
    for first in range(3):
        for second in range(first):
            check_uncorrelated(nodes[0][first], nodes[0][second])
        for second in range(3):
            check_uncorrelated(nodes[0][first], nodes[1][second])
    check_uncorrelated(nodes[0][0], nodes_of(cube_job(seed=2))[0])
    with pytest.raises(AssertionError):  # control: level 0 of another job, of the same key
        check_uncorrelated(nodes[0][0], nodes_of(cube_job())[0])


def test_levels_are_uncorrelated_at_random_points():
    job = grid_job([400.0, 104.3], [(LONGEST, 25.0), (25.0, SHORTEST)], cells=48)
    products = []
    for realisation in range(30):
        field = make_field(job, realisation)
        points = np.random.default_rng(realisation).uniform(-1e4, 1e4, (5000, 3))
        parts = [one_level(field, n).at(points) for n in range(2)]
        # the whole is the sum of its levels: rounding of double precision
        np.testing.assert_allclose(parts[0] + parts[1], field.at(points), atol=1e-12)
        products.append(np.mean(parts[0] * parts[1], axis=0))
    assert np.all(np.abs(sigmas(products, 0.0)) < 3)


# ---- two-point function ----------------------------------------------------------------------

LAGS = np.array([0.0, 2.0, 5.0, 10.0, 20.0, 40.0, 70.0])


def two_point_theory(slope):
    """R_LL and R_NN (2, n_lag) in uG^2, by quadrature."""
    k = np.geomspace(2 * np.pi / LONGEST, 2 * np.pi / SHORTEST * (1 - 1e-12), 20001)
    x = np.maximum(np.outer(LAGS, k), 1e-3)  # below, (sin x - x cos x)/x^3 is 1/3 to 1e-7
    kernel = (np.sin(x) - x * np.cos(x)) / x**3
    along = np.trapezoid(spectrum(k, LONGEST, SHORTEST, slope, RMS) * k * kernel, np.log(k))
    return np.array([along, (two_point(LAGS, LONGEST, SHORTEST, slope, RMS) - along) / 2])


def measured_two_point(job, realisations, count):
    """R_LL and R_NN at LAGS (n_real, 2, n_lag) in uG^2, from random points and directions."""
    found = np.empty((realisations, 2, len(LAGS)))
    for realisation in range(realisations):
        field = make_field(job, realisation)
        generator = np.random.default_rng(realisation)
        points = generator.uniform(-1e4, 1e4, (count, 3))
        unit = random_unit(generator, count)
        here = field.at(points)
        for i, lag in enumerate(LAGS):
            there = field.at(points + lag * unit)
            along = np.sum(here * unit, axis=1) * np.sum(there * unit, axis=1)
            found[realisation, 0, i] = np.mean(along)
            found[realisation, 1, i] = np.mean(np.sum(here * there, axis=1) - along) / 2
    return found


def check_two_point(samples, expected):
    """3 sigma of the realisations, and 1.5 % of R(0)/3 for the lattice's shells and images."""
    error = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    assert np.all(error < 0.03 * RMS**2 / 3), "too noisy"
    assert np.all(np.abs(samples.mean(axis=0) - expected) < 3 * error + 0.015 * RMS**2 / 3), "R"


def test_two_point_function_of_grids_and_plane_waves():
    job = grid_job([400.0, 104.3], [(LONGEST, 25.0), (25.0, SHORTEST)], cells=64, slope=SLOPE,
                   rms=RMS)
    grids = measured_two_point(job, 60, 4000)
    job = wave_job(LONGEST, SHORTEST, waves=300, slope=SLOPE, rms=RMS)
    waves = measured_two_point(job, 60, 600)
    theory = two_point_theory(SLOPE)
    check_two_point(grids, theory)
    check_two_point(waves, theory)
    check_two_point(grids - waves, 0.0)   # realisations are independent: errors add
    for wrong in (two_point_theory(1.2), theory[::-1]):  # controls: slope; along for across
        for samples in (grids, waves):
            with pytest.raises(AssertionError, match="R"):
                check_two_point(samples, wrong)


def test_components_are_gaussian():
    """<B_i^4> = 3 <B_i^2>^2 over the ensemble; 3 sigma of the realisations."""
    job = grid_job([400.0, 104.3], [(LONGEST, 25.0), (25.0, SHORTEST)], cells=48)
    second, fourth = np.empty((2, 60))
    for realisation in range(60):
        points = np.random.default_rng(realisation).uniform(-1e4, 1e4, (5000, 3))
        b = make_field(job, realisation).at(points)
        second[realisation], fourth[realisation] = np.mean(b**2), np.mean(b**4)

    def check(fourth, second):
        # the ratio's scatter to first order, fourth and second moments taken together
        excess = fourth / second.mean() ** 2 - 6 * second / second.mean() + 3
        assert abs(np.mean(excess)) < 3 * excess.std(ddof=1) / np.sqrt(60)
        assert excess.std(ddof=1) / np.sqrt(60) < 0.05

    check(fourth, second)
    with pytest.raises(AssertionError):  # control: a flat distribution of the same variance
        check(fourth * 1.8 / 3, second)
