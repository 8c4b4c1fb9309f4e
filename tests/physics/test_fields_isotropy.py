"""No axis is special: power of the planes k_i = 0, coherence lengths, integral scales.

Theory: the half-complex array of a real transform holds both members of each pair (k, -k) in its
plane k_z = 0. Filled with independent numbers, that plane keeps half of its power, and with it the
coherence length along z is about half of that along x. In an isotropic divergence-free field the
power of the planes k_x = 0, k_y = 0, k_z = 0 is equal, and so is the two-sided coherence length
L_c = (L_max/2) ((q-1)/q) [1-(L_min/L_max)^q]/[1-(L_min/L_max)^(q-1)] along every axis.

Modes that vary only across a line (k perpendicular to e) carry half of their power along e and
half perpendicular to e, in one component where e has two: the integral scale of the component
along the line is twice that of a component across it. A level whose vectors are not turned back
with its rotation keeps every scalar, but not this ratio (it becomes 1).

Parameters: L_max 100 pc, q = 5/3, B_rms 4 uG, lattices of 32^3 to 64^3 with and without random
rotation, 40 realisations; lines with a Hann window of a length that keeps its main lobe below k0,
where the spectrum along a line is flat (length >= 4 L_max).

Exact solution: the formula; and, a few per cent from it, the sum over the modes of the lattice.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from physics_common import (
    along_lines,
    coherence_length,
    grid_job,
    hand_made,
    interpolated_share,
    lattice_power,
    one_level,
    random_unit,
    sigmas,
)

from hpc_cr.fields import make_field
from hpc_cr.fields.layouts import numbers

REALISATIONS = 40
LONGEST, RMS, SLOPE = 100.0, 4.0, 5 / 3


def numpy_cube(generator, cells, lowest, highest, box, hermitian):
    """A cube of turbulence (cells+1, cells+1, cells+1, 3) made with numpy alone.

    hermitian: from white noise in real space, so that reality holds everywhere; otherwise from
    independent numbers in the half-complex array: the mistake that the tests must find.
    """
    m = np.fft.fftfreq(cells, 1 / cells)
    k = np.stack(np.meshgrid(m, m, m[: cells // 2 + 1].copy(), indexing="ij"), axis=-1)
    m2 = np.sum(k**2, axis=-1)
    if hermitian:
        noise = np.fft.rfftn(generator.standard_normal((cells, cells, cells, 3)), axes=(0, 1, 2))
    else:
        noise = generator.standard_normal(k.shape) + 1j * generator.standard_normal(k.shape)
        noise *= np.sqrt(cells**3 / 2)
    band = (m2 >= lowest**2) & (m2 < highest**2)
    size = np.where(band, np.maximum(m2, 1) ** (-(SLOPE + 2) / 4), 0.0)
    across = noise - k * (np.sum(noise * k, axis=-1) / np.maximum(m2, 1))[..., None]
    cube = np.fft.irfftn(across * size[..., None], s=(cells,) * 3, axes=(0, 1, 2))
    weight = np.sum(np.where(m2 > 0, size, 0) ** 2 * np.where(k[..., 2] > 0, 2, 1))
    cube *= RMS / np.sqrt(2 * weight / cells**3)
    return np.pad(cube, [(0, 1)] * 3 + [(0, 0)], mode="wrap")


# ---- planes ----------------------------------------------------------------------------------


def plane_powers(nodes):
    """Power (3,) of the planes k_x = 0, k_y = 0, k_z = 0 of a closed cube of node values."""
    power = np.sum(np.abs(np.fft.fftn(nodes[:-1, :-1, :-1], axes=(0, 1, 2))) ** 2, axis=-1)
    return np.array([power[0].sum(), power[:, 0].sum(), power[:, :, 0].sum()])


def check_planes(powers):
    """k_z = 0 against k_x = 0, and k_y = 0 against k_x = 0: 3 sigma of the realisations."""
    ratio = powers / powers.mean(axis=0)[0]
    for axis in (1, 2):
        difference = ratio[:, axis] - ratio[:, 0]
        error = difference.std(ddof=1) / np.sqrt(len(difference))
        assert error < 0.03, "too noisy"
        assert abs(difference.mean()) < 3 * error, "planes differ"


def numpy_planes(hermitian):
    generator = np.random.default_rng(5)
    return np.array([plane_powers(numpy_cube(generator, 32, 4, 8, 400.0, hermitian))
                     for _ in range(REALISATIONS)])


def test_power_of_the_planes():
    job = grid_job([400.0], [(LONGEST, 50.0)], cells=32, rotate=False, precision="double")
    fields = (make_field(job, realisation) for realisation in range(REALISATIONS))
    check_planes(np.array([plane_powers(f.arrays.grid[0, ..., :3]) for f in fields]))


def test_independent_numbers_in_the_plane_would_show():
    check_planes(numpy_planes(hermitian=True))
    broken = numpy_planes(hermitian=False)
    # half of the plane's power is lost: Re, Im of A(k) and A(-k)* are averaged
    assert np.mean(broken[:, 2]) / np.mean(broken[:, 0]) == pytest.approx(0.5, abs=0.06)
    with pytest.raises(AssertionError, match="planes differ"):
        check_planes(broken)


def test_nyquist_planes_are_empty():
    # the band reaches to 2 cells per wavelength: m < 16 everywhere, m = -16 left out
    job = grid_job([100.0], [(50.0, 6.25)], cells=32, rotate=False, precision="double")
    nodes = make_field(job, 0).arrays.grid[0, :-1, :-1, :-1, :3]
    power = np.sum(np.abs(np.fft.fftn(nodes, axes=(0, 1, 2))) ** 2, axis=-1)
    nyquist = power[16].sum() + power[:, 16].sum() + power[:, :, 16].sum()
    assert nyquist < 1e-28 * power.sum()   # rounding squared
    assert power[15].sum() > 1e-4 * power.sum()


# ---- coherence length ------------------------------------------------------------------------


def transforms_at_zero(field, generator, directions, length, step=25 / 6):
    """int w B ds with int w^2 ds = 1, along lines of `length` pc: (n_line, 3) in uG pc^(1/2)."""
    samples = int(np.ceil(length / step))
    window = np.hanning(samples + 1)[:-1]
    step = length / samples
    window = window / np.sqrt(step * np.sum(window**2))
    b = along_lines(field, generator, directions, step, samples)
    return step * np.einsum("s,lsi->li", window, b)


def lengths_along_axes(field, generator, rms, length, lines=400):
    """Two-sided int <B(x).B(x + r e)> dr / B_rms^2 in pc along e = x, y, z."""
    found = []
    for axis in np.eye(3):
        v = transforms_at_zero(field, generator, np.tile(axis, (lines, 1)), length)
        found.append(np.mean(np.sum(v**2, axis=1)) / rms**2)
    return np.array(found)


def lattice_length(level, axis=None, interpolated=False):
    """L_c (pc) of the modes that a level's lattice holds, sum over planes or over all modes.

    Along an axis of the lattice the Hann window of one box takes 2/3 of the plane m_i = 0 and 1/6
    of each neighbour; over all rotations a mode of wave number k counts pi/k.
    """
    m, power = lattice_power(level, SLOPE)
    if interpolated:
        power = power * interpolated_share(m, level.cells)
    if axis is None:
        k = 2 * np.pi / level.box * np.sqrt(np.maximum(sum(i**2 for i in m), 1))
        return np.sum(power * np.pi / k) / level.rms**2
    plane = power.sum(axis=tuple(i for i in range(3) if i != axis))
    centre = level.cells // 2 - 1
    return level.box * (2 / 3 * plane[centre] + 1 / 3 * plane[centre + 1]) / level.rms**2


def check_lengths(lengths, expected):
    """Each axis as expected, and alike: 3 sigma of the scatter over realisations."""
    error = lengths.std(axis=0, ddof=1) / np.sqrt(len(lengths))
    assert np.all(error < 0.04 * lengths.mean(axis=0)), "too noisy"
    assert np.all(np.abs(sigmas(lengths, expected)) < 3), "wrong L_c"


def test_coherence_length_along_each_axis_of_each_level():
    bands = [(100.0, 50.0), (50.0, 25.0)]
    job = grid_job([800.0, 418.0], bands, cells=64, rotate=False)
    lengths = np.empty((2, REALISATIONS, 3))
    for realisation in range(REALISATIONS):
        field = make_field(job, realisation)
        generator = np.random.default_rng(realisation)
        for n, level in enumerate(job.levels):
            lengths[n, realisation] = lengths_along_axes(
                one_level(field, n), generator, level.rms, level.box)
    for n, level in enumerate(job.levels):
        formula = coherence_length(level.longest, level.shortest, SLOPE)
        expected = [lattice_length(level, axis) for axis in range(3)]
        # planes through the origin of a lattice of 8 to 16 modes hold 3 % more than their share
        np.testing.assert_allclose(expected, formula, rtol=0.03)
        check_lengths(lengths[n], expected)
        with pytest.raises(AssertionError, match="wrong L_c"):  # control: the one-sided length
            check_lengths(lengths[n], formula / 2)


def test_coherence_length_of_nested_levels():
    longest, shortest = LONGEST, 6.52
    job = grid_job([400.0, 104.3], [(longest, 25.0), (25.0, shortest)], cells=64)
    lengths = np.array([
        lengths_along_axes(make_field(job, realisation), np.random.default_rng(realisation),
                           RMS, 4 * longest)
        for realisation in range(REALISATIONS)
    ])
    formula = coherence_length(longest, shortest, SLOPE)
    expected = sum(lattice_length(level) * level.rms**2 for level in job.levels) / RMS**2
    # shells of 4 to 16 modes hold up to 2 % more or less than their volume
    assert expected == pytest.approx(formula, rel=0.02)
    check_lengths(lengths, expected)
    with pytest.raises(AssertionError, match="wrong L_c"):  # control: no factor (q-1)/q
        check_lengths(lengths, expected * SLOPE / (SLOPE - 1))


def test_coherence_length_of_a_broken_plane_would_show():
    level = SimpleNamespace(box=800.0, longest=100.0, shortest=50.0, rms=RMS, cells=64)
    expected = [lattice_length(level, axis, interpolated=True) for axis in range(3)]
    generator = np.random.default_rng(6)
    lengths = {}
    for hermitian in (True, False):
        lengths[hermitian] = np.array([
            lengths_along_axes(hand_made(
                grids=numpy_cube(generator, 64, 8, 16, level.box, hermitian)[None],
                boxes=[level.box], offsets=generator.uniform(0, 64, (1, 3)), b_ref=RMS),
                generator, RMS, level.box)
            for _ in range(20)
        ])
    check_lengths(lengths[True], expected)
    with pytest.raises(AssertionError, match="wrong L_c"):
        check_lengths(lengths[False], expected)
    # half of the plane k_z = 0 is lost: 2/3 of the power that the window takes
    ratio = lengths[False].mean(axis=0)
    assert ratio[2] / ratio[0] == pytest.approx(2 / 3, abs=0.06)


# ---- longitudinal and transverse -------------------------------------------------------------


def integral_scales(field, longest, generator, lines=400):
    """Powers at kappa = 0 (uG^2 pc) of the component along a line and of one across it.

    The window of 12 L_max keeps kappa^2/k^2, by which the ratio falls below 2, to 2e-3.
    """
    directions = random_unit(generator, lines)
    v = transforms_at_zero(field, generator, directions, 12 * longest, longest / 12)
    along2 = np.sum(v * directions, axis=1) ** 2
    return np.mean(along2), np.mean(np.sum(v**2, axis=1) - along2) / 2


def check_two_to_one(powers):
    """(along - 2 across)/(along + 2 across) is 0: 3 sigma of the realisations, and 2e-3 as above.

    Images of the interpolation, which are not transverse, add less than their power, 1e-3.
    """
    along, across = powers[:, 0], powers[:, 1]
    asymmetry = (along - 2 * across) / (along.mean() + 2 * across.mean())
    error = asymmetry.std(ddof=1) / np.sqrt(len(asymmetry))
    assert error < 0.02, "too noisy"
    assert abs(asymmetry.mean()) < 3 * error + 3e-3, "not 2:1"


def not_turned(field):
    """The same levels with their vectors left in the level's own axes: B(x) = b(Q x + offset)."""
    grid = numbers(field.arrays.grid).astype(np.float32)
    grid[..., :3] = np.einsum("nij,nxyzj->nxyzi", field.rotation, grid[..., :3])
    field.arrays = field.arrays._replace(grid=grid)
    return field


def test_integral_scales_two_to_one_in_every_level():
    bands = [(100.0, 35.0), (35.0, 12.0), (12.0, 4.0)]
    job = grid_job([400.0, 145.0, 49.0], bands, cells=48)
    right, wrong = np.empty((2, 3, REALISATIONS, 2))
    for realisation in range(REALISATIONS):
        field = make_field(job, realisation)
        generator = np.random.default_rng(realisation)
        for n, (longest, _) in enumerate(bands):
            level = one_level(field, n)
            right[n, realisation] = integral_scales(level, longest, generator)
            wrong[n, realisation] = integral_scales(not_turned(level), longest, generator)
    for n in range(3):
        check_two_to_one(right[n])
        # control: without turning the vector back the ratio is 1 (asymmetry (1-2)/(1+2))
        with pytest.raises(AssertionError, match="not 2:1"):
            check_two_to_one(wrong[n])
        assert wrong[n, :, 0].mean() / wrong[n, :, 1].mean() == pytest.approx(1, abs=0.2)
