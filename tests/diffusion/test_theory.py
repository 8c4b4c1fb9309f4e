"""Theory of diffusion against the integrals that it comes from, done numerically.

Isotropic divergence-free turbulence with E(k) ~ k^-q, int E dk = dB^2, has the correlations of
one component at a distance r along and across it
    F(r) = int E(k) j_1(kr)/(kr) dk,   G(r) = [int E(k) j_0(kr) dk - F(r)]/2.
Field lines: D_FL = int_0^inf G dr/B0^2. Small angles: the direction gains per length
<|du|^2> = 2 x 2 int_0^inf G dr/(r_g dB)^2, and D/c = (1/3) 2/<|du|^2>.
Slab turbulence, one component R(z) = int W(k)/2 cos(kz) dk, int W dk = dB^2:
D_mumu = (1 - mu^2)/(r_g B0)^2 int_0^inf R(mu t) cos(t/r_g) dt (unperturbed orbits, c = 1), and
D_par/c = (1/8) int (1 - mu^2)^2/D_mumu dmu.
"""

import numpy as np
import pytest
from scipy.integrate import quad

from hpc_cr.config.scales import coherence_length
from hpc_cr.diffusion import theory


def transverse_integral(outer, inner, slope, rms):
    """int_0^inf G dr, uG^2 pc, by quadrature in k and r."""
    k = np.geomspace(2 * np.pi / outer, 2 * np.pi / inner, 4001)
    energy = k**-slope
    energy *= rms**2 / np.trapezoid(energy * k, np.log(k))
    # to a distance where a Gaussian window, wide against the longest wave, has cut it off
    r = np.arange(1e-6, 30 * outer, inner / 8)
    window = np.exp(-0.5 * (r / (6 * outer)) ** 2)
    correlation = np.zeros_like(r)
    weight = np.gradient(np.log(k)) * k * energy
    for one, part in zip(k[::8], np.add.reduceat(weight, np.arange(0, len(k), 8)), strict=True):
        x = one * r
        j0 = np.sin(x) / x
        j1_over_x = np.where(x < 1e-2, 1 / 3, (np.sin(x) / x - np.cos(x)) / x**2)
        correlation += part * (j0 - j1_over_x) / 2
    return np.trapezoid(correlation * window, r)


@pytest.mark.parametrize(("outer", "inner", "slope"),
                         [(10.0, 1.0, 5 / 3), (10.0, 3.0, 3 / 2), (10.0, 7.0, 5 / 3)])
def test_coherence_length_over_eight(outer, inner, slope):
    integral = transverse_integral(outer, inner, slope, 0.2)
    length = coherence_length(outer, inner, slope)
    # the waves are summed in steps of 0.5 %, the window takes away (L_max/(2 pi 6 L_max))^2
    assert theory.field_line_walk(0.2, length) == pytest.approx(integral, rel=0.01)
    # small angles: the same integral turns particles; r_g = 30 pc in dB alone
    gain = 4 * integral / (30.0 * 0.2) ** 2
    assert theory.small_angle(30.0, length) == pytest.approx(2 / gain / 3, rel=0.01)
    # control: the one-sided coherence length
    assert theory.field_line_walk(0.2, length / 2) != pytest.approx(integral, rel=0.4)
    assert theory.small_angle(30.0, length / 2) != pytest.approx(2 / gain / 3, rel=0.4)


def slab(k, k_min, rms):
    """One-sided Kolmogorov spectrum W(k) of both components."""
    return np.where(k >= k_min, 2 / 3 * rms**2 * k_min ** (2 / 3) * k ** (-5 / 3), 0.0)


def test_resonance():
    """int_0^inf R(z) cos(k z) dz = pi W(k)/4, which D_mumu needs at k = 1/(r_g |mu|)."""
    k_min, rms, at = 1.0, 0.3, 4.0
    k = np.linspace(k_min, 400.0, 400_001)
    z = np.arange(0.0, 60.0, 0.004)
    weight = slab(k, k_min, rms) / 2 * (k[1] - k[0])
    # the cosine transform of a regular grid of waves: an FFT
    count = 2**20
    spectrum = np.zeros(count)
    spectrum[np.rint(k / (k[1] - k[0])).astype(int)] = weight
    fine = np.fft.fft(spectrum).real
    correlation = np.interp(z, 2 * np.pi / (count * (k[1] - k[0])) * np.arange(count), fine)
    taper = 1 - z / z[-1]
    found = np.trapezoid(correlation * np.cos(at * z) * taper, z)
    # the taper smooths W over 1/60 of a wavenumber: W''/W ~ 4/k^2
    assert found == pytest.approx(np.pi / 4 * slab(at, k_min, rms), rel=0.02)
    assert found != pytest.approx(np.pi / 2 * slab(at, k_min, rms), rel=0.2)  # control


