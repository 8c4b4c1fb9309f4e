"""Table of measured emissivities of the interstellar gas."""

import numpy as np
import pytest

from hpc_cr.measurements import emissivity


def test_points():
    spectrum, integral, radial = (emissivity.points(name) for name in emissivity.QUANTITIES)
    assert (len(spectrum), len(integral), len(radial)) == (26, 2, 6)
    for point in (*spectrum, *integral, *radial):
        assert point.value > 0 and point.reference and all(e >= 0 for e in point.errors)
    assert all(p.low_GeV < p.energy_GeV < p.high_GeV and min(p.errors) > 0 for p in spectrum)
    # bins and rings touch
    assert all(a.high_GeV == b.low_GeV for a, b in zip(spectrum, spectrum[1:], strict=False))
    assert all(a.radius_high_kpc == b.radius_low_kpc
               for a, b in zip(radial, radial[1:], strict=False))
    assert np.isnan(radial[-1].radius_high_kpc) and radial[0].errors == (0.0, 0.0)


def test_units_agree():
    """Spectrum, integral and the ring of the Sun are one quantity: above 100 MeV within 10 %."""
    value = sum(p.value * (1 / p.low_GeV - 1 / p.high_GeV)
                for p in emissivity.points("spectrum") if p.low_GeV > 0.1)
    above = emissivity.points("integral")[0]
    assert above.low_GeV == 0.1
    assert value == pytest.approx(above.value, rel=0.1)  # systematics of either: 10 %
    ring = next(p for p in emissivity.points("radial")
                if p.radius_low_kpc < 8.5 < p.radius_high_kpc)
    assert ring.value == pytest.approx(above.value, rel=0.1)


def test_unknown_quantity():
    with pytest.raises(ValueError, match="spectrum, integral, radial"):
        emissivity.points("profile")
