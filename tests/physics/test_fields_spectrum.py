"""Power of the turbulence: B_rms per axis, slope, continuity over the bands of the levels.

Theory: B_rms^2 = int E dk with E(k) ~ k^-q, a third of it on each axis. Along a straight line the
field has the two-sided spectrum P(kappa) ~ max(|kappa|, k0)^-q - k1^-q (see physics_common), in
which a slope, a gap between bands or a level of wrong weight shows. Trilinear interpolation of a
wave keeps the share prod_i (2 + cos k_i Delta)/3 of its power, of which the synthesis restores
the wave itself: waves of 4 and more cells come back fully, plus at most 1.5 % of images.

Parameters: L_max 100 pc, L_min 1.7 pc, B_rms 4 uG, q = 5/3 and 3/2, three levels of 64^3 with
boxes of 400, 104.3 and 27.1 pc, 24 realisations, sampled through `.at` at random points and along
lines of 820 pc in random directions.

Exact solution: the formulas above, with the sums over the lattice's modes where they differ.
"""

import numpy as np
import pytest
from physics_common import (
    along_lines,
    band_rms,
    grid_job,
    hand_made,
    interpolated_share,
    lattice_power,
    line_spectrum,
    random_unit,
    sigmas,
)

from hpc_cr.fields import MagneticField, make_field

LONGEST, SHORTEST, RMS, CELLS, REALISATIONS = 100.0, 1.7, 4.0, 64, 24
BOXES = (400.0, 104.3, 27.1)
BANDS = ((100.0, 25.0), (25.0, 6.52), (6.52, 1.7))
STEP, SAMPLES, LINES = 0.4, 2048, 100
KAPPA = 2 * np.pi * np.fft.rfftfreq(SAMPLES, STEP)
WAVELENGTHS = np.array([90, 60, 45, 35, 28, 24, 20, 15, 12, 9, 7.5, 6.5, 5.5, 4.5, 3.5, 2.8])


def job_of(slope, **options):
    return grid_job(BOXES, BANDS, cells=CELLS, rms=RMS, slope=slope, **options)


def measure(job):
    """Line spectra (n_real, n_kappa) in uG^2 pc and B_i^2 at random points (n_real, 3) in uG^2."""
    window = np.hanning(SAMPLES)
    window /= np.sqrt(np.sum(window**2))
    lines, squares = [], []
    for realisation in range(REALISATIONS):
        field = make_field(job, realisation)
        generator = np.random.default_rng(realisation)
        b = along_lines(field, generator, random_unit(generator, LINES), STEP, SAMPLES)
        amplitude = np.fft.rfft(b * window[:, None], axis=1)
        lines.append(STEP * np.mean(np.sum(np.abs(amplitude) ** 2, axis=2), axis=0))
        squares.append(np.mean(field.at(generator.uniform(-1e4, 1e4, (20000, 3))) ** 2, axis=0))
    return np.array(lines), np.array(squares)


@pytest.fixture(scope="module")
def kolmogorov():
    return measure(job_of(5 / 3))


@pytest.fixture(scope="module")
def kraichnan():
    return measure(job_of(3 / 2))


def in_bins(values):
    """Sums over the bins between WAVELENGTHS on the last axis."""
    number = np.digitize(KAPPA, 2 * np.pi / WAVELENGTHS)
    bins = range(1, len(WAVELENGTHS))
    return np.stack([values[..., number == i].sum(axis=-1) for i in bins], axis=-1)


def kept(level, slope, compensate):
    """Share of a level's power that is left after interpolation: sum over the lattice's modes."""
    m, power = lattice_power(level, slope)
    share = interpolated_share(m, level.cells)
    if compensate:
        transfer = 1.0
        for i in m:
            transfer = transfer * np.sinc(i / level.cells) ** 2
        # 4 cells per wavelength along the diagonal: the synthesis boosts no further
        least = np.sinc(1 / (4 * np.sqrt(3))) ** 6
        share = share / np.maximum(transfer, least) ** 2
    return np.sum(power * share) / np.sum(power)


# ---- B_rms -----------------------------------------------------------------------------------


def check_rms(squares, expected):
    """Each axis carries a third of `expected` uG^2: 3 sigma of the scatter over realisations."""
    error = squares.std(axis=0, ddof=1) / np.sqrt(len(squares))
    # the test sees 3 %: otherwise the next line would pass for anything
    assert np.all(error < 0.01 * squares.mean(axis=0)), "too noisy"
    assert np.all(np.abs(sigmas(squares, expected / 3)) < 3), "wrong power"


@pytest.mark.parametrize("slope", [5 / 3, 3 / 2])
def test_b_rms_per_axis(slope, request):
    _, squares = request.getfixturevalue("kolmogorov" if slope > 1.6 else "kraichnan")
    levels = job_of(slope).levels
    shares = [kept(level, slope, True) for level in levels]
    # what interpolation adds to the input after compensation: images, at most 1.5 %
    assert all(1 <= share < 1.015 for share in shares)
    expected = sum(level.rms**2 * share for level, share in zip(levels, shares, strict=True))
    assert expected == pytest.approx(RMS**2, rel=0.015)
    check_rms(squares, expected)
    # control: rms of each component instead of the vector
    with pytest.raises(AssertionError, match="wrong power"):
        check_rms(3 * squares, expected)


