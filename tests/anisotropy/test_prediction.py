"""Dipoles at an energy from the Galaxy's gradients and responses of local turbulence.

Theory: delta(E) = sum_s J_s M(E/Z_s) g_s / sum_s J_s. With a response that is linear in ln R the
interpolation is exact, so that sums are known to rounding; in a uniform field M = 3 K b b.
"""

import numpy as np
import pytest

from hpc_cr.anisotropy.prediction import Nucleus, predict

RIGIDITIES = np.array([1.0, 0.01, 0.1])  # PV, not in order
ENERGIES = np.array([0.05, 0.3, 0.9])
MATRIX = np.array([[2.0, 0.1, 0.0], [-0.3, 1.0, 0.2], [0.0, 0.0, 3.0]])
SLOPE = np.array([[0.1, 0.0, 0.3], [0.0, -0.1, 0.0], [0.2, 0.0, 0.1]])
ROUNDING = 1e-12


def response(rigidity):
    """Linear in ln R, (..., 3, 3) pc."""
    return MATRIX + np.log(np.asarray(rigidity))[..., None, None] * SLOPE


def nucleus(charge, share, gradient):
    flux = share * ENERGIES**-2.7
    return Nucleus(ENERGIES / charge, flux, np.broadcast_to(gradient, (len(ENERGIES), 3)))


def exact(charges_and_nuclei):
    flow = sum(n.flux[:, None] * np.einsum("eij,ej->ei", response(ENERGIES / z), n.gradient)
               for z, n in charges_and_nuclei)
    return flow / sum(n.flux for _, n in charges_and_nuclei)[:, None]


def test_nuclei_of_one_energy_have_their_own_rigidities():
    parts = [(1, nucleus(1, 0.6, [1e-4, 0, 0])), (2, nucleus(2, 0.4, [0, 2e-4, -1e-4]))]
    found = predict(np.stack([response(RIGIDITIES), 2 * response(RIGIDITIES)]), RIGIDITIES,
                    [n for _, n in parts])
    np.testing.assert_allclose(found.dipoles[0], exact(parts), rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(found.dipoles[1], 2 * exact(parts), rtol=0, atol=ROUNDING)
    np.testing.assert_array_equal(found.covered, 1.0)
    # control: the same rigidity for both differs by the slope times ln 2 of helium's share
    wrong = exact([(1, n) for _, n in parts])
    assert np.abs(found.dipoles[0] - wrong).max() > 1e-6


def test_what_lies_beyond_the_rigidities_is_left_out_and_counted():
    heavy = nucleus(26, 0.25, [5e-3, 0, 0])  # 0.05 PeV is 0.0019 PV
    light = nucleus(1, 0.75, [1e-4, 0, 0])
    found = predict(response(RIGIDITIES)[None], RIGIDITIES, [light, heavy])
    np.testing.assert_allclose(found.covered, [0.75, 1.0, 1.0])
    np.testing.assert_allclose(found.dipoles[0, 0], exact([(1, light)])[0], rtol=0, atol=ROUNDING)
    alone = predict(response(RIGIDITIES)[None], RIGIDITIES, [heavy])
    assert np.isnan(alone.dipoles[0, 0]).all() and alone.covered[0] == 0
    assert np.isfinite(alone.dipoles[0, 1:]).all()


def test_dipole_along_the_field_whatever_the_gradient():
    b = np.array([0.6, 0.0, 0.8])
    along = np.broadcast_to(5.0 * np.outer(b, b), (1, 3, 3, 3))
    for gradient in ([1e-4, 0, 0], [0, 1e-4, 1e-4]):
        found = predict(along, RIGIDITIES, [nucleus(1, 1.0, gradient)]).dipoles[0]
        np.testing.assert_allclose(found, 5.0 * (b @ gradient) * b * np.ones((3, 1)),
                                   atol=ROUNDING * 1e-3)
    across = predict(along, RIGIDITIES, [nucleus(1, 1.0, [0.8e-4, 0, -0.6e-4])]).dipoles
    assert np.abs(across).max() < 1e-18  # control: no gradient along the field, no dipole
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(across, found, atol=1e-9)
