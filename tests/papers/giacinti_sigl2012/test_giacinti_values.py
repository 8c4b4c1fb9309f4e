"""Statements on Giacinti & Sigl (2012) from skies with known answers.

Theory
------
Skies A_k of one set, B_k = +-A_(k+1) of the same set shifted: over rows with both signs the
products A B cancel and the squares are equal, so that r A + sqrt(1 - r^2) B has the correlation r
with A exactly, not only on average. A response M with the first column (6, 8, 0) pc and a gradient
g along x gives the dipole g (6, 8, 0): 10 g long, atan(8/6) = 53.13 degrees off; its transpose
would give another one. Orthogonal maps of sizes s_k, averaged with equal weights, keep
sqrt(sum s_k^2)/sum s_k of the mean size. Equation 8 with G_p = X_r/r predicts lambda/r times the
map of the sphere r; if the last map is c times that of r, the slope is c r/lambda.

Every number is compared with the one built in; rounding is the only error unless said.
"""

from types import SimpleNamespace

import healpy
import numpy as np
import pytest
import synthetic_results
from click.testing import CliRunner

from hpc_cr.anisotropy import ensembles
from hpc_cr.anisotropy.correlation import covariance
from hpc_cr.anisotropy.multipoles import alm_of, half_samples
from hpc_cr.anisotropy.response import nested_quads
from hpc_cr.cli.paper import command
from hpc_cr.config import parse_job
from hpc_cr.figures.trajectories import View, extremes_of
from hpc_cr.frames import lon_lat, patch_pixels, unit_vector
from hpc_cr.io.results import open_results
from hpc_cr.papers.giacinti_sigl2012 import cases, dipoles, features, multipoles, patches
from hpc_cr.papers.giacinti_sigl2012.cases import verdict_between, verdict_of, verdict_of_one

L_MAX = 6
ELL, EM = healpy.Alm.getlm(L_MAX)
STOPS = np.array([10.0, 25.0, 50.0, 100.0, 250.0])
G = 1 / 290.0
COLUMN = np.array([[6.0, 0.0, 0.0], [8.0, 9.0, 0.0], [0.0, 0.0, 15.0]])  # tr/3 = 10 pc
NSIDE = 8


def gaussian(rng, *shape):
    """White a_lm with C_l = 1."""
    alm = (rng.standard_normal((*shape, len(ELL))) + 1j * rng.standard_normal((*shape, len(ELL))))
    alm /= np.sqrt(2)
    alm[..., EM == 0] = rng.standard_normal((*shape, L_MAX + 1))
    return alm


def pairs(n=20, seed=1):
    """Two sets of 2n skies whose summed products vanish and whose sizes are equal."""
    base = gaussian(np.random.default_rng(seed), n)
    other = np.roll(base, 1, axis=0)
    return np.concatenate([base, base]), np.concatenate([other, -other])


def mixed(first, second, r):
    return r * first + np.sqrt(1 - r * r) * second


class Known:
    """Results of one case with given skies of the intensity; the gradient is g x."""

    path, case, symmetry = "known.h5", "ensemble", "isotropic"

    def __init__(self, skies, response=COLUMN, rigidities=(10.0, 50.0), direction=None, **more):
        # skies (n, n_rig, n_stop, n_lm) of X_x in pc
        n, n_rig, n_stop = skies.shape[:3]
        self.alm_half = self._halves(skies)
        self.response = np.broadcast_to(response, (n, n_rig, n_stop, 3, 3))
        self.rigidities = np.array(rigidities)
        self.stops = np.tile(STOPS[-n_stop:], (n_rig, 1))
        self.gradient = np.tile([G, 0.0, 0.0], (n_rig, 1))
        self.done = np.ones((n, n_rig), bool)
        self.realisation = np.arange(n)
        if direction is not None:
            self.direction_alm_half = self._halves(direction)
        self.job = SimpleNamespace(
            particles=SimpleNamespace(nside=NSIDE, patch=None),
            output=SimpleNamespace(displacement=True), regular_field=(0.0, 2.0, 0.0))  # fmt: skip
        self.__dict__.update(more)

    @staticmethod
    def _halves(skies):
        halves = np.zeros((*skies.shape[:3], 2, 3, skies.shape[-1]), complex)
        halves[..., 0, :] = skies[..., None, :]
        return halves


