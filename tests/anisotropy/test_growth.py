"""Growth of the mean with rigidity.

Theory: <M> = a R^p exactly gives p; rows with a common factor (one field at all rigidities) leave
the exponent alone, independent relative errors s of the n_rig means give it the error
s/sqrt(sum (x - <x>)^2), x = log R.
"""

import numpy as np
import pytest

from hpc_cr.anisotropy.growth import growth_exponent

RIGIDITY = np.array([0.003, 0.01, 0.03, 0.1, 0.3, 1.0])  # PV


def test_a_power_law_and_what_all_rigidities_share():
    rng = np.random.default_rng(1)
    values = np.exp(rng.normal(size=(8, 1))) * 5.0 * RIGIDITY**0.5
    values[3] = np.nan
    exponent, error = growth_exponent(values, RIGIDITY)
    assert exponent == pytest.approx(0.5, abs=1e-12) and error < 1e-12
    # control: mean of the single slopes of a mixture is not the slope of the mean
    mixed = np.vstack([RIGIDITY**0.0, RIGIDITY**2.0])
    assert growth_exponent(mixed, RIGIDITY)[0] != pytest.approx(1.0, abs=0.1)


def test_its_error_is_true():
    rng = np.random.default_rng(2)
    found = np.array([
        growth_exponent(RIGIDITY ** (1 / 3) * (1 + 0.4 * rng.normal(size=(16, 6))), RIGIDITY)
        for _ in range(300)
    ])  # fmt: skip
    x = np.log(RIGIDITY)
    expected = 0.4 / 4 / np.sqrt(np.sum((x - x.mean()) ** 2))
    # 300 values: 4 %, 4 sigma
    assert found[:, 0].std() == pytest.approx(expected, rel=0.16)
    assert np.sqrt(np.mean(found[:, 1] ** 2)) == pytest.approx(expected, rel=0.16)
    assert found[:, 0].mean() == pytest.approx(1 / 3, abs=4 * expected / np.sqrt(300) + 0.003)


def test_undefined():
    values = np.ones((1, 6))
    assert np.isnan(growth_exponent(values, RIGIDITY)[1])
    values = np.ones((3, 6))
    values[:, 2] = -1
    assert np.isnan(growth_exponent(values, RIGIDITY)).all()
