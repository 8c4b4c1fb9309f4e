"""Fields bit for bit, their random numbers, and the interface of `make_field`."""

import numpy as np
import pytest

from hpc_cr import make_field
from hpc_cr.config import parse_job
from hpc_cr.config.errors import JobError
from hpc_cr.fields import random, synthesis
from hpc_cr.fields.layouts import aligned_empty, node_values, numbers
from hpc_cr.fields.nested import field_layout, field_on, random_rotation, synthesis_steps
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
layout = "{layout}"
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


def job_of(cells=48, precision="single", layout="nodes", more=""):
    return parse_job(JOB.format(cells=cells, precision=precision, layout=layout, more=more))


def grid_of(job, realisation=0, threads=1):
    return make_field(job, realisation, threads).arrays.grid


# ---- bits ------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["half", "single", "double"])
@pytest.mark.parametrize("layout", ["nodes", "cells"])
@pytest.mark.parametrize("cells", [24, 26])   # 26: rows that fill no cache lines
def test_same_bits_for_any_number_of_threads_and_ranks(cells, layout, precision):
    job = job_of(cells, precision, layout)
    once = grid_of(job)
    np.testing.assert_array_equal(grid_of(job, threads=3), once)
    generator = np.random.default_rng(0)
    for size in (1, 2, 3, 30):   # 30: some have nothing to do
        spectrum, grid = (aligned_empty(*array) for array in field_layout(job))
        spectrum[:], numbers(grid)[:] = np.nan, np.nan   # what was there before does not matter
        ranks = [synthesis_steps(job, 0, spectrum, grid, rank, size) for rank in range(size)]
        while ranks:
            # every rank goes on to where all must meet, in any order
            met = [any(ranks[i]) for i in generator.permutation(len(ranks))]
            assert all(met) or not any(met)
            ranks = ranks if all(met) else []
        np.testing.assert_array_equal(grid, once)
    # the whole field too: rotations and offsets come from streams of their own
    points = generator.uniform(-1e3, 1e3, (50, 3))
    np.testing.assert_array_equal(field_on(grid, job, 0).at(points), make_field(job, 0).at(points))
    # control: another realisation is another field
    assert not np.array_equal(grid_of(job, 1), once)


def test_a_thread_that_fails_ends_all(monkeypatch):
    whole = synthesis.fill_tile

    def failing(tile, first, mz, modes):
        if mz == 1:
            raise MemoryError("deliberate")
        return whole(tile, first, mz, modes)

    monkeypatch.setattr(synthesis, "fill_tile", failing)
    with pytest.raises(MemoryError, match="deliberate"):
        grid_of(job_of(), threads=3)


@pytest.mark.parametrize("precision", ["half", "single", "double"])
def test_both_layouts_hold_the_same_nodes(precision):
    nodes, cells = (numbers(grid_of(job_of(24, precision, layout)))
                    for layout in ("nodes", "cells"))
    assert nodes.shape == (2, 25, 25, 25, 4) and cells.shape == (2, 24, 24, 24, 2, 2, 2, 4)
    for i, j, k in np.ndindex(2, 2, 2):
        np.testing.assert_array_equal(cells[:, :, :, :, i, j, k],
                                      nodes[:, i:24 + i, j:24 + j, k:24 + k])
    for axis in (1, 2, 3):   # closed periods
        np.testing.assert_array_equal(np.take(nodes, 0, axis), np.take(nodes, -1, axis))
    assert not nodes[..., 3].any() and nodes[..., :3].any()
    points = np.random.default_rng(0).uniform(-1e3, 1e3, (500, 3))
    found = [make_field(job_of(24, precision, layout)).at(points) for layout in ("nodes", "cells")]
    np.testing.assert_array_equal(*found)


def test_vectors_are_turned_with_their_level():
    """The grid holds Q^T b: b, the same numbers without a rotation, has other axes."""
    turned = make_field(job_of(precision="double"))
    plain = make_field(job_of(precision="double", more="rotate = false"))
    np.testing.assert_allclose(plain.rotation, np.tile(np.eye(3), (2, 1, 1)))
    here, there = (node_values(field.arrays.grid) for field in (turned, plain))
    expected = np.einsum("nxyzi,nij->nxyzj", there, turned.rotation)
    np.testing.assert_allclose(here, expected, rtol=0, atol=1e-12)
    with pytest.raises(AssertionError):   # control: turned the other way
        np.testing.assert_allclose(
            here, np.einsum("nxyzi,nji->nxyzj", there, turned.rotation), atol=0.1)