def by_text(found, *words):
    """The one statement whose text has all of these words."""
    chosen = [one for one in found if all(word in one.text for word in words)]
    assert len(chosen) == 1, [one.text for one in found]
    return chosen[0]


@pytest.mark.parametrize(
    "value, error, low, high, expected",
    [
        (1.0, 0.1, 0.3, 3.0, "agrees"),
        (5.0, 0.1, 0.3, 3.0, "differs"),
        (0.1, 0.05, 0.3, 3.0, "differs"),
        (0.70, 0.78, 0.3, 3.0, "open"),  # 2 errors exceed half of the value
        (1.5, 0.4, 1.2, 1.8, "open"),  # and half of the width
        (0.003, 0.009, 0.0, 0.2, "agrees"),  # a range from zero has no relative error
        (3.1, 0.1, 0.3, 3.0, "agrees"),
        (np.nan, 0.1, 0.3, 3.0, "open"),
        (1.0, np.nan, 0.3, 3.0, "open"),
    ],
)
def test_verdict_of(value, error, low, high, expected):
    assert verdict_of(value, error, low, high) == expected


def test_verdict_between_two_lines():
    assert verdict_between(0.95, 0.01, 0.9, 0.5) == "agrees"
    assert verdict_between(0.3, 0.01, 0.9, 0.5) == "differs"
    for value, error in ((0.7, 0.01), (0.95, 0.04), (0.45, 0.04), (0.95, np.nan), (np.nan, 0.1)):
        assert verdict_between(value, error, 0.9, 0.5) == "open"
    # where small numbers agree
    assert verdict_between(10.0, 1.0, 20.0, 45.0) == "agrees"
    assert verdict_between(60.0, 3.0, 20.0, 45.0) == "differs"
    # one line
    assert verdict_between(0.3, 0.01, 0.5, 0.5) == "agrees"
    assert verdict_between(0.7, 0.01, 0.5, 0.5) == "differs"
    assert verdict_between(0.5, 0.01, 0.5, 0.5) == "open"


def test_verdict_of_one_realisation():
    narrow = np.linspace(5.0, 7.0, 100)
    assert verdict_of_one(6.0, narrow) == "agrees"
    assert verdict_of_one(8.0, narrow) == "differs"
    # a wide distribution would contain nearly everything
    assert verdict_of_one(6.0, np.linspace(1.0, 12.0, 100)) == "open"
    assert verdict_of_one(6.0, narrow[:5]) == "open"


def test_words_and_statements_never_say_nan():
    assert cases.words(np.nan, 0.1) == "not known" and "nan" not in cases.words(2.0, np.nan)
    one = cases.statement("p. 1", "x", "1", (np.nan, np.nan), "", "agrees")
    assert one.verdict == "open" and one.note == cases.NO_ERROR
    assert cases.statement("p. 1", "x", "1", (1, 0.1), "", "agrees").note == cases.OVER_REALISATIONS


def dipole_case(n=30):
    """The same response in every realisation: X_j = M_ij n_i."""
    n_pix = np.array(healpy.pix2vec(NSIDE, np.arange(12 * NSIDE**2)))
    halves = [alm_of(COLUMN.T @ n_pix, L_MAX, half)
              for half in half_samples(nested_quads(NSIDE), n_pix.shape[1])]  # fmt: skip
    known = Known(np.zeros((n, 2, 5, len(ELL)), complex))
    known.alm_half = np.broadcast_to(np.array(halves), (n, 2, 5, 2, 3, len(ELL)))
    return cases.Case(known)


