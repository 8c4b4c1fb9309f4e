"""Normalisations of background and local source from data made with known ones.

Power laws with cut-offs stand for protons, helium and two heavier species: background E^-2.7,
local source harder with a cut-off, energies in GeV. Data have 5 % errors. With factors f0 the
estimates f follow a Gaussian of the covariance C: (f - f0) C^-1 (f - f0) is chi^2 with as many
degrees of freedom as factors, n +- sqrt(2 n/m) on average over m repetitions.
"""

import numpy as np
import pytest

from hpc_cr.galaxy import fits
from hpc_cr.galaxy.fits import DataSet
from hpc_cr.measurements import spectra

SPECIES = ("H1", "He4", "C12", "Fe56")
TRUTH = np.array([[1.4, 0.6], [0.8, 1.2], [1.1, 0.9], [1.1, 0.9]])
GROUPS = [0, 1, 2, 2]
CHARGE = np.array([1, 2, 6, 26])[:, None]
HEIGHT = np.array([1.0, 0.8, 0.1, 0.15])[:, None]


def flux(energy):
    """Background and local source of the four species, (4, 2, n)."""
    background = HEIGHT * energy**-2.7 * np.exp(-energy / (5e6 * CHARGE))
    local = 0.3 * HEIGHT * energy**-2.45 * np.exp(-energy / (2e4 * CHARGE)) * (energy / 1e3) ** 0.1
    return np.stack([background, local], axis=1)


def sets(rng=None, relative=0.05, extra=0.0, truth=TRUTH, templates=flux):
    """Data of H, He and all particles; without rng free of noise."""
    found = []
    for name, energy, rows in (("H", np.geomspace(1e2, 1e6, 30), [0]),
                               ("He", np.geomspace(1e2, 1e6, 30), [1]),
                               ("all", np.geomspace(1e4, 1e8, 40), [0, 1, 2, 3])):  # fmt: skip
        mask = np.isin(np.arange(4), rows)[:, None, None]
        exact = np.einsum("sc,scn->n", truth, mask * flux(energy))
        noise = 0.0
        if rng is not None:
            noise = np.hypot(relative, extra) * rng.standard_normal(len(energy))
        found.append(DataSet(name, exact * (1 + noise), relative * exact, mask * templates(energy)))
    return found


def test_without_noise_the_truth_comes_back():
    found = fits.refit(SPECIES, sets(), GROUPS)
    np.testing.assert_allclose(found.scales, TRUTH, rtol=1e-8)
    assert found.chi2 < 1e-12 and found.scatter == 0 and found.ndf == 100 - 6
    lines = str(found).splitlines()
    assert lines[0].startswith("H1: background 1.4 +- ") and ", local 0.6 +- " in lines[0]
    assert lines[2].startswith("C12 Fe56: background 1.1 ") and len(lines) == 4
    energy = np.geomspace(1e2, 1e6, 5)
    background, local, total, error = found.predict(flux(energy))
    exact = np.einsum("sc,scn->n", TRUTH, flux(energy))
    np.testing.assert_allclose(total, exact, rtol=1e-8)
    np.testing.assert_allclose(background + local, total)
    assert (error > 0).all() and (error < 0.2 * total).all()
    for part, n in found.parts.values():
        assert part < 1e-12 and n in (30, 40)


def test_covariance_is_the_scatter_of_repetitions():
    rng, m, distance, chi2 = np.random.default_rng(5), 100, [], []
    for _ in range(m):
        found = fits.refit(SPECIES, sets(rng), GROUPS)
        own = [0, 1, 2, 3, 4, 5]
        away = (found.scales - TRUTH).ravel()[own]
        # where chi^2 came out above the degrees of freedom the scatter widens the errors a little
        distance.append(away @ np.linalg.solve(found.covariance[np.ix_(own, own)], away))
        chi2.append(found.chi2)
        np.testing.assert_array_equal(found.scales[2], found.scales[3])  # tied
    # four standard errors, and down to 15 % less for the widened errors
    assert 6 * 0.85 - 4 * np.sqrt(12 / m) < np.mean(distance) < 6 + 4 * np.sqrt(12 / m)
    # chi^2 is that of the points' own errors at the factors found
    assert np.mean(chi2) == pytest.approx(94, abs=4 * np.sqrt(2 * 94 / m) + 1)


def test_scatter_beyond_the_errors_is_found():
    """s has the relative error 1/sqrt(2 ndf) = 7 % where it dominates."""
    found = fits.refit(SPECIES, sets(np.random.default_rng(1), relative=0.01, extra=0.1), GROUPS)
    assert found.scatter == pytest.approx(0.1, rel=4 * 0.073)
    assert found.chi2 > 5 * found.ndf
    alone = fits.refit(SPECIES, sets(np.random.default_rng(1), relative=0.1), GROUPS)
    assert alone.scatter < 0.05  # control: errors that tell the truth
    ratio = found.errors[0, 0] / alone.errors[0, 0]
    assert ratio == pytest.approx(1, abs=0.4)  # the same noise, told or not told


