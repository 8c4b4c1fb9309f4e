"""Fields bit for bit, their random numbers, and the interface of `make_field`."""

import numpy as np
import pytest

from hpc_cr import make_field
from hpc_cr.config import parse_job
from hpc_cr.fields.nested import (
    field_on,
    grid_dtype,
    grid_shape,
    random_rotation,
    synthesis_units,
    synthesise_unit,
)
from hpc_cr.fields.random import four_normals, philox, philox_key, seed_sequence
from hpc_cr.fields.spectrum import mode_normalisation
from hpc_cr.frames import unit_vector

JOB = """
[run]
kind = "anisotropy"
seed = 5
[turbulence]
rms = "4 uG"
[grids]
cells = {cells}
precision = "{precision}"
boxes = ["400 pc", "104.3 pc"]
bands = [["100 pc", "33.4 pc"], ["33.4 pc", "8.7 pc"]]
{more}
[particles]
rigidities = ["10 PV"]
nside = 1
[boundary]
kind = "time"
times = ["10 pc"]
"""


def job_of(cells=48, precision="single", more=""):
    return parse_job(JOB.format(cells=cells, precision=precision, more=more))


def grid_of(job, realisation=0, threads=1):
    return make_field(job, realisation, threads).arrays.grid


# ---- bits ------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("cells", [48, 50])   # 50: the last block of planes overlaps the one before
def test_same_bits_for_any_number_of_threads_and_order(cells, precision):
    job = job_of(cells, precision)
    once = grid_of(job)
    for threads in (1, 2, 3):
        np.testing.assert_array_equal(grid_of(job, threads=threads), once)
    units = synthesis_units(job)
    assert sorted(units) == [(level, axis) for level in range(2) for axis in range(3)]
    for seed in range(3):
        grid = np.full(grid_shape(job), np.nan, grid_dtype(job))
        for number in np.random.default_rng(seed).permutation(len(units)):
            synthesise_unit(grid, job, 0, units[number], threads=1 + number % 2)
        np.testing.assert_array_equal(grid[..., :3], once[..., :3])
    # the whole field too: rotations and offsets come from streams of their own
    points = np.random.default_rng(0).uniform(-1e3, 1e3, (50, 3))
    grid[..., 3] = 0
    np.testing.assert_array_equal(field_on(grid, job, 0).at(points), make_field(job, 0).at(points))
    # control: another realisation is another field
    assert not np.array_equal(grid_of(job, 1), once)


def test_same_bits_whatever_fftw_has_learnt():
    """Wisdom of other code must not come into the plans (it would change their rounding)."""
    import pyfftw

    from hpc_cr.fields import synthesis

    job = job_of()
    synthesis._plans.cache_clear()
    before = grid_of(job)
    planes = pyfftw.zeros_aligned((8, 48, 25), "complex64")
    real = pyfftw.zeros_aligned((8, 48, 48), "float32")
    pyfftw.FFTW(planes, real, axes=(1, 2), direction="FFTW_BACKWARD",
                flags=("FFTW_MEASURE", "FFTW_DESTROY_INPUT"))
    learnt = pyfftw.export_wisdom()
    synthesis._plans.cache_clear()
    np.testing.assert_array_equal(grid_of(job), before)
    kept = pyfftw.export_wisdom()   # and nothing of it is lost
    for ours, theirs in zip(kept, learnt, strict=True):
        assert set(ours.splitlines()) >= set(theirs.splitlines())
    pyfftw.forget_wisdom()


def test_single_precision_is_the_double_one_rounded():
    single, double = (grid_of(job_of(precision=p)) for p in ("single", "double"))
    assert single.dtype == np.float32 and double.dtype == np.float64
    # three transforms of 48 points: a few 6e-8 of the largest value
    np.testing.assert_allclose(single, double, rtol=0, atol=1e-6 * np.abs(double).max())
    assert np.abs(single - double).max() > 0


def test_seed_and_realisation_name_a_field():
    job, other = job_of(), parse_job(JOB.format(cells=48, precision="single", more="")
                                     .replace("seed = 5", "seed = 6"))
    assert not np.array_equal(grid_of(job), grid_of(other))
    np.testing.assert_array_equal(grid_of(job, 3), grid_of(job_of(), 3))
    # a level's random numbers do not depend on the other levels' presence
    first = parse_job(JOB.format(cells=48, precision="single", more="")
                      .replace(', "104.3 pc"', "").replace(', ["33.4 pc", "8.7 pc"]', ""))
    ratio = job.levels[0].rms / first.levels[0].rms
    np.testing.assert_allclose(grid_of(first)[0] * ratio, grid_of(job)[0], atol=1e-5)


# ---- random numbers --------------------------------------------------------------------------