def test_dipoles():
    found = dipoles.dipoles(dipole_case())
    # a_lm by plain sums at nside 8: 1e-3
    assert by_text(found, "mean |delta| at 10 PV").value == pytest.approx(1000 * G, rel=2e-3)
    assert by_text(found, "lambda |g| at 10 PV").value == pytest.approx(1000 * G)
    angle = by_text(found, "angle of a dipole", "10 PV")
    assert angle.value == pytest.approx(np.degrees(np.arctan2(8, 6)))
    assert angle.verdict == "differs"
    # 10 PeV to 10 TeV with R^(1/3), 1/(290 pc) to 1/(1 kpc)
    assert by_text(found, "rescaled").value == pytest.approx(1000 * G * 0.29 / 10, rel=2e-3)
    share = by_text(found, "power of the dipole common", "10 PV")
    assert share.value == pytest.approx(1.0, abs=1e-4) and share.verdict == "agrees"
    # the paper gives no rigidity with its 6 %
    assert by_text(found, "lambda |g| at 50 PV").verdict == "open"


def test_map_of_one_field():
    """Spots of known height and place, a monopole, and no noise."""
    nside = 32
    n = np.column_stack(healpy.pix2vec(nside, np.arange(12 * nside**2)))
    spots = {(60.0, 20.0): 0.5, (250.0, -40.0): -0.9}
    sky = np.full(len(n), 0.1)
    for place, height in spots.items():
        sky += height * (n @ unit_vector(*place) > np.cos(np.radians(10.0)))
    x = np.zeros((3, len(n)))
    x[0] = sky / G
    known = Known(np.zeros((1, 1, 5, len(ELL)), complex), rigidities=(10.0,),
                  maps=lambda name, row, rig, stop=-1: x)  # fmt: skip
    known.job.particles.nside = nside
    found = dipoles.maps(cases.Case(known))
    fraction = (1 - np.cos(np.radians(10))) / 2  # of the sky in a spot
    mean = by_text(found, "mean intensity")
    assert mean.value == pytest.approx(1.1 + (0.5 - 0.9) * fraction, abs=2e-3)
    inside = (1 - np.cos(np.radians(10))) / (1 - np.cos(np.radians(20)))
    for name, (place, height) in zip(("hot", "cold"), spots.items(), strict=True):
        spot = by_text(found, f"strongest {name} spot")
        # the dipole and the monopole of the spots take some percent of it
        assert spot.value == pytest.approx(100 * height * inside, abs=4.0)
        assert spot.verdict == "open" and cases.SAMPLING in spot.note
        where = map(float, spot.note.split("= (")[1].split(")")[0].split(","))
        distance = unit_vector(*where) @ unit_vector(*place)
        assert distance > np.cos(np.radians(11))
    noise = by_text(found, "noise of the smoothed map")
    # pixels at the spots' edges differ between the half-samples
    assert noise.value < 2.0


R_OF_STOP = np.array([0.2, 0.4, 0.6, 0.95, 1.0])


def converging(seed=1, n=20, noise=0.0):
    first, second = pairs(n, seed)
    skies = np.array([mixed(first, second, r) for r in R_OF_STOP]).swapaxes(0, 1)
    return Known(np.stack([skies, 3.5 * skies], axis=1))


def test_convergence_with_the_radius():
    found = features.convergence(cases.Case(converging()))
    here = by_text(found, "correlation of maps", "25 and 250")
    assert here.value == pytest.approx(0.4)
    at_50 = by_text(found, "correlation of maps", "50 and 250")
    assert at_50.value == pytest.approx(0.6) and at_50.verdict == "open"
    for level, share in ((0.7, (0.7 - 0.6) / 0.35), (0.9, (0.9 - 0.6) / 0.35)):
        radius = by_text(found, f"reaches {level:g}", "10 PV")
        assert radius.value == pytest.approx(50 * 2**share) and radius.verdict == "open"
    assert by_text(found, "mean free path lambda at 10 PV").value == pytest.approx(10.0)


def test_crossing():
    values = np.array([[0.1, 0.5, 0.9], [0.1, 0.5, 0.8], [0.95, 0.96, 1.0], [0.1, np.nan, 0.9]])
    found = features.crossing(np.array([10.0, 20.0, 80.0]), values, 0.7)
    np.testing.assert_allclose(found, [40.0, 20 * 4 ** (2 / 3), np.nan, np.nan])
    assert np.isnan(features.crossing(np.array([10.0, 20.0, 80.0]), values[1], 0.9))


