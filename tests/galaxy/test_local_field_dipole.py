"""Dipole of flow along the local field.

Theory: D = D_perp + (D_par - D_perp) b b lets only b (b . grad N) through as D_perp/D_par -> 0, so
that the dipole is +-b; its right ascension is the field's or the opposite. For D_perp = e D_par the
part across b is e times what isotropic diffusion gives: the angle to b is arctan(e tan angle).
Celestial positions against astropy's own transformation of (l, b), independent of the rotation
matrices used here; hours to the two printed decimals of Li et al. 2021 and its references.
"""

import numpy as np
import pytest

from hpc_cr.frames import unit_vector
from hpc_cr.galaxy.local_field import LocalField, dipole, equatorial, flow, isotropic

FIELD = unit_vector(210.5, -57.1)
SOURCE = unit_vector(194.3, -13.0)
CENTRE = unit_vector(0.0, 0.0)


def angle(u, v):
    """Degrees between vectors; from the cross product, precise for small angles."""
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(u, v)), u @ v))


@pytest.mark.parametrize(("l_deg", "b_deg", "hours"),
                         [(210.5, -57.1, 3.23), (30.5, 57.1, 15.23), (194.3, -13.0, 5.50),
                          (359.94, -0.05, 17.76)])  # fmt: skip
def test_directions_on_the_sky(l_deg, b_deg, hours):
    from astropy import units
    from astropy.coordinates import SkyCoord

    amplitude, phase = equatorial(2e-3 * unit_vector(l_deg, b_deg))
    there = SkyCoord(l_deg * units.deg, b_deg * units.deg, frame="galactic").icrs
    assert phase == pytest.approx(there.ra.hour, abs=1e-9)
    assert amplitude == pytest.approx(2e-3 * np.cos(there.dec.rad), rel=1e-9)
    assert abs(phase - hours) < 0.005
    assert abs(phase - (24 - hours)) > 0.1  # control: right ascension grows eastwards


def test_only_the_gradient_along_the_field_flows():
    tensor = LocalField(FIELD, ratio=1e-9, ratio_slope=0.0).tensor(2.0, 1e3)
    for gradient, sign in ((3e-4 * SOURCE, 1.0), (1e-4 * CENTRE, -1.0)):
        found = dipole([flow(tensor, gradient)], [1.0])
        expected = 3 * 2.0 * FIELD * (FIELD @ gradient)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        assert angle(found, sign * FIELD) < 1e-4
        # controls: without the projection it points to the source; the wrong sign away from b
        plain = dipole([flow(isotropic(2.0), gradient)], [1.0])
        assert angle(plain, gradient) < 1e-9 and angle(plain, sign * FIELD) > 30
        assert equatorial(-found)[1] != pytest.approx(equatorial(sign * FIELD)[1], abs=1.0)
    # the source pulls to the field, the Galaxy to its opposite
    assert equatorial(flow(tensor, SOURCE))[1] == pytest.approx(3.23, abs=0.005)
    assert equatorial(flow(tensor, CENTRE))[1] == pytest.approx(15.23, abs=0.005)


def test_angle_to_the_field_for_a_given_ratio():
    """The sign of b does not matter, nor its length."""
    away = angle(SOURCE, FIELD)
    for ratio in (1.0, 0.1, 0.01):
        for b in (FIELD, -3 * FIELD):
            found = flow(LocalField(b, ratio, 0.0).tensor(1.5, 1e3), SOURCE)
            expected = np.degrees(np.arctan(ratio * np.tan(np.radians(away))))
            assert angle(found, FIELD) == pytest.approx(expected, rel=1e-9)


def test_ratio_grows_to_one():
    field = LocalField(FIELD, 0.01, 0.32, 4.0)
    rigidity = np.array([4.0, 4e3, 4 * 100 ** (1 / 0.32), 1e9])
    np.testing.assert_allclose(field.ratio_at(rigidity), [0.01, 0.01 * 1e3**0.32, 1.0, 1.0])
    tensor = field.tensor(np.full(4, 2.0), rigidity)
    values = np.linalg.eigvalsh(tensor)
    np.testing.assert_allclose(values[:, 2], 2.0)
    np.testing.assert_allclose(values[:, 0], 2.0 * field.ratio_at(rigidity))
    np.testing.assert_allclose(values[:, 1], values[:, 0])
    np.testing.assert_allclose(tensor[3], 2.0 * np.eye(3), atol=1e-15)


def test_components_weigh_with_their_intensity():
    """A slower species counts with beta N: two halves of one species are the species."""
    tensor = isotropic(1.5)
    gradient, density, beta = np.array([2e-4, 1e-4, 0.0]), 4.0, 0.8
    whole = dipole([flow(tensor, gradient)], [density], beta)
    np.testing.assert_allclose(whole, 3 * 1.5 * gradient / (beta * density), rtol=1e-12)
    parts = dipole([flow(tensor, gradient * s) for s in (0.3, 0.7)], [density * 0.3, density * 0.7],
                   np.array([beta, beta]))
    np.testing.assert_allclose(parts, whole, rtol=1e-12)
    uniform = dipole([flow(tensor, gradient), np.zeros(3)], [density, 3 * density],
                     np.array([beta, 1.0]))
    np.testing.assert_allclose(uniform, whole * beta / (beta + 3), rtol=1e-12)
    # control: dipoles are not averaged with equal weights
    assert not np.allclose(uniform, whole / 2)
    assert np.all(np.isnan(dipole(np.zeros((1, 2, 3)), np.zeros((1, 2)))))


def test_bad_input_is_told():
    for field in (LocalField(np.zeros(3)), LocalField(np.array([np.nan, 0, 1]))):
        with pytest.raises(ValueError, match="direction"):
            field.tensor(1.0, 1.0)
    with pytest.raises(ValueError, match="above 0"):
        LocalField(FIELD, 0.0).tensor(1.0, 1.0)