def test_a_wrong_template_is_seen():
    """Negative control: a local source with a ten times higher cut-off fits nowhere near."""

    def wrong(energy):
        templates = flux(energy)
        templates[:, 1] *= np.exp(np.minimum(energy * 0.9 / (2e4 * CHARGE), 300))
        return templates

    right, off = (fits.refit(SPECIES, sets(np.random.default_rng(3), 0.02, templates=t), GROUPS)
                  for t in (flux, wrong))  # fmt: skip
    assert right.chi2 < right.ndf + 4 * np.sqrt(2 * right.ndf)
    assert off.chi2 > 3 * off.ndf and off.scatter > 0.02


def test_no_factor_is_negative_and_limits_are_exact():
    """One template t and data y whose best factor is below 0: sum (y - f t)^2/sigma^2 rises by
    2.71 at the root of f^2 T - 2 f Y = 2.71 with T = sum t^2/sigma^2, Y = sum t y/sigma^2 < 0."""
    t, y, sigma = np.ones(50), np.full(50, -0.05), np.full(50, 1.0)
    templates = np.zeros((1, 2, 50))
    templates[0, 0] = t
    found = fits.refit(["H"], [DataSet("H", y, sigma, templates)])
    T, Y = 50.0, -2.5
    assert found.scales[0, 0] == 0 and found.errors[0, 0] == 0
    assert found.limits[0, 0] == pytest.approx((Y + np.sqrt(Y**2 + 2.71 * T)) / T, rel=1e-6)
    assert "< " in str(found) and found.ndf == 49
    # without local source nothing is fitted to it
    assert found.scales[0, 1] == 0 and np.isnan(found.limits[0, 1])
    up = fits.refit(["H"], [DataSet("H", -y, sigma, templates)])
    assert up.scales[0, 0] == pytest.approx(0.05) and np.isnan(up.limits[0, 0])
    assert up.errors[0, 0] == pytest.approx(1 / np.sqrt(50))


def test_with_limits_in_every_second_case():
    """A source that is not there: its best factor is below 0 in half of the cases, and 0 then; a
    limit of 95 % lies above the truth."""
    truth = np.where([True, False], TRUTH, 0.0)
    rng = np.random.default_rng(8)
    clamped = np.array([fits.refit(SPECIES, sets(rng, truth=truth), GROUPS).scales[0, 1] == 0
                        for _ in range(60)])  # fmt: skip
    assert clamped.mean() == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / 60))


def test_the_project_s_tables_give_data_sets():
    own, groups = fits.measured_sets(SPECIES, flux)
    assert [one.name for one in own] == ["H", "He", "all"] and groups == [0, 1, 2, 2]
    for one in own:
        assert one.templates.shape == (4, 2, len(one.value)) and (one.error > 0).all()
    assert not own[0].templates[1:].any() and own[0].templates[0, 0].any()
    assert own[2].templates.any(axis=(1, 2)).all()
    # statistical errors alone: Tibet's 0.02 % become 10 %
    assert min(own[2].error / own[2].value) > 0.01
    n = [p.experiment for p in spectra.per_total_energy(spectra.points("H")) if 100 < p.energy]
    assert len(own[0].value) == sum(name in spectra.IDENTIFIED for name in n) < len(n)
    more, groups = fits.measured_sets(SPECIES, flux, ("H", "He", "C", "Fe", "all"))
    assert len(more) == 5 and groups == [0, 1, 2, 3]
    # 1e4 E^-2.7 is what protons have; the heavy ones of this toy are of no particular height
    found = fits.refit(SPECIES, *fits.measured_sets(SPECIES, lambda e: 1e4 * flux(e)))
    assert (found.scales[:2, 0] > 0.5).all() and (found.scales[:2, 0] < 2).all()
    assert found.scatter < 0.4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda one: one._replace(error=0 * one.error), "H: values must be finite and errors"),
        (lambda one: one._replace(templates=-one.templates), "H: templates must be finite"),
        (lambda one: one._replace(templates=one.templates[:2]), "not .species, 2, points."),
        (lambda one: one._replace(value=np.nan * one.value), "H: values must be finite"),
    ],
)
def test_bad_input_is_one_line(change, message):
    first, *rest = sets()
    with pytest.raises(ValueError, match=message) as error:
        fits.refit(SPECIES, [change(first), *rest], GROUPS)
    assert "\n" not in str(error.value)


def test_what_cannot_be_told_apart():
    first = sets()[2]
    with pytest.raises(ValueError, match="tell apart background of C.*, background of N"):
        same = first._replace(templates=first.templates[[2, 2]])
        fits.refit(["C", "N"], [same])
    few = DataSet("H", np.ones(2), np.ones(2), np.ones((1, 2, 2)))
    with pytest.raises(ValueError, match="2 points cannot fix 2 factors"):
        fits.refit(["H"], [few])
    with pytest.raises(ValueError, match="3 groups for 4 species"):
        fits.refit(SPECIES, sets(), [0, 1, 2])