def test_error_of_the_crossing_is_its_scatter():
    """The jackknife's error against the scatter over sets of independent skies."""
    rng, found = np.random.default_rng(5), []
    for _ in range(60):
        first, second = gaussian(rng, 2, 25)
        skies = np.array([mixed(first, second, r) for r in R_OF_STOP]).swapaxes(0, 1)
        case = cases.Case(Known(skies[:, None], rigidities=(10.0,)))
        found.append(features.reached(case, 0, 0.8))
    values, errors = np.array(found).T
    # a standard deviation of 60 values: 9 %, the mean of jackknife errors less
    assert np.mean(errors) == pytest.approx(np.std(values, ddof=1), rel=0.3)


def test_rigidities():
    first, second = pairs()
    high = mixed(first, second, 0.1)
    high[:, ELL == 1] = mixed(first, second, 0.8)[:, ELL == 1]
    known = Known(np.stack([first, 3.5 * high], axis=1)[:, :, None])
    known.response = known.response * np.array([1.0, 4.8])[:, None, None, None]
    found = features.rigidities(cases.Case(known))
    assert by_text(found, "correlation of the maps without dipole").value == pytest.approx(0.1)
    assert by_text(found, "correlation of the dipoles at").value == pytest.approx(0.8)
    more = by_text(found, "minus that of the maps")
    assert more.value == pytest.approx(0.7) and more.verdict == "agrees"
    assert by_text(found, "r.m.s. of the smoothed maps").value == pytest.approx(3.5)
    assert by_text(found, "mean free paths").value == pytest.approx(4.8)


def modes(sizes):
    """Orthogonal maps of one l and given sizes, (n, n_lm), at most five."""
    skies = np.zeros((len(sizes), len(ELL)), complex)
    index = {m: healpy.Alm.getidx(L_MAX, 2, m) for m in range(3)}
    for sky, size, (m, unit) in zip(
        skies, sizes, ((0, np.sqrt(2)), (1, 1), (1, 1j), (2, 1), (2, 1j)), strict=False
    ):
        sky[index[m]] = size * unit
    return skies


def test_washing_out():
    sizes = np.array([1.0, 2.0, 3.0, 4.0])
    alike = np.tile(modes([1.0])[0], (4, 1)) * sizes[:, None]
    for skies, expected in ((alike, 1.0), (modes(sizes), np.sqrt(30) / 10)):
        halves = np.repeat(skies[:, None, None], 2, axis=2)
        got = features.washed_out(halves, np.ones(4), 20.0, (2, None))
        assert got == pytest.approx(expected)
    assert features.washed_out(halves, np.ones(4), 20.0, (2, None), True) == pytest.approx(0.5)
    # noise that leaves a negative square is no number
    noise = halves * np.array([1, -1])[:, None]
    assert np.isnan(features.washed_out(noise, np.ones(4), 20.0, (2, None)))


def test_averages_over_rigidity():
    rigidities = 10.0 * 5 ** (np.arange(4) / 3)
    known = Known(modes([1.0, 2.0, 3.0, 4.0])[None, :, None], rigidities=tuple(rigidities))
    found = features.energies(cases.Case(known))
    assert len(found) == 4 and all(one.verdict == "open" for one in found)
    whole = [one for one in found if "10 to 50 PV" in one.text]
    np.testing.assert_allclose([one.value for one in whole], [np.sqrt(30) / 10, 0.5])
    weight = np.exp(-0.5 * (np.log(rigidities / np.sqrt(500)) / 0.3) ** 2)
    narrow = [one for one in found if "0.3 in ln R" in one.text]
    sizes = np.array([1.0, 2.0, 3.0, 4.0])
    expected = [np.sqrt(np.sum((w := weight * s) ** 2)) / w.sum() for s in (sizes, np.ones(4))]
    np.testing.assert_allclose([one.value for one in narrow], expected)
    # no dipole here: its share is not a number and is not shown
    assert not any("nan" in one.note for one in found)


