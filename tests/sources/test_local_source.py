"""A local source beside the sea.

Theory: the share f is the source's flux over the measured one; the sum along the field line is
f 3R/(2cT) - (1 - f) delta_0 R^(1/3). Numbers of Kachelriess 2018: 5.0e-4 for 200 pc and 2 Myr;
Vela, 300 pc and 11 kyr, needs a suppression by about 200 to make a few 1e-4.
"""

import numpy as np
import pytest

from hpc_cr.diffusion.fits import FitError
from hpc_cr.measurements.proton_flux import proton_flux, rows
from hpc_cr.sources import gaussian, local_source
from hpc_cr.sources.local_source import Source

PAPER = local_source.of_boron_to_carbon()
R = np.geomspace(1e-4, 5.0, 200)  # PV


def test_amplitude_of_the_paper():
    assert Source(age_myr=2.0, distance=200.0).amplitude == pytest.approx(5.0e-4, rel=0.025)


def test_flux_is_the_gaussian_of_the_spectrum():
    source = Source()
    along = np.sqrt(source.distance**2 - source.across**2)
    parallel, perpendicular = PAPER.at(0.01)
    tensor = gaussian.uniaxial(parallel, perpendicular, [0, 0, 1])
    n = gaussian.density([source.across, 0, along], source.time, tensor)  # 1/pc^3
    per_cm3 = source.spectrum(0.01) * n / 3.0857e18**3
    expected = per_cm3 * 2.9979e10 / (4 * np.pi) * 1e4
    assert source.flux(0.01, PAPER) == pytest.approx(expected, rel=1e-3)


def test_energy_of_the_spectrum():
    gv = np.geomspace(1.0, 1e8, 200_001)
    total = np.trapezoid(gv * Source(cutoff=0.1).spectrum(gv * 1e-6), gv) / 624.15
    assert total == pytest.approx(1e50, rel=1e-3)


def test_share_and_normalisation():
    source = local_source.normalised(Source(), PAPER, 0.5, 0.02)
    assert source.share(0.02, PAPER) == pytest.approx(0.5)
    assert source.energy_erg / 1e50 == pytest.approx(0.5 / Source().share(0.02, PAPER))
    near, far = Source(across=0.0), Source(across=70.0)
    lost = far.share(1e-4, PAPER) / near.share(1e-4, PAPER)
    parallel, perpendicular = PAPER.at(1e-4)
    expected = gaussian.suppression(70.0, far.time, 1 / (1 / perpendicular - 1 / parallel))
    assert lost == pytest.approx(expected)
    at = local_source.across_for_share(near, PAPER, 0.01, near.share(0.01, PAPER) / 10)
    tenth = near._replace(across=at).share(0.01, PAPER)
    assert tenth == pytest.approx(near.share(0.01, PAPER) / 10)
    assert np.isnan(local_source.across_for_share(near, PAPER, 0.01, 10.0))


def test_sum_and_flip():
    source = local_source.normalised(Source(cutoff=0.1), PAPER, 0.7)
    total, local, average = local_source.dipole(R, source, PAPER, 6e-4)
    np.testing.assert_allclose(total, local + average)
    assert np.all(local > 0) and np.all(average < 0)
    flips = local_source.flips(R, total)
    assert len(flips) == 1
    f = source.share(flips[0], PAPER)
    # linear between points 5 % apart: the relative curvature over that is below 1 %
    assert f * source.amplitude == pytest.approx((1 - f) * 6e-4 * np.cbrt(flips[0]), rel=0.02)
    later = local_source.dipole(R, source._replace(cutoff=1.0), PAPER, 6e-4)[0]
    assert local_source.flips(R, later)[-1] > flips[0]  # control: a PeVatron flips later
    same_side = local_source.dipole(R, source, PAPER, -6e-4)[0]
    assert not len(local_source.flips(R, same_side))  # control: a sea from the source's side


def test_more_than_all_is_excluded():
    source = local_source.normalised(Source(), PAPER, 3.0, 0.01)
    assert np.isnan(local_source.dipole(np.array([0.01]), source, PAPER, 6e-4)[0]).all()


def test_sea_from_data():
    rng = np.random.default_rng(1)
    energy, error = np.geomspace(0.1, 10, 60), 1e-4
    amplitude = 7e-4 * np.cbrt(energy) + rng.normal(scale=error, size=60)
    value, sigma = local_source.sea_from_data(energy, amplitude, np.full(60, error))
    assert abs(value - 7e-4) < 4 * sigma
    steep = 7e-4 * energy  # control: another growth shows in the error
    assert local_source.sea_from_data(energy, steep, np.full(60, error))[1] > 1.5 * sigma
    assert np.isnan(local_source.sea_from_data([20.0], [1e-3], [1e-4])).all()


def test_measured_coefficients_are_power_laws():
    rigidity = np.array([0.1, 0.3, 1.0, 3.0])
    error = 0.02 * np.array([60 * rigidity**0.4, 0.02 * rigidity**0.6])
    found = local_source.of_measured(rigidity, 60 * rigidity**0.4, error[0], 0.02 * rigidity**0.6,
                                     error[1])
    np.testing.assert_allclose(found.at(1e-3), (60 * 1e-3**0.4, 0.02 * 1e-3**0.6), rtol=1e-6)
    near, far = (found.errors_at(r)[0] / found.at(r)[0] for r in (0.5, 1e-3))
    assert 0.005 < near < 0.02 < far  # the error grows with the distance from the points
    value, sigma = found.suppression_rigidity(70.0, 2.5 * local_source.MYR_PC)
    left = gaussian.suppression(70.0, 2.5 * local_source.MYR_PC, found.at(value)[1])
    assert left == pytest.approx(0.5) and sigma > 0
    with pytest.raises(FitError):
        local_source.of_measured([1.0], [60.0], [1.0], [0.02], [1e-3])


def test_vela():
    found = local_source.suppression(11_000, 300, (263.9, -3.3), (210.5, -57.1), 7e-4)
    assert found.bare == pytest.approx(0.133, rel=0.01)
    assert found.bare * found.field_line * found.equator * found.flux == pytest.approx(7e-4)
    assert 1 / found.needed == pytest.approx(200, rel=0.1)
    along = local_source.suppression(11_000, 300, (210.5, -57.1), (210.5, -57.1), 7e-4)
    assert along.field_line == pytest.approx(1.0)


def test_proton_flux():
    for row in rows():
        assert proton_flux(row["energy_GeV"] * 1e-6) == pytest.approx(row["flux"])
        assert row["reference"] and row["flux"] > 5 * row["sys"]
    assert np.isnan(proton_flux(1e-6)) and np.isnan(proton_flux(100.0))
    # a spectrum between E^-2.4 and E^-3.6 from point to point: no digit is out of place
    energy, flux = (np.array([row[name] for row in rows()]) for name in ("energy_GeV", "flux"))
    slope = np.diff(np.log(flux)) / np.diff(np.log(energy))
    assert np.all((slope < -2.4) & (slope > -3.7))
