"""A local source beside the sea.

Theory: the share f is the source's flux over the measured one; the sum along the field line is
f 3s/(2cT) - (1 - f) delta_0 R^(1/3), s along the line. Numbers of Kachelriess 2018: 5.0e-4 for
200 pc and 2 Myr; Vela, 300 pc and 11 kyr, needs a suppression by about 200 to make a few 1e-4.
"""

import numpy as np
import pytest

from hpc_cr.diffusion.fits import FitError
from hpc_cr.measurements.proton_flux import deviations, proton_flux, rows
from hpc_cr.sources import gaussian, local_source
from hpc_cr.sources.local_source import Measured, Source

PAPER = local_source.of_boron_to_carbon()
R = np.geomspace(1e-4, 5.0, 200)  # PV


def test_amplitude_of_the_paper():
    source = Source(age_myr=2.0, distance=200.0, across=0.0)
    assert source.amplitude == pytest.approx(5.0e-4, rel=0.025)
    # on a line 120 pc from it 160 pc are along the field
    assert source._replace(across=120.0).amplitude == pytest.approx(0.8 * source.amplitude)
    assert source._replace(across=201.0).amplitude == 0.0


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
    at = local_source.across_for_share(near, PAPER, 0.01, near.share(0.01, PAPER) / 3)
    third = near._replace(across=at).share(0.01, PAPER)
    assert third == pytest.approx(near.share(0.01, PAPER) / 3) and at < near.distance
    # a tenth would be left farther across than the source is away
    assert np.isnan(local_source.across_for_share(near, PAPER, 0.01, near.share(0.01, PAPER) / 10))
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


def dipoles(source, sea, scale=0.9, noise=0.0, n=60):
    """Amplitudes as a source and a sea make them, from 0.1 to 10 PeV."""
    energy = np.geomspace(0.1, 10, n)
    total = local_source.dipole(energy, source, PAPER, sea)[0]
    error = np.full(n, 5e-5)
    rng = np.random.default_rng(1)
    return Measured(energy, np.abs(scale * total + noise * rng.normal(scale=error)), error, scale)


def test_sea_beside_the_source():
    """With a PeVatron the dipoles below 1 PeV are not those of the sea alone."""
    source = local_source.normalised(Source(cutoff=1.0), PAPER, 0.7)
    exact = local_source.fit_sea(dipoles(source, 9e-4), source, PAPER)
    assert exact.value == pytest.approx(9e-4, rel=1e-9) and exact.chi2 < 1e-12
    data = dipoles(source, 9e-4, noise=1.0)
    found = local_source.fit_sea(data, source, PAPER)
    assert abs(found.value - 9e-4) < 4 * found.error and found.error < 3e-5
    assert abs(found.chi2 / (found.n_point - 1) - 1) < 4 * np.sqrt(2 / found.n_point)
    without = local_source.fit_sea(data)  # control: f = 0 where it is 0.7 to 0.05
    assert without.value < 9e-4 - 8 * found.error
    # control: a least squares that follows the sign of the source's side fits worse
    for value in np.linspace(0, 2e-3, 401):
        model = 0.9 * np.abs(local_source.dipole(data.energy, source, PAPER, value)[0])
        use = (data.energy >= 0.3) & (data.energy <= 5)
        assert np.sum(((model - data.amplitude) / data.error)[use] ** 2) >= found.chi2 - 1e-9


def test_error_of_the_sea():
    """The scatter of many samples is the error; another growth with energy makes it larger."""
    rng, energy = np.random.default_rng(4), np.geomspace(0.3, 5, 12)
    error = np.full(12, 1e-4)
    every = [local_source.fit_sea(Measured(energy, 7e-4 * np.cbrt(energy)
                                           + rng.normal(scale=1e-4, size=12), error))
             for _ in range(200)]
    single = 1e-4 / np.sqrt(np.sum(np.cbrt(energy) ** 2))
    scatter = np.std([one.value for one in every])
    assert abs(scatter / single - 1) < 4 / np.sqrt(400)
    assert min(one.error for one in every) == pytest.approx(single)
    steep = local_source.fit_sea(Measured(energy, 7e-4 * energy, error))
    assert steep.error > 1.5 * single and steep.chi2 > 40  # control
    nothing = local_source.fit_sea(Measured(np.array([20.0]), np.array([1e-3]), np.array([1e-4])))
    assert np.isnan(nothing.value) and nothing.n_point == 0


def test_flip_has_the_error_of_the_sea_and_the_flux():
    source = Source(cutoff=0.1)
    data = dipoles(local_source.normalised(source, PAPER, 0.7), 9e-4, noise=1.0, n=20)
    energies = np.geomspace(1e-3, 5, 300)
    value, error = local_source.last_flip(source, PAPER, data, 0.7, 0.01, energies)
    vague = data._replace(error=20 * data.error)
    assert 0 < error < 0.3 * value
    assert local_source.last_flip(source, PAPER, vague, 0.7, 0.01, energies)[1] > 1.5 * error
    # without errors of the sea there is that of the flux between 10 TeV and the flip
    sure = local_source.last_flip(source, PAPER, data._replace(error=1e-6 * data.error), 0.7, 0.01,
                                  energies)[1]
    assert 0 < sure <= error
    below = energies[energies < value / 2]  # control: nothing changes sides before
    assert np.isnan(local_source.last_flip(source, PAPER, data, 0.7, 0.01, below)[0])