def near_and_last(factor=1.5, memory=0.0, n=30):
    """Skies at five spheres; the last is `factor` times that of each, plus lambda U."""
    rng = np.random.default_rng(8)
    near, ahead = gaussian(rng, n), gaussian(rng, n)
    skies = np.repeat(near[:, None], 5, axis=1)
    skies[:, -1] = factor * near + memory * 10.0 * ahead
    direction = np.repeat(ahead[:, None], 5, axis=1)
    return cases.Case(Known(skies[:, None], rigidities=(10.0,), direction=direction[:, None]))


def test_equation_8_and_its_variant():
    found = multipoles.multipoles(near_and_last())
    # lambda = 10 pc: G_p from the sphere of 10 pc, where c r/lambda = 1.5
    slope = by_text(found, "slope of a_lm against eq. 8", "r = 10 pc = 1.0 lambda")
    assert slope.value == pytest.approx(1.5) and slope.verdict == "differs"
    likeness = by_text(found, "correlation of a_lm (l = 2 to 10) with eq. 8")
    assert likeness.value == pytest.approx(1.0) and likeness.verdict == "agrees"
    variant = by_text(found, "slope of a_lm, lambda G_p = X_r", "r = 25 pc = 2.5 lambda")
    assert variant.value == pytest.approx(1.5) and variant.verdict == "open"
    assert variant.where == "variant of eq. 8"
    case = near_and_last()
    # the same map on a sphere of 50 pc is a G_p five times smaller
    np.testing.assert_allclose(multipoles.literal(case, 0, 2), [1.0, 0.0, 7.5, 0.0], atol=1e-9)
    np.testing.assert_allclose(multipoles.literal(case, 0, 2, (3, 3))[2], 7.5)


def test_error_of_lambda_is_in_that_of_the_slope():
    case = near_and_last()
    scatter = 1 + 0.3 * np.random.default_rng(2).standard_normal(len(case.rows))
    case.results.response = case.results.response * scatter[:, None, None, None, None]
    _, _, slope, error = multipoles.literal(case, 0, 0)
    length, of_length = ensembles.mean_and_error(10 * scatter, case.rows)
    assert slope == pytest.approx(15 / length)
    assert error == pytest.approx(slope * of_length / length, rel=0.05)


def test_memory_of_the_direction():
    case = near_and_last(factor=1.0, memory=1.0)
    ahead = multipoles.with_memory(case, 0, 1)
    assert ahead.slope == pytest.approx(1.0) and ahead.value == pytest.approx(1.0)
    note = by_text(multipoles.multipoles(case), "slope of a_lm, lambda G_p").note
    assert "slope is 1 +- " in note
    # negative control: without it the last sky is not that of the near sphere
    assert multipoles.literal(case, 0, 1)[0] < 0.5


def test_sizes_and_the_bound():
    skies = np.zeros((25, len(ELL)), complex)
    skies[:, healpy.Alm.getidx(L_MAX, 1, 0)] = 2.0
    skies[:, healpy.Alm.getidx(L_MAX, 2, 0)] = 1.2
    skies[:, healpy.Alm.getidx(L_MAX, 3, 1)] = 0.7
    known = Known(np.repeat(skies[:, None, None], 5, axis=2), rigidities=(10.0,))
    known.direction_alm_half = known.alm_half
    found = multipoles.multipoles(cases.Case(known))
    sky = healpy.alm2map(G * skies[0], 32)
    bound = by_text(found, "<F^2>")
    # a_lm to a map and back at nside 32
    assert bound.value == pytest.approx(np.mean(sky**2) / (10 * G) ** 2, rel=1e-3)
    assert bound.verdict == "agrees"
    square = {2: 1.2**2, 3: 2 * 0.7**2}
    assert by_text(found, "r.m.s. of l = 2").value == pytest.approx(np.sqrt(square[2]) / 2.0)
    whole = by_text(found, "all l >= 2")
    assert whole.value == pytest.approx(np.sqrt(sum(square.values())) / 2.0)
    # seven times the sky breaks the bound
    known.alm_half = 49 * known.alm_half
    assert by_text(multipoles.multipoles(cases.Case(known)), "<F^2>").verdict == "differs"


