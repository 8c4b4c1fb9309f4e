"""Integrators of the study of work and precision: order, reversal, |u|, and the program's Boris.

Theory: a method of order p has errors that fall by 2^p where the step is halved, in a field
without kinks. Symmetric methods pass the same points again where direction and charge are
reversed. The field here is a sum of plane waves of 3 to 12 pc on a uniform one; 1 PV in 3.6 uG has
r_g = 0.30 pc; the truth is scipy's DOP853 after 2 pc.
"""

import json

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from hpc_cr.config import parse_job
from hpc_cr.constants import GYRORADIUS_PC_UG_PER_PV
from hpc_cr.fields.nested import make_field
from hpc_cr.trajectories import backtrack
from tools.studies import integrators, response_errors, trajectory_errors
from tools.studies import work_precision_report as report
from tools.studies.integrators import SPLITTINGS

TURN = -1 / GYRORADIUS_PC_UG_PER_PV
LENGTH = 2.0
WAVES = """
[turbulence]
synthesis = "plane-waves"
waves = 12
rms = "3 uG"
outer_scale = "12 pc"
inner_scale = "3 pc"
[regular]
model = "uniform"
strength = "2 uG"
direction = [30, 40]
"""
GRIDS = """
[run]
realisations = 2
[turbulence]
outer_scale = "100 pc"
inner_scale = "5 pc"
[grids]
cells = 16
cells_per_wavelength = 2
precision = "double"
[particles]
rigidities = ["100 PV"]
nside = 2
observers = 2
[boundary]
times = ["20 pc", "60 pc"]
"""


