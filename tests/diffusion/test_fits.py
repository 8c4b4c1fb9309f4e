"""Fits of diffusion coefficients to points of known curves.

Theory. Points y_i (1 + s_i g_i), g_i Gaussian: a fit of the right form finds the parameters within
their errors (|pull| < 4), and with a chi2 within 5 sqrt(2 dof) of the degrees of freedom; a wrong
form or a wrong factor does not. (4/3) x^2 = b x^(2-q) at x = (3 b/4)^(1/q). For the sum of two
powers, A x^2 + B x^p, d ln y/d ln x is (2 + p)/2 where both terms are equal: there the half-way
point is the crossing.
"""

import numpy as np
import pytest

from hpc_cr.config.scales import coherence_length
from hpc_cr.diffusion import fits

A, B, CUT = 0.35, 0.08, 0.5
X = np.geomspace(3e-3, 20, 14)
LEVEL = {"D0": 1.4, "eta_par": 1.2, "p": 1.9, "eta_perp": 3.0, "s": 1.7}
ETA = np.array([0.1, 0.15, 0.25, 0.35, 0.5, 0.7, 1.0, 1.5, 2.0, 4.0])


def curve(x, slope=5 / 3, coherence=1.0, cut=CUT):
    """The form of the module, written out."""
    return 4 * x**2 / (3 * coherence) + (A * x + B * x ** (2 - slope)) / (1 + (x / cut) ** 2)


def noisy(y, share, seed=1):
    rng = np.random.default_rng(seed)
    return y * (1 + share * rng.standard_normal(np.shape(y))), share * y


def few_sigma(fit, truth):
    for name, value in truth.items():
        found, error = fit[name]
        assert abs(found - value) < 4 * error, name


def acceptable(fit):
    return fit.chi2 < fit.dof + 5 * np.sqrt(2 * fit.dof)


@pytest.mark.parametrize("slope", [5 / 3, 3 / 2])
def test_unit_length_is_the_coherence_length_of_a_long_spectrum(slope):
    # L_c/L - 1 = (L_min/L_max)^(q-1) up to higher orders: below 1e-4 for a ratio of 1e-9
    length = fits.unit_length(25.0, slope)
    assert length == pytest.approx(25 / {5 / 3: 5, 3 / 2: 6}[slope])
    assert length == pytest.approx(coherence_length(25.0, 25e-9, slope), rel=2e-4)


@pytest.mark.parametrize("slope", [5 / 3, 3 / 2])
def test_isotropic_parameters(slope):
    coherence = np.where(X > 1, 1.04, 1.01)
    d, error = noisy(curve(X, slope, coherence), 0.01)
    found = fits.fit_isotropic(X, d, error, slope, coherence=coherence)
    few_sigma(found.fit, {"a": A, "b": B, "cutoff": CUT})
    assert acceptable(found.fit)
    value, band = found.evaluate(X)
    assert np.all(np.abs(value - curve(X, slope)) < 4 * band + 1e-12)
    # the order of the points does not matter
    back = fits.fit_isotropic(X[::-1], d[::-1], error[::-1], slope, coherence=coherence[::-1])
    np.testing.assert_allclose(back.fit.values, found.fit.values, rtol=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: 3 * curve(x),  # the mean free path, not D
        lambda x: curve(x, slope=3 / 2),  # Kraichnan
        lambda x: curve(x) * np.where(x > 1, 2.0, 1.0),  # one-sided coherence length
    ],
    ids=["mean free path", "Kraichnan", "one-sided"],
)
def test_wrong_forms_do_not_fit(wrong):
    d, error = noisy(wrong(X), 0.01)
    found = fits.fit_isotropic(X, d, error, 5 / 3)
    assert not acceptable(found.fit)
    assert found.fit.scatter > 0.01


def test_errors_cover_the_truth():
    # 1 sigma holds 68.3 %; 150 trials, binomial error 3.8 %. Fits whose chi2 is above its mean get
    # larger errors, by a factor below 1 + 2/sqrt(2 dof) = 1.43 in all but a few per cent: with it
    # 1 sigma holds 85 %
    trials, inside = 150, 0
    for seed in range(trials):
        d, error = noisy(curve(X, cut=np.inf), 0.03, seed)
        value, sigma = fits.fit_isotropic(X, d, error, 5 / 3, form="sum", others=False).fit["b"]
        inside += abs(value - B) < sigma
    assert 0.683 - 4 * 0.038 < inside / trials < 0.85 + 4 * 0.03


def test_unexplained_scatter():
    # points scatter by 10 % and claim 1 %: found to 1/sqrt(2 dof), and the errors know of it
    d, _ = noisy(curve(X, cut=np.inf), 0.1, seed=3)
    found = fits.fit_isotropic(X, d, 0.01 * d, 5 / 3, form="sum", others=False).fit
    assert found.scatter == pytest.approx(0.1, rel=4 / np.sqrt(2 * found.dof))
    few_sigma(found, {"a": A, "b": B})
    assert found.chi2 > 20 * found.dof