def test_negative_squares_are_no_numbers():
    case = near_and_last()
    case.results.alm_half = case.results.alm_half * np.array([1, -1])[:, None, None]
    found = multipoles.multipoles(case)
    assert all("nan" not in one.note for one in found)
    smoothed = by_text(found, "r.m.s. of the smoothed map")
    assert np.isnan(smoothed.value) and smoothed.verdict == "open"
    likeness = by_text(found, "correlation of a_lm (l = 2 to 10) with eq. 8")
    assert np.isnan(likeness.value) and likeness.verdict == "open"
    # of one sign and the other: dipoles of signal, the rest noise
    case = near_and_last()
    rest = np.where(ELL == 1, 1, -1)
    case.results.alm_half[:, :, :, 1] *= rest
    ratio = by_text(multipoles.multipoles(case), "all l >= 2")
    assert np.isnan(ratio.value) and ratio.verdict == "open"


def test_extremes_are_those_of_the_signal():
    """Noise as strong as the signal in every a_lm: the filter gives the spots of the signal."""
    rng = np.random.default_rng(3)
    signal = gaussian(rng, 150)
    halves = signal[:, None] + np.sqrt(2) * gaussian(rng, 150, 2)
    alone = multipoles.extremes(np.repeat(signal[:, None], 2, axis=1))
    filtered = multipoles.extremes(halves)
    assert alone.min() > 0
    # 300 spots that scatter by a fifth: 2 % each
    assert np.median(filtered) == pytest.approx(np.median(alone), rel=0.08)
    assert np.std(filtered) == pytest.approx(np.std(alone), rel=0.25)
    # negative control: as if all were signal they are sqrt(2) too strong
    whole = np.repeat(halves.mean(axis=1)[:, None], 2, axis=1)
    assert np.median(multipoles.extremes(whole)) > 1.25 * np.median(alone)


def test_large_scale_field():
    first, _ = pairs(5)
    known = Known(np.repeat(first[:, None, None], 5, axis=2), rigidities=(10.0,))
    (one,) = features.large_scale(cases.Case(known))
    square = covariance(*[G * np.repeat(first[:, None], 2, axis=1)] * 2, 20.0).mean()
    assert one.value == pytest.approx(100 * np.sqrt(square)) and one.verdict == "agrees"
    assert "90 deg from the gradient" in one.note and "10 of 10" in one.note
    noise = known.alm_half * np.array([1, -1])[:, None, None]
    known.alm_half = noise
    (one,) = features.large_scale(cases.Case(known))
    assert np.isnan(one.value) and one.verdict == "open" and "0 of 10" in one.note


PATCH = """
[run]
seed = 7
realisations = 1
[turbulence]
spectrum = "kolmogorov"
rms = "4 uG"
outer_scale = "150 pc"
[particles]
rigidities = ["10 PV"]
nside = 64
patch = { l = 165, b = 15, width = 40 }
[boundary]
kind = "sphere"
radii = ["10 pc", "25 pc", "250 pc"]
[gradient]
direction = [180, 0]
scale_length = "290 pc"
[output]
displacement = true
l_max = 1
[[case]]
name = "patch"
"""