def test_same_bits_whatever_fftw_has_learnt():
    """Wisdom of other code must not come into the plans (it would change their rounding)."""
    import pyfftw

    job = job_of()
    synthesis._transforms.cache_clear()
    before = grid_of(job)
    transforms = synthesis._Transforms(48, synthesis.extent_of(job.levels[0]), np.dtype("f4"))
    for first, second in ((transforms.tile, transforms.tile),
                          (transforms.rows, transforms.modes_of_half),
                          (transforms.half, transforms.real)):
        pyfftw.FFTW(first, second, axes=(2,), direction="FFTW_BACKWARD",
                    flags=("FFTW_MEASURE", "FFTW_DESTROY_INPUT"))
    learnt = pyfftw.export_wisdom()
    synthesis._transforms.cache_clear()
    np.testing.assert_array_equal(grid_of(job), before)
    kept = pyfftw.export_wisdom()   # and nothing of it is lost
    for ours, theirs in zip(kept, learnt, strict=True):
        assert set(ours.splitlines()) >= set(theirs.splitlines())
    pyfftw.forget_wisdom()


def test_precisions():
    half, single, double = (numbers(grid_of(job_of(precision=p)))
                            for p in ("half", "single", "double"))
    assert [g.dtype for g in (half, single, double)] == [np.float16, np.float32, np.float64]
    np.testing.assert_array_equal(half, single.astype(np.float16))
    # three transforms of 48 points: a few 6e-8 of the largest value
    np.testing.assert_allclose(single, double, rtol=0, atol=1e-6 * np.abs(double).max())
    assert np.abs(single - double).max() > 0


def test_half_precision_only_where_it_carries_the_field():
    def job(rms, precision):
        text = JOB.format(cells=48, precision=precision, layout="nodes", more="")
        return parse_job(text.replace('precision = ""', "").replace("4 uG", rms))

    assert [job(rms, "").grids.precision for rms in ("4 uG", "1 pG", "1 G")] == [
        "half", "single", "single"]
    for rms in ("1 pG", "1 G"):
        with pytest.raises(JobError, match="half precision carries"):
            job(rms, "half")


def test_seed_and_realisation_name_a_field():
    text = JOB.format(cells=48, precision="single", layout="nodes", more="")
    job, other = job_of(), parse_job(text.replace("seed = 5", "seed = 6"))
    assert not np.array_equal(grid_of(job), grid_of(other))
    np.testing.assert_array_equal(grid_of(job, 3), grid_of(job_of(), 3))
    # a level's random numbers do not depend on the other levels' presence
    first = parse_job(text.replace(', "104.3 pc"', "").replace(', ["33.4 pc", "8.7 pc"]', ""))
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


def test_normal_numbers_are_those_of_the_words():
    """Box-Muller in numpy on the same words; ours differ by a few roundings of double precision."""
    key = philox_key(seed_sequence(1, 0, 0, 0))
    for mode in ((0, 0, 0), (1, 2, 3), (-7, 5, 0), (-1, -1, 12), (2047, -2000, 9)):
        words = np.array([philox(*[np.uint64(m % 2**32) for m in (*mode, 0)], *key)], float)[0]
        radius = np.sqrt(-2 * np.log((words[::2] + 0.5) / 2**32))
        angle = 2 * np.pi * words[1::2] / 2**32
        expected = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()
        np.testing.assert_allclose(four_normals(*mode, 0, *key), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("word", [0, 1, 2**29 - 1, 2**29, 2**30, 3 * 2**29, 2**31 - 1, 2**31,
                                  5 * 2**29, 3 * 2**30, 7 * 2**29, 2**32 - 1])
def test_logarithm_and_angle_at_the_ends_of_their_ranges(word):
    x = (word + 0.5) / 2**32
    assert random._log(x) == pytest.approx(np.log(x), rel=1e-15, abs=1e-18)
    angle = 2 * np.pi * word / 2**32
    np.testing.assert_allclose(random._cos_sin(np.uint64(word)), [np.cos(angle), np.sin(angle)],
                               rtol=0, atol=1e-15)


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