def test_crossing_and_halfway():
    d, error = noisy(4 / 3 * X**2 + B * X ** (1 / 3), 1e-3)
    found = fits.fit_isotropic(X, d, error, 5 / 3, form="resonant", others=False)
    exact = (3 * B / 4) ** (3 / 5)
    crossing, sigma = found.crossing()
    assert abs(crossing - exact) < 4 * sigma
    # sigma from d x_c = x_c (3/5) db/b
    b, b_error = found.fit["b"]
    assert sigma == pytest.approx(crossing * 0.6 * b_error / b, rel=1e-3)
    # found on a grid of 0.7 % in x, with a curve between its points
    assert found.halfway()[0] == pytest.approx(crossing, rel=1e-3)


def test_extrapolation():
    d, error = noisy(curve(X), 0.01)
    found = fits.fit_isotropic(X, d, error, 5 / 3)
    far = np.array([1e-7, 1e-6])
    value = found.extrapolate(far)
    truth = curve(far)
    assert np.all(np.abs(value.value - truth) < 4 * value.total)
    assert {"without the lowest", "free exponent"} <= set(value.others)
    # the exponent alone makes more difference than the error says: it is not in it
    assert np.all(value.systematic < value.value)
    # without the exponent of the theory, a wrong one: off by x^(1/2 - 1/3) = 14 at 1e-7
    other = fits.fit_isotropic(X, d, error, 3 / 2).extrapolate(far)
    assert abs(np.log(other.value[0] / truth[0])) > 4 * other.error[0] / other.value[0]


def test_points_without_value_or_error_are_left_out():
    d, error = noisy(curve(X), 0.01)
    some = np.arange(len(X)) != 5
    spoilt, unsure = d.copy(), error.copy()
    spoilt[5], unsure[5] = np.nan, np.nan
    a = fits.fit_isotropic(X, spoilt, unsure, 5 / 3)
    b = fits.fit_isotropic(X[some], d[some], error[some], 5 / 3)
    np.testing.assert_allclose(a.fit.values, b.fit.values, rtol=1e-9)
    with pytest.raises(fits.FitError, match="1 of 14 points"):
        fits.fit_isotropic(X, np.where(X < 4e-3, d, np.nan), error, 5 / 3)


def level_curves(eta):
    """The formulas of the module, written out."""
    parallel = LEVEL["D0"] * (1 + (LEVEL["eta_par"] / eta) ** LEVEL["p"])
    return parallel, LEVEL["D0"] / (1 + (LEVEL["eta_perp"] / eta) ** LEVEL["s"])


def test_level_fit():
    parallel, perp = level_curves(ETA)
    (par, par_error), (per, per_error) = noisy(parallel, 0.02), noisy(perp, 0.02, seed=2)
    found = fits.fit_level(ETA, par, par_error, per, per_error)
    few_sigma(found.fit, LEVEL)
    assert acceptable(found.fit)
    near, across = level_curves(0.25)
    for value, exact in ((found.parallel(0.25), near), (found.perp(0.25), across),
                         (found.ratio(0.25), across / near)):  # fmt: skip
        assert abs(value[0] - exact) < 4 * value[1]
        assert value[1] < 0.04 * exact  # no worse than a few points are
    # both become D0 where the regular field is weak
    assert found.parallel(1e6)[0] == pytest.approx(found.fit["D0"][0], rel=1e-4)
    assert found.perp(1e6)[0] == pytest.approx(found.fit["D0"][0], rel=1e-4)


def test_level_fit_needs_the_right_ones():
    (par, par_error), (per, per_error) = (noisy(y, 0.02) for y in level_curves(ETA))
    exchanged = fits.fit_level(ETA, per, per_error, par, par_error)
    assert not acceptable(exchanged.fit)
    with pytest.raises(fits.FitError, match="needs 3"):
        fits.fit_level(ETA[:2], par[:2], par_error[:2], per[:2], per_error[:2])
    with pytest.raises(fits.FitError, match="three levels"):
        fits.fit_level(np.full(4, 0.25), par[:4], par_error[:4], per[:4], per_error[:4])


def test_power_law():
    x = np.geomspace(0.1, 3, 6)
    y, error = noisy(2.5 * x**0.55, 0.02)
    exponent, sigma = fits.power_law(x, y, error)
    assert abs(exponent - 0.55) < 4 * sigma
    # weighted least squares of ln y: sigma^-2 = sum (ln x - mean)^2/0.02^2, but for a scatter
    fit = fits.fit_power_law(x, y, error)
    exact = np.hypot(0.02, fit.scatter) / np.sqrt(np.sum((np.log(x) - np.log(x).mean()) ** 2))
    assert sigma == pytest.approx(exact, rel=0.1)  # errors are those of the drawn y
    assert fits.fit_power_law(x, y, error, reference=2.0)["exponent"][0] == pytest.approx(exponent)
    with pytest.raises(fits.FitError, match="different places"):
        fits.power_law([1.0, 1.0], [1.0, 2.0], [0.1, 0.1])