def test_share_has_the_error_of_the_flux():
    """At a row of the table f has the row's own relative error, and the energy the same."""
    row = rows()[7]
    at = row["energy_GeV"] * 1e-6
    relative = Source().share_error(at, PAPER, draws=2000) / Source().share(at, PAPER)
    expected = np.hypot(row["stat"], row["sys"]) / row["flux"]
    # percentiles of 2000 draws: 3 % of the width; lognormal: a tenth of a tenth
    assert relative == pytest.approx(expected, rel=0.12)
    energy, error = local_source.energy_error(Source(), PAPER, 0.7, at)
    assert error / energy == pytest.approx(relative, rel=0.2)
    assert energy == pytest.approx(local_source.normalised(Source(), PAPER, 0.7, at).energy_erg)
    rng = np.random.default_rng(2)
    drawn = np.array([deviations(rng) for _ in range(2000)])
    one = [i for i, r in enumerate(rows()) if r["experiment"] == "DAMPE"]
    assert np.corrcoef(drawn[:, one[0]], drawn[:, one[1]])[0, 1] > 0.9
    other = np.corrcoef(drawn[:, one[0]], drawn[:, -1])[0, 1]
    assert abs(other) < 4 / np.sqrt(2000)  # control: experiments are independent


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


def test_drawn_coefficients_have_the_errors_of_the_fits():
    rigidity = np.array([0.1, 0.3, 1.0, 3.0])
    found = local_source.of_measured(rigidity, 60 * rigidity**0.4, 1.2 * rigidity**0.4,
                                     0.02 * rigidity**0.6, 6e-4 * rigidity**0.6)
    rng = np.random.default_rng(3)
    at = np.array([found.drawn(rng).at(0.01) for _ in range(2000)])
    # a standard deviation from 2000 draws: 1.6 %; the distribution is lognormal by 10 %
    np.testing.assert_allclose(at.std(axis=0), found.errors_at(0.01), rtol=0.1)
    assert PAPER.drawn(rng) is PAPER  # no fits: no errors
    left_out = local_source.of_measured([*rigidity, 10.0], [*60 * rigidity**0.4, np.nan],
                                        [*1.2 * rigidity**0.4, np.nan],
                                        [*0.02 * rigidity**0.6, np.nan],
                                        [*6e-4 * rigidity**0.6, np.nan])
    np.testing.assert_allclose(left_out.at(0.01), found.at(0.01))


def test_vela():
    """Geometry by hand: right-handed, with the equator's pole from the transformation."""
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    where, line = (263.6, -2.8), (210.5, -57.1)
    vela, field = (SkyCoord(*lb, unit=u.deg, frame="galactic") for lb in (where, line))
    found = local_source.young_source(11_000, 300, where, line, 7e-4)
    angle = vela.separation(field).rad
    assert found.bare == pytest.approx(1.5 * 300 / (11e3 * 0.306601), rel=1e-4)
    assert found.angle_deg == pytest.approx(np.degrees(angle), abs=1e-3)
    assert found.across == pytest.approx(300 * np.sin(angle), rel=1e-4)
    cosine = np.cos(field.icrs.dec.rad)
    assert found.bent == pytest.approx(7e-4 / (found.bare * cosine), rel=1e-3)
    assert found.straight == pytest.approx(found.bent / np.cos(angle), rel=1e-3)
    own = np.cos(vela.icrs.dec.rad)
    assert found.isotropic == pytest.approx(7e-4 / (found.bare * own), rel=1e-3)
    assert 1 / found.needed == pytest.approx(200, rel=0.1)  # the paper's number
    # on a straight line nothing arrives: f there is beyond any energy
    young = Source(age_myr=0.011, distance=300.0, across=found.across)
    assert young.share(0.01, PAPER) < 1e-50 < young._replace(across=30.0).share(0.01, PAPER)


def test_proton_flux():
    for row in rows():
        assert proton_flux(row["energy_GeV"] * 1e-6) == pytest.approx(row["flux"])
        assert row["reference"] and row["flux"] > 5 * row["sys"]
    assert np.isnan(proton_flux(1e-6)) and np.isnan(proton_flux(100.0))
    # a spectrum between E^-2.4 and E^-3.6 from point to point: no digit is out of place
    energy, flux = (np.array([row[name] for row in rows()]) for name in ("energy_GeV", "flux"))
    slope = np.diff(np.log(flux)) / np.diff(np.log(energy))
    assert np.all((slope < -2.4) & (slope > -3.7))