def test_uncompensated_field_lacks_power():
    _, squares = measure(job_of(5 / 3, compensate=False))
    levels = job_of(5 / 3).levels
    expected = sum(level.rms**2 * kept(level, 5 / 3, False) for level in levels)
    assert expected < 0.92 * RMS**2
    check_rms(squares, expected)
    # control: the same field has not the input's power
    with pytest.raises(AssertionError, match="wrong power"):
        check_rms(squares, RMS**2)


def test_levels_share_the_integral_of_one_spectrum():
    for slope in (1.2, 3 / 2, 5 / 3):
        job = job_of(slope)
        for level, band in zip(job.levels, BANDS, strict=True):
            # both sides are the same closed form: rounding only
            assert level.rms == pytest.approx(band_rms(band, LONGEST, SHORTEST, slope, RMS),
                                              rel=1e-12)
        assert sum(level.rms**2 for level in job.levels) == pytest.approx(RMS**2, rel=1e-12)


# ---- slope -----------------------------------------------------------------------------------


def fitted_slope(line):
    """Slope q whose P(kappa), of free amplitude, fits the binned spectrum best (least squares)."""
    measured = np.log(in_bins(line))
    slopes = np.arange(1.2, 2.2, 0.005)
    misfit = np.array([np.var(measured - np.log(in_bins(
        line_spectrum(KAPPA, LONGEST, SHORTEST, q, RMS)))) for q in slopes])
    low = np.argmin(misfit)
    near = slice(low - 2, low + 3)
    a, b, _ = np.polyfit(slopes[near], misfit[near], 2)
    return -b / (2 * a)


def check_slope(lines, slope):
    """3 sigma of the realisations' scatter, and 0.01 for the modes of a lattice.

    The shells of the outer lattice (4 to 16 modes across) hold up to 2 % less than their
    volume and images add up to 1 % at the short end: over the 1.5 decades that are fitted,
    ln(1.02)/ln(30) = 0.006.
    """
    found = np.array([fitted_slope(line) for line in lines])
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert error < 0.01, "too noisy"
    assert abs(found.mean() - slope) < 3 * error + 0.01, "wrong slope"


def test_slope(kolmogorov, kraichnan):
    check_slope(kolmogorov[0], 5 / 3)
    check_slope(kraichnan[0], 3 / 2)
    # control: Kraichnan's turbulence for Kolmogorov's
    with pytest.raises(AssertionError, match="wrong slope"):
        check_slope(kraichnan[0], 5 / 3)


# ---- from level to level ---------------------------------------------------------------------


def check_bins(lines, slope):
    """Every bin, also those at the bands' ends (25 and 6.52 pc): 3 sigma, and 2 % as above."""
    theory = in_bins(line_spectrum(KAPPA, LONGEST, SHORTEST, slope, RMS))
    ratio = in_bins(lines) / theory
    error = ratio.std(axis=0, ddof=1) / np.sqrt(len(ratio))
    assert np.all(error < 0.015), "too noisy"
    assert np.all(np.abs(ratio.mean(axis=0) - 1) < 3 * error + 0.02), "wrong spectrum"


def test_spectrum_is_continuous_between_levels(kolmogorov, kraichnan):
    check_bins(kolmogorov[0], 5 / 3)
    check_bins(kraichnan[0], 3 / 2)


def test_a_gap_between_levels_would_show():
    bands = ((100.0, 25.0), (20.0, 6.52), (6.52, 1.7))  # nothing between 25 and 20 pc
    rms = np.sqrt(sum(band_rms(band, LONGEST, SHORTEST, 5 / 3, RMS) ** 2 for band in bands))
    lines, _ = measure(grid_job(BOXES, bands, cells=CELLS, rms=float(rms)))
    with pytest.raises(AssertionError, match="wrong spectrum"):
        check_bins(lines, 5 / 3)


# ---- what interpolation keeps ----------------------------------------------------------------

KEPT = {2: 0.243, 4: 0.664, 6: 0.833, 8: 0.902, 10: 0.936, 16: 0.975}
"""Share of power that trilinear interpolation keeps, by cells per wavelength, mean over
directions of prod_i (2 + cos k_i Delta)/3."""


def measured_share(cells_per_wavelength, at):
    """Mean over 200 directions of the power of a wave of unit power, interpolated at random."""
    generator = np.random.default_rng(cells_per_wavelength)
    number = np.arange(200) + 0.5
    cosine, azimuth = 1 - number / 100, np.pi * (1 + 5**0.5) * number
    sine = np.sqrt(1 - cosine**2)
    units = np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine], axis=1)
    node = np.arange(9.0)
    shares = []
    for unit in units:
        k = 2 * np.pi / cells_per_wavelength * unit
        phase = (k[0] * node[:, None, None] + k[1] * node[:, None] + k[2] * node)
        # cos and sin as two components: their sum of squares does not depend on the phase
        nodes = np.stack([np.cos(phase), np.sin(phase), 0 * phase], axis=-1)
        field = hand_made(grids=nodes[None], boxes=[8.0], b_ref=1.0)
        points = generator.uniform(0, 8, (1000, 3))
        shares.append(np.mean(np.sum(at(field, points) ** 2, axis=1)))
    return np.mean(shares)


def check_table(at):
    # 5e-4 from the table's three digits; the squares scatter by less than 0.35 about their mean,
    # over 2e5 points 8e-4 = 1 sigma: 3 sigma
    for cells, share in KEPT.items():
        assert abs(measured_share(cells, at) - share) < 5e-4 + 2.4e-3


def test_kept_power_by_cells_per_wavelength():
    check_table(MagneticField.at)
    with pytest.raises(AssertionError):  # control: the nearest node keeps everything
        check_table(lambda field, points: field.at(np.rint(points)))