@pytest.mark.parametrize("counter, key, words", [
    ("00000000 00000000 00000000 00000000", "00000000 00000000",
     "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
     "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
])
def test_philox_gives_the_published_words(counter, key, words):
    """Known answers of Philox 4x32-10 from Random123 (Salmon et al. 2011), kat_vectors."""
    numbers = [np.uint64(int(word, 16)) for word in f"{counter} {key}".split()]
    assert [int(word) for word in philox(*numbers)] == [int(word, 16) for word in words.split()]


def test_normal_numbers_of_neighbouring_modes_are_independent():
    key = philox_key(seed_sequence(1, 0, 0, 0))
    m = np.arange(-12, 13)
    modes = np.stack(np.meshgrid(m, m, m, indexing="ij"), axis=-1).reshape(-1, 3)
    draws = np.array([four_normals(*mode, 0, *key) for mode in modes]).reshape(25, 25, 25, 4)
    count = 25**3
    k = 4   # sigma: forty numbers are looked at
    for i in range(4):
        values = draws[..., i]
        # standard errors of mean, variance and fourth moment: 1, sqrt 2, sqrt 96 over sqrt n
        assert abs(values.mean()) < k / np.sqrt(count)
        assert abs(np.mean(values**2) - 1) < k * np.sqrt(2 / count)
        assert abs(np.mean(values**4) - 3) < k * np.sqrt(96 / count)
        for axis in range(3):
            near = np.mean(values * np.roll(values, 1, axis))
            assert abs(near) < k / np.sqrt(count)
        # m and -m: a pair of conjugate modes must not be correlated by the counter
        assert abs(np.mean(values * values[::-1, ::-1, ::-1])) < k * np.sqrt(2 / count)
        for j in range(i):
            assert abs(np.mean(values * draws[..., j])) < k / np.sqrt(count)


def test_random_rotation_is_proper_and_isotropic():
    generator = np.random.default_rng(1)
    rotations = np.array([random_rotation(generator) for _ in range(3000)])
    np.testing.assert_allclose(rotations @ rotations.transpose(0, 2, 1),
                               np.tile(np.eye(3), (3000, 1, 1)), atol=1e-14)
    np.testing.assert_allclose(np.linalg.det(rotations), 1, atol=1e-14)
    # <Q_ij> = 0 and <Q_ij^2> = 1/3 for a uniform rotation; scatters sqrt(1/3), sqrt(4/45)
    assert np.all(np.abs(rotations.mean(axis=0)) < 3.5 * np.sqrt(1 / 3 / 3000))
    assert np.all(np.abs((rotations**2).mean(axis=0) - 1 / 3) < 3.5 * np.sqrt(4 / 45 / 3000))


# ---- spectrum --------------------------------------------------------------------------------


def test_mode_normalisation_sums_to_the_band():
    level = job_of().levels[0]
    m = np.arange(-23, 24)
    m2 = (m[:, None, None] ** 2 + m[:, None] ** 2 + m**2).astype(float)
    band = (m2 >= (level.box / level.longest) ** 2) & (m2 < (level.box / level.shortest) ** 2)
    total = np.sum(m2[band] ** (-(5 / 3 + 2) / 2))
    assert mode_normalisation(level, 5 / 3) * total == pytest.approx(level.rms**2, rel=1e-12)


def test_a_band_without_modes_is_an_error():
    level = job_of().levels[0]._replace(longest=100.0, shortest=99.9)   # |m| = 4.000 to 4.004
    assert mode_normalisation(level, 5 / 3) > 0   # the six modes (4, 0, 0)
    with pytest.raises(ValueError, match="no Fourier mode of a box of 400 pc"):
        mode_normalisation(level._replace(longest=99.9, shortest=99.0), 5 / 3)


# ---- make_field ------------------------------------------------------------------------------


def test_regular_field_is_added():
    regular = '[regular]\nmodel = "uniform"\nstrength = "3 uG"\ndirection = [30.0, 40.0]'
    points = np.random.default_rng(1).uniform(-100, 100, (20, 3))
    without, together = (make_field(job_of(more=more)) for more in ("", regular))
    np.testing.assert_allclose(together.at(points) - without.at(points),
                               np.tile(3 * unit_vector(30, 40), (20, 1)), atol=1e-12)
    assert without.b_ref == pytest.approx(4) and together.b_ref == pytest.approx(5)
    assert without.shortest == pytest.approx(8.7)


def test_shapes_of_points():
    field = make_field(job_of())
    points = np.random.default_rng(1).uniform(-100, 100, (4, 5, 3))
    assert field.at(points).shape == (4, 5, 3)
    np.testing.assert_array_equal(field.at(points[1, 2]), field.at(points)[1, 2])
    np.testing.assert_array_equal(field.at(points[0].tolist()), field.at(points[0]))
    with pytest.raises(ValueError, match=r"\(n, 3\)"):
        field.at([[1.0, 2.0]])