def test_points_that_share_their_errors():
    """One Gaussian number for all points moves the amplitude by it and the exponent not at all."""
    x, share, trials = np.geomspace(0.1, 3, 6), 0.05, 60
    together, alone = np.full((6, 6), share**2), None
    pulls = []
    for seed in range(trials):
        y = 2.5 * x**0.55 * (1 + share * np.random.default_rng(seed).standard_normal())
        one = fits.fit_power_law(x, y, share * y, covariance=together)
        two = fits.fit_power_law(x, y, share * y, covariance=alone)
        amplitude, error = one["amplitude"]
        pulls.append([(amplitude - 2.5) / error, (amplitude - 2.5) / two["amplitude"][1]])
    assert one["exponent"][0] == pytest.approx(0.55, abs=1e-6)
    assert one["exponent"][1] < 1e-6
    assert one["amplitude"][1] == pytest.approx(share * one["amplitude"][0], rel=1e-6)
    # the scatter of pulls is 1 within 4/sqrt(2 n)
    right, wrong = np.std(pulls, axis=0)
    assert abs(right - 1) < 4 / np.sqrt(2 * trials)
    # controls: independent points make the amplitude too sure, and give the exponent an error
    assert wrong > 1 + 4 / np.sqrt(2 * trials)
    assert two["exponent"][1] > 0.01


def test_covariance_of_the_isotropic_fit_goes_with_its_points():
    """Independent points given as a diagonal covariance, in any order and with a point left out."""
    d, error = noisy(curve(X), 0.01)
    spoilt = np.where(np.arange(len(X)) == 5, np.nan, d)
    order = np.random.default_rng(1).permutation(len(X))
    plain = fits.fit_isotropic(X, spoilt, error, 5 / 3)
    given = fits.fit_isotropic(X[order], spoilt[order], error[order], 5 / 3,
                               covariance=np.diag((error / spoilt) ** 2)[np.ix_(order, order)])
    np.testing.assert_allclose(given.fit.errors, plain.fit.errors, rtol=1e-5)
    # control: errors of others would be others
    other = fits.fit_isotropic(X, d, error, 5 / 3, covariance=np.diag((0.03 + 0 * X) ** 2))
    assert np.all(other.fit.errors > 2 * plain.fit.errors)


def test_level_fit_knows_that_its_form_is_not_the_truth():
    """A wave of 6 % about the curves: D0 moves by more than errors that take it for scatter say."""
    wave = 1 + 0.06 * np.sin(2.5 * np.log(ETA))
    parallel, perp = (y * w for y, w in zip(level_curves(ETA), (wave, 2 - wave), strict=True))
    columns = ETA, parallel, 0.005 * parallel, perp, 0.005 * perp
    whole = fits.fit_level(*columns)
    low = fits.fit_level(*(column[:-1] for column in columns))  # without eta = 4
    moved = abs(low.fit["D0"][0] - whole.fit["D0"][0])
    assert moved < 2 * whole.fit["D0"][1]
    # what the least-squares errors alone say: a few levels, too few for a jackknife, show it
    relative = whole.fit["D0"][1] / whole.fit["D0"][0]
    stretched = fits.fit_level(*columns, covariance=np.diag(np.full(20, 1e-12)))
    # the jackknife does not come from the points' errors
    assert stretched.fit["D0"][1] / stretched.fit["D0"][0] > 0.5 * relative
    assert whole.fit.chi2 > 5 * whole.fit.dof and 0.01 < whole.fit.scatter < 0.1
    # control: without the wave the errors are those of the points
    exact = [y * (1 + 0.005 * np.random.default_rng(5).standard_normal(len(ETA)))
             for y in level_curves(ETA)]  # fmt: skip
    good = fits.fit_level(ETA, exact[0], 0.005 * exact[0], exact[1], 0.005 * exact[1])
    assert good.fit["D0"][1] / good.fit["D0"][0] < 0.3 * relative
    few_sigma(good.fit, LEVEL)


def test_extrapolation_with_a_free_exponent_is_told_apart():
    """Points of x^0.25 at low x, fitted with 1/3: the free exponent and its value are the truth."""
    d, error = noisy(curve(X, slope=1.75), 0.005)
    value = fits.fit_isotropic(X, d, error, 5 / 3).extrapolate(1e-6)
    assert value.freed == value.others["free exponent"]
    truth = curve(1e-6, slope=1.75)
    # control: 1/3 misses it, and its errors, which keep the exponent, do not know
    assert abs(np.log(value.freed / truth)) < 0.5 < abs(np.log(value.value / truth))
    assert abs(truth - value.value) > 3 * value.total
    few = fits.fit_isotropic(X[:4], d[:4], error[:4], 5 / 3)
    assert np.isnan(few.extrapolate(1e-6).freed)