@pytest.mark.parametrize("sense", [1, -1])
def test_patch(sense, tmp_path):
    """Places along the gradient grow with b; the intensity follows or opposes them."""
    _, latitude = lon_lat(np.array(healpy.pix2vec(64, patch_pixels(64, 165, 15, 40))).T)
    near = 3.0 + 0.1 * (latitude - 15.0)

    def entry(job, row, rig):
        arrays = synthetic_results.entry(job, row, rig)
        x = np.zeros(arrays["displacement"].shape)
        x[:, 0] = -np.array([near, 2 * near, 10 * sense * near])  # e = -x
        return arrays | {"displacement": x}

    job = parse_job(PATCH, name="giacinti_sigl2012")
    path = synthetic_results.write(tmp_path / "patch.h5", job, entry=entry)
    with open_results(path) as results:
        found = patches.patch(cases.Case(results))
    for pc in (10, 25):
        one = by_text(found, "correlation over the patch", f"gradient at {pc} pc")
        assert one.value == pytest.approx(sense, abs=1e-3) and one.verdict == "open"
    # discs of the figure: 10 degrees off the middle; pixels of 1 degree in them
    hot = by_text(found, "at 10 pc,", "excess").value
    assert hot == pytest.approx(3.0 + sense, abs=0.05)
    assert by_text(found, "at 10 pc,", "deficit").value == pytest.approx(3.0 - sense, abs=0.05)
    assert by_text(found, "at 25 pc,", "excess").value == pytest.approx(2 * hot, rel=1e-3)


def test_directions_of_the_figure():
    longitude, latitude = np.linspace(150, 180, 121), np.linspace(0, 30, 121)
    places = unit_vector(*np.meshgrid(longitude, latitude))

    def bump(*centre):
        return np.exp(-(1 - places @ unit_vector(*centre)) / (1 - np.cos(np.radians(4))))

    values = bump(160, 10) - 2 * bump(172, 20) + 0.5 * bump(161, 10)
    values[:, -3:] += 5.0  # at the edge
    first, second, third, fourth = extremes_of(View(longitude, latitude, values, 0.0, 5.0, ""))
    assert unit_vector(*first) @ unit_vector(160.3, 10) > np.cos(np.radians(0.6))
    assert unit_vector(*third) @ unit_vector(172, 20) > np.cos(np.radians(0.3))
    for one, other in ((first, second), (third, fourth)):
        apart = np.degrees(np.arccos(unit_vector(*one) @ unit_vector(*other)))
        assert apart == pytest.approx(2.0, abs=0.26)


def test_files_of_other_jobs_and_unfinished_ones_are_refused(tmp_path):
    text = PATCH.replace('"150 pc"', '"100 pc"')
    other = parse_job(PATCH.replace('name = "patch"', 'name = "mine"'), name="mine")
    jobs = {
        "other": (other, True, "not a result of the job giacinti_sigl2012"),
        "scale": (parse_job(text, name="x"), True, "outer_scale = 100 pc (paper: 150 pc)"),
        "empty": (parse_job(PATCH, name="x"), False, "no statement can be measured yet"),
    }
    for name, (job, done, words) in jobs.items():
        path = synthetic_results.write(
            tmp_path / f"{name}.h5", job, finished=lambda *entry, done=done: done
        )
        folder = tmp_path / f"figures-{name}"
        arguments = ["giacinti_sigl2012", str(path), "--figures", str(folder)]
        result = CliRunner().invoke(command, arguments)
        assert result.exit_code != 0 and words in str(result.exception), result.output
        assert not folder.exists() and result.stdout == ""


def test_noise_of_a_map_of_independent_particles():
    nside, sigma = 32, 0.5
    rng = np.random.default_rng(4)
    x = np.zeros((3, 12 * nside**2))
    x[0] = sigma * rng.standard_normal(x.shape[1]) / G
    known = Known(np.zeros((1, 1, 5, len(ELL)), complex), rigidities=(10.0,),
                  maps=lambda name, row, rig, stop=-1: x)  # fmt: skip
    known.job.particles.nside = nside
    noise = by_text(dipoles.maps(cases.Case(known)), "noise of the smoothed map")
    fraction = (1 - np.cos(np.radians(20))) / 2  # of the sky in a disc
    expected = 100 * sigma / np.sqrt(x.shape[1] * fraction)
    # as many independent places as discs fit on the sphere
    assert noise.error == pytest.approx(noise.value / np.sqrt(2 / fraction), rel=1e-6)
    assert noise.value == pytest.approx(expected, abs=4 * noise.error)
    assert noise.verdict == "differs" and cases.SAMPLING in noise.note
