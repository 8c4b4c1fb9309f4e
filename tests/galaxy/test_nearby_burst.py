"""A nearby burst at the Sun.

Theory: n = q (4 pi t)^(-3/2) det(D)^(-1/2) exp(-d D^-1 d/4t), written out here on its own for both
kernels; its dipole with the tensor of the kernel is 3 d/(2ct) for every tensor. With the isotropic
kernel and another tensor, as printed by Li et al. 2021, the part across the field shrinks by
D_perp/D. Gradients against central differences of step h: of n with steepness s = |grad n|/n and
width w across, n'''/n is at most s^3 + 3 s/w^2, so that the error is h^2 (s^2 + 3/w^2)/6 of the
gradient, besides rounding, 4 eps |ln n|/(h s).
"""

import numpy as np
import pytest

from hpc_cr.frames import unit_vector
from hpc_cr.galaxy.local_field import LocalField, dipole, flow, isotropic
from hpc_cr.galaxy.local_source import arrived, burst, flux

RIGIDITY = np.array([1e2, 1e4, 1e6])  # GV
D = np.array([0.1, 0.8, 3.0])  # D/c, pc
GEMINGA = burst(330.0, 194.3, -13.0, 3.4e5, 8.28e52, 2.16, 25e3)
B = unit_vector(210.5, -57.1)
TENSOR = LocalField(B).tensor(D, RIGIDITY)
YEAR_PC = 0.3066014  # light year in pc


def test_isotropic_kernel_as_printed():
    found = arrived(GEMINGA, RIGIDITY, D)
    variance = 2 * D * 3.4e5 * YEAR_PC
    spectrum = 8.28e52 * RIGIDITY**-2.16 * np.exp(-RIGIDITY / 25e3)
    expected = spectrum * np.exp(-(330.0**2) / (2 * variance)) / (2 * np.pi * variance) ** 1.5
    # 1e-7 of the year's length, times ln n/ln t of the exponential, below 20 here
    np.testing.assert_allclose(found.density, expected, rtol=5e-6)
    assert not np.allclose(found.density, expected / 2**1.5, rtol=0.1)  # control: s^2 = D t
    towards = found.gradient / np.linalg.norm(found.gradient, axis=-1)[:, None]
    np.testing.assert_allclose(towards, np.tile(unit_vector(194.3, -13.0), (3, 1)), atol=1e-12)


@pytest.mark.parametrize("kernel", [D, TENSOR], ids=["isotropic", "anisotropic"])
def test_gradient_is_that_of_the_density(kernel):
    found = arrived(GEMINGA, RIGIDITY, kernel)
    tensors = kernel if kernel.ndim == 3 else isotropic(kernel)
    for k in range(3):
        width = np.sqrt(2 * GEMINGA.age * np.linalg.eigvalsh(tensors[k])[0])
        steepness = np.linalg.norm(found.gradient[k]) / found.density[k]
        step = 1e-3 / max(steepness, 1 / width)
        slope = []
        for axis in np.eye(3):
            # the observer moves by +step where the source moves by -step
            ahead, behind = (
                arrived(GEMINGA._replace(position=GEMINGA.position - s * axis), RIGIDITY, kernel)
                for s in (step, -step)
            )
            slope.append((ahead.density[k] - behind.density[k]) / (2 * step))
        exponent = GEMINGA.position @ np.linalg.inv(tensors[k]) @ GEMINGA.position
        rounding = 4 * 2.2e-16 * (1 + exponent / (4 * GEMINGA.age)) / (step * steepness)
        allowed = step**2 * (steepness**2 + 3 / width**2) / 6 + rounding
        size = np.linalg.norm(found.gradient[k])
        np.testing.assert_allclose(slope, found.gradient[k], atol=allowed * size, rtol=0)
        # control: towards the source, not away from it
        assert not np.allclose(slope, -found.gradient[k], rtol=0.1, atol=0)


def test_dipole_of_a_source_alone():
    expected = 1.5 * GEMINGA.position / GEMINGA.age
    assert np.linalg.norm(expected) == pytest.approx(1.5 * 330 / (3.4e5 * YEAR_PC), rel=1e-6)
    for kernel, tensor in ((D, isotropic(D)), (TENSOR, TENSOR)):
        found = arrived(GEMINGA, RIGIDITY, kernel)
        alone = dipole([flow(tensor, found.gradient)], [found.density])
        np.testing.assert_allclose(alone, np.tile(expected, (3, 1)), rtol=1e-9)
    # as printed: isotropic kernel, tensor for the flow
    found = arrived(GEMINGA, RIGIDITY, D)
    mixed = dipole([flow(TENSOR, found.gradient)], [found.density])
    along = B * (B @ expected)
    ratio = LocalField(B).ratio_at(RIGIDITY)[:, None]
    np.testing.assert_allclose(mixed, along + ratio * (expected - along), rtol=1e-9)
    # control: that is not 3d/2ct
    assert np.all(np.linalg.norm(mixed, axis=-1) < 0.9 * np.linalg.norm(expected))


def test_kernels_agree_on_the_field_line():
    """A source on the Sun's field line gains D/D_perp; one across it is cut off."""
    on_line = burst(330.0, 210.5, -57.1, 3.4e5)
    ratio = LocalField(B).ratio_at(RIGIDITY)
    gain = arrived(on_line, RIGIDITY, TENSOR).density / arrived(on_line, RIGIDITY, D).density
    np.testing.assert_allclose(gain, 1 / ratio, rtol=1e-9)
    one = arrived(GEMINGA, RIGIDITY, TENSOR).density / arrived(GEMINGA, RIGIDITY, D).density
    across = np.sum(GEMINGA.position**2) - (B @ GEMINGA.position) ** 2
    cut = np.exp(-across / (4 * D * GEMINGA.age) * (1 / ratio - 1))
    np.testing.assert_allclose(one, cut / ratio, rtol=1e-9)


def test_flux_of_a_known_density():
    """1 cm^-3 of relativistic particles is c/(4 pi) = 2.3857e9 per cm^2 s sr, 1e4 per m^2."""
    per_pc3 = (3.0856775815e18) ** 3
    assert flux(per_pc3) == pytest.approx(2.99792458e10 / (4 * np.pi) * 1e4, rel=1e-9)
    assert flux(per_pc3, 0.5) == pytest.approx(flux(per_pc3) / 2)


def test_bad_input_is_told():
    with pytest.raises(ValueError, match="age 0 must be above 0"):
        burst(100.0, 0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="direction is not known"):
        burst(100.0, np.nan, 0.0, 1e5)
    with pytest.raises(ValueError, match="3 rigidities"):
        arrived(GEMINGA, RIGIDITY, D[:2])
    with pytest.raises(ValueError, match="must be positive"):
        arrived(GEMINGA, RIGIDITY, -D)