@pytest.mark.parametrize("ratio", [0.1, 0.3])
@pytest.mark.parametrize("r_g", [0.01, 0.5])
def test_quasilinear_integral(ratio, r_g):
    k_min = 2 * np.pi / 5.0

    def integrand(mu):
        k = 1 / (r_g * mu)
        scattering = np.pi / 4 / r_g * (1 - mu**2) * k * slab(k, k_min, ratio)
        return (1 - mu**2) ** 2 / scattering

    found = 2 / 8 * quad(integrand, 0, 1)[0]
    assert theory.VALID["quasilinear_parallel"](r_g, ratio, k_min)
    assert theory.quasilinear_parallel(r_g, ratio, k_min) == pytest.approx(found, rel=1e-6)
    # control: half of the power in waves along the field
    assert theory.quasilinear_parallel(r_g, ratio / np.sqrt(2), k_min) > 1.9 * found
    slope = np.log(theory.quasilinear_parallel(8 * r_g, ratio, k_min) / found) / np.log(8)
    assert slope == pytest.approx(1 / 3)


def test_particles_on_field_lines():
    """<x^2> = 2 D_FL |s| for a line; s = mu t of free particles, Gaussian of diffusing ones."""
    rng = np.random.default_rng(8)
    n, d_line, d_parallel, time = 200_000, 0.04, 3.0, 50.0
    error = 4 * np.sqrt(3 / n)  # <x^4>/<x^2>^2 is 4 for |mu| uniform, 3 pi/2 for |s| Gaussian

    def perpendicular(along):
        x = np.sqrt(2 * d_line * np.abs(along)) * rng.standard_normal(n)
        return np.mean(x**2) / (2 * time)

    free = perpendicular(time * rng.uniform(-1, 1, n))
    assert theory.perpendicular_along_lines(d_line) == pytest.approx(free, rel=error)
    compound = perpendicular(np.sqrt(2 * d_parallel * time) * rng.standard_normal(n))
    assert theory.perpendicular_compound(d_line, d_parallel, time) == pytest.approx(
        compound, rel=1.2 * error)
    # controls: every particle with |mu| = 1; the coefficient of a later time
    assert d_line != pytest.approx(free, rel=0.5)
    assert theory.perpendicular_compound(d_line, d_parallel, 2 * time) < 0.75 * compound


def test_limits_of_the_interpolation():
    length = 20.0
    high, low = np.array([30.0, 300.0]) * length, np.array([1e-6, 1e-5]) * length
    # 0.9 x + ... beside 4 x^2
    assert theory.harari(high, length) == pytest.approx(theory.small_angle(high, length), rel=0.01)
    assert np.diff(np.log(theory.harari(low, length))) == pytest.approx(np.log(10) / 3, rel=0.01)
    grid = np.geomspace(1e-3, 1e3, 500) * length
    rise = np.diff(np.log(theory.harari(grid, length))) / np.diff(np.log(grid))
    assert np.all((rise > 1 / 3) & (rise < 2)) and np.all(np.diff(rise) > 0)
    # D scales with all lengths together
    assert theory.harari(7 * grid, 7 * length) == pytest.approx(7 * theory.harari(grid, length))
    # control: lambda = 3 D taken for D
    assert 3 * theory.harari(high, length) != pytest.approx(theory.small_angle(high, length), rel=1)


def test_ranges_of_validity():
    holds = theory.VALID
    assert list(holds["small_angle"]([1.0, 3.0, 10.0], 1.0)) == [False, True, True]
    assert list(holds["harari"]([0.001, 0.01, 100.0], 1.0)) == [False, True, True]
    assert list(holds["field_line_walk"]([0.1, 0.3, 0.4], 5.0)) == [True, True, False]
    ratio, r_g = np.array([0.1, 0.1, 0.5]), np.array([0.1, 3.0, 0.1])
    assert list(holds["quasilinear_parallel"](r_g, ratio, 1.0)) == [True, False, False]
    for name in holds:
        assert "Valid for" in getattr(theory, name).__doc__