def unit_vectors(count):
    vectors = np.random.default_rng(5).standard_normal((count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def smooth():
    """Field, directions (6, 3) and the truth (6, 6) after LENGTH."""
    field, n = make_field(parse_job(WAVES)), unit_vectors(6)

    def slope(_, y):
        return np.concatenate([y[3:], TURN * np.cross(y[3:], field.at(y[:3]))])

    truth = [solve_ivp(slope, (0, LENGTH), np.concatenate([np.zeros(3), u]), "DOP853",
                       rtol=1e-12, atol=1e-12).y[:, -1] for u in n]
    return field.arrays, n, np.array(truth)


def splitting(name, exact=True):
    def run(arrays, n, per_length, origins, turn, out):
        step = LENGTH / per_length
        integrators.follow_splitting(arrays, turn, origins, n, np.array([LENGTH]), step,
                                     *SPLITTINGS[name], exact, out)
    return run


def adaptive(arrays, n, per_length, origins, turn, out):
    angle = LENGTH * 3.6 * abs(turn) / per_length
    integrators.follow_adaptive(arrays, turn, origins, n, np.array([LENGTH]), angle, 2.0, out)


def lie_group(arrays, n, per_length, origins, turn, out):
    integrators.follow_lie_group(arrays, turn, origins, n, np.array([LENGTH]),
                                 LENGTH / per_length, out)


def rates(order):
    def run(arrays, n, per_length, origins, turn, out):
        wave = slice(0, 6)
        coarse = arrays._replace(wave_vector=arrays.wave_vector[wave],
                                 wave_cos=arrays.wave_cos[wave], wave_sin=arrays.wave_sin[wave])
        rest = arrays._replace(regular=np.zeros(3), wave_vector=arrays.wave_vector[6:],
                               wave_cos=arrays.wave_cos[6:], wave_sin=arrays.wave_sin[6:])
        integrators.follow_rates(coarse, rest, turn, origins, n, np.array([LENGTH]),
                                 LENGTH / per_length, 2, order, out)
    return run


METHODS = {
    # method, order, steps per LENGTH of the coarsest run
    "Boris": (splitting("Boris"), 2, 80),
    "Boris, plain angle": (splitting("Boris", exact=False), 2, 80),
    "Boris, adaptive": (adaptive, 2, 80),
    "Boris, continued": (rates(1), 2, 160),
    "Boris, held": (rates(0), 1, 160),
    "Yoshida": (splitting("Yoshida"), 4, 40),
    "Suzuki": (splitting("Suzuki"), 4, 20),
    "Blanes-Moan": (splitting("Blanes-Moan"), 4, 20),
    "commutator-free": (lie_group, 4, 40),
}


def follow(method, arrays, n, per_length, origins=None, turn=TURN):
    out = np.empty((1, len(n), 6))
    method(arrays, n, per_length, np.zeros_like(n) if origins is None else origins, turn, out)
    return out[0]


@pytest.mark.parametrize("name", METHODS)
def test_order_and_length_of_direction(smooth, name):
    arrays, n, truth = smooth
    method, order, coarsest = METHODS[name]
    runs = [follow(method, arrays, n, coarsest * 2**i) for i in range(4)]
    # r.m.s. over particles: single components may pass through zero
    errors = np.array([np.sqrt(np.mean((run - truth) ** 2)) for run in runs])
    found = np.log2(errors[:-1] / errors[1:])
    # corrections to the order fall with the step as well: 0.25 after two halvings
    assert abs(found[-1] - order) < 0.25, f"order {found}"
    # each rotation keeps the length to a few roundings
    np.testing.assert_allclose(np.linalg.norm(runs[-1][:, 3:], axis=1), 1, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", METHODS)
def test_way_back(smooth, name):
    """From the end with direction and charge reversed, 25 steps per gyroradius."""
    arrays, n, _ = smooth
    there = follow(METHODS[name][0], arrays, n, 160)
    back = follow(METHODS[name][0], arrays, -there[:, 3:], 160, there[:, :3].copy(), -TURN)
    missed = max(np.abs(there[:, :3] + back[:, :3]).max(), np.abs(back[:, 3:] + n).max())
    if name in ("Boris", "Boris, plain angle", "Yoshida", "Suzuki", "Blanes-Moan"):
        assert missed < 1e-12  # some hundred roundings
    else:
        # no symmetry, or (adaptive) another beginning and a last step cut short
        assert missed > 1e-10


def test_adaptive_steps_are_reversible(smooth):
    arrays, n, _ = smooth
    angle = 0.05
    for start in n:
        x, u = np.zeros(3), start.copy()
        ends = [integrators.adaptive_boris(arrays, TURN, np.zeros(3), x, u, 0.0, angle, 2.0,
                                           np.inf, 1)]
        first = ends[0][0]
        for _ in range(300):
            ends.append(integrators.adaptive_boris(arrays, TURN, np.zeros(3), x, u, ends[-1][1],
                                                   angle, 2.0, np.inf, 1))
        steps = [end[0] for end in ends]
        assert max(steps) > 1.1 * min(steps)  # they do adapt
        home, way, h = x.copy(), -u, ends[-1][0]
        h, _, count = integrators.adaptive_boris(arrays, -TURN, np.zeros(3), home, way, h, angle,
                                                 2.0, np.inf, 301)
        assert count == 301
        np.testing.assert_allclose(h, first, rtol=1e-10)
        np.testing.assert_allclose(home, 0, rtol=0, atol=1e-11)
        np.testing.assert_allclose(way, -start, rtol=0, atol=1e-11)


def test_boris_is_the_programs():
    """The study's Boris and the program's kernel: the same steps, other roundings."""
    field, n = make_field(parse_job(GRIDS)), unit_vectors(40)
    r_g = 100 * GYRORADIUS_PC_UG_PER_PV / field.b_ref
    stops = np.array([1.0, 3.5]) * r_g
    tracks = backtrack(field, 100.0, n, stops, steps_per_gyroradius=20)
    out = np.empty((2, len(n), 6))
    work = integrators.follow_splitting(field.arrays, TURN / 100, np.zeros_like(n), n, stops,
                                        r_g / 20, *SPLITTINGS["Boris"], True, out)
    assert work == tracks.steps[0] == 70
    np.testing.assert_allclose(out[..., :3], tracks.displacement, rtol=0, atol=1e-11 * r_g)
    np.testing.assert_allclose(out[..., 3:], tracks.direction, rtol=0, atol=1e-11)
    integrators.follow_splitting(field.arrays, TURN / 100, np.zeros_like(n), n, stops, r_g / 20,
                                 *SPLITTINGS["Boris"], False, out)
    # control: the plain angle lags by a^2/12 per unit of t/r_g, a = 1/20
    assert np.abs(out[1, :, 3:] - tracks.direction[1]).max() > 1e-4


def test_errors_of_trajectories():
    found, reference = np.zeros((1, 2, 6)), np.zeros((1, 2, 6))
    reference[..., 3] = 1
    found[0, 0, 3:] = np.cos(0.3), np.sin(0.3), 0
    found[0, 1] = 0, 0.5, 0, -1, 0, 0
    errors = trajectory_errors.distances(found, reference, r_g=0.25)
    np.testing.assert_allclose(errors[:, 0], [[0.3, np.pi], [0, 2]], rtol=1e-12)
    np.testing.assert_allclose(trajectory_errors.quantiles(errors)[0, 1], [1, 1.8])


def test_response_against_steps():
    """Two fields on small grids: coarser steps differ more."""
    job = parse_job(GRIDS)
    regime = response_errors.Regime("small", job, job.gyroradii[0] / np.array([1.0, 8.0, 32.0]),
                                    tuple(response_errors.CANDIDATES))
    skies = response_errors.measure(regime)
    assert skies.shape == (2, 6, 2, 4)
    # the candidates are the same skies, a little off
    np.testing.assert_allclose(skies[:, 3:, 0], skies[:, [2], 0].repeat(3, axis=1), rtol=0.05)
    skies = skies[:, :3]
    # before the first deflection the response is T, the displacement T^2/3 along each axis
    np.testing.assert_allclose(skies[0, -1, 0], 20, rtol=0.2)
    np.testing.assert_allclose(skies[1, -1, 0], 20 / 6, rtol=0.2)
    found = response_errors.differences(skies[0], regime.steps)
    assert np.all(np.abs(found.change[1]) < np.abs(found.change[0]))
    # the two finer steps are within a factor of 4: the reference is their mean
    np.testing.assert_allclose(found.change[0, 1],
                               skies[0, 0, 1].mean() / skies[0, 1:, 1].mean() - 1)
    np.testing.assert_allclose(found.change[1], -found.change[2])



def test_false_scattering():
    """The sum of the correlation across a straight path over points h apart, over its integral."""
    turbulence = parse_job(GRIDS).turbulence
    assert response_errors.false_scattering(turbulence, 5.0) == 0  # no wave is shorter
    k = np.geomspace(2 * np.pi / 100, 2 * np.pi / 5, 20_000)

    def scattering(step, longest=2000.0):
        lags = step * np.arange(1, longest / step)
        x = np.outer(lags, k)
        # int_-1^1 (1 + mu^2) cos(x mu) dmu, weighted with E(k) dk ~ k^(-2/3) dln k
        waves = 4 * np.sin(x) / x + 4 * np.cos(x) / x**2 - 4 * np.sin(x) / x**3
        across = waves @ k ** (-2 / 3)
        # the window makes the sum converge; it smears wave numbers by 1/longest
        return step * (8 / 3 * np.sum(k ** (-2 / 3)) + 2 * (1 - lags / longest) @ across)

    found = scattering(20.0) / scattering(2.0) - 1
    expected = response_errors.false_scattering(turbulence, 20.0)
    assert expected > 0.2
    np.testing.assert_allclose(found, expected, rtol=0.1)


def test_regimes():
    for regime in response_errors.regimes(0.1):
        assert np.all(np.diff(regime.steps) < 0) and len(regime.job.particles.rigidities) == 1
    strong = response_errors.regimes()[1].job
    np.testing.assert_allclose(strong.stops[0], [100, 200, 400], rtol=2e-4)
    np.testing.assert_allclose(strong.b_ref, 4, rtol=1e-3)


def test_report(tmp_path):
    """Tables and figures of a small document, by way of JSON as the command writes it."""
    job = parse_job(GRIDS)
    skies = np.random.default_rng(1).normal(1, 0.1, (3, 2, 8))
    parts = response_errors.differences(skies, np.array([8.0, 4.0, 1.0]))._asdict()
    document = {
        "trajectories": {"isotropic": {"trilinear": {
            "references_apart": np.full((2, 2, 2), 1e-7).tolist(),
            "curves": [{"name": name, "settings": [4, 8], "work": [4.0, 8.0],
                        "error": np.full((2, 2, 2, 2), 1e-3).tolist()}
                       for name in ("Boris", "Cash-Karp")]}}},
        "response": {"isotropic": {
            "gyroradius_pc": job.gyroradii[0], "shortest_wave_pc": 5.0, "stops_pc": [20.0, 60.0],
            "coherence_length_pc": job.coherence_length,
            "steps_pc": [8.0, 4.0, 1.0], "candidates": [], "skies": 8, "particles": 8 * 48,
            "false_scattering": [0.1, 0.0, 0.0],
            **{name: {key: value.tolist() for key, value in parts.items()}
               for name in ("response", "diffusion")}}}}
    document = json.loads(json.dumps(document))
    assert len(report.tables(document)) == 2
    figures = report.draw(document, tmp_path / "study.json")
    assert len(figures) == 2 and all(path.stat().st_size > 5000 for path in figures)
