"""Field lines followed by Runge-Kutta of fourth order.

Theory: in B = (1, e cos(k x + p), e sin(k x + p)), a circularly polarised wave beside a uniform
field, the line through the origin is y = (e/k) [sin(k x + p) - sin p], z = (e/k) [cos p - cos(k x
+ p)]. Its steps in x are h/sqrt(1 + e^2), all nearly the same, so that a mark can be put at the
end of one, where the error falls as h^4; between two ends it is the sagitta h^2 curvature/8. In B
= (a cos(k y), 1, 0) the line is x = (a/k) sin(k y).
"""

import numpy as np
import pytest

from hpc_cr.config import parse_job
from hpc_cr.fields import make_field
from hpc_cr.fields.lines import field_lines, line_step

K = 2 * np.pi / 20.0  # 1/pc
E, PHASE = 0.7, 0.4
X, Y = np.eye(3)[:2]
JOB = """
[turbulence]
slope = 1.5
rms = "1 uG"
outer_scale = "25 pc"
inner_scale = "20 pc"
synthesis = "plane-waves"
waves = 1
[particles]
rigidities = ["10 PV"]
nside = 1
[boundary]
times = ["1 pc"]
"""


@pytest.fixture(scope="module")
def arrays():
    return make_field(parse_job(JOB), 0).arrays


def field(arrays, regular, wave=(0, 0, 0), cos=(0, 0, 0), sin=(0, 0, 0)):
    parts = {"wave_vector": wave, "wave_cos": cos, "wave_sin": sin}
    parts = {name: np.array([value], float) for name, value in parts.items()}
    return arrays._replace(regular=np.array(regular, float), **parts)


def helix(arrays):
    c, s = E * np.cos(PHASE), E * np.sin(PHASE)
    return field(arrays, X, K * X, cos=[0, c, s], sin=[0, -s, c])


def on_helix(x):
    y = E / K * (np.sin(K * x + PHASE) - np.sin(PHASE))
    return np.array([x, y, E / K * (np.cos(PHASE) - np.cos(K * x + PHASE))])


def end_errors(arrays, steps, shift=0.0):
    """Errors at a mark that (without shift) ends the last of some numbers of steps."""
    length = 50.0 * np.sqrt(1 + E**2)
    found = []
    for number in steps:
        step = length / number
        line = field_lines(arrays, np.zeros(3), X, [50.0 * (1 - shift / number)], step)[0, 0]
        found.append(np.linalg.norm(line - on_helix(line[0])))
    return np.array(found)


def test_uniform_field_is_exact(arrays):
    b = np.array([0.6, -0.48, 0.64])
    marks = np.array([0.3, 1.0, 7.7])
    for sign in (1, -1):
        starts = [[1.0, 2.0, 3.0], [0, 0, 0]]
        lines = field_lines(field(arrays, 3 * b), starts, b, marks, 0.37, sign)
        np.testing.assert_allclose(lines, np.broadcast_to(sign * marks[:, None] * b, lines.shape),
                                   atol=1e-13)


def test_order_four(arrays):
    steps = np.array([32, 64, 128, 256])
    errors = end_errors(helix(arrays), steps)
    orders = np.log2(errors[:-1] / errors[1:])
    # the next term of the error is one power of h higher: a tenth of the order at 32 steps
    assert np.all(np.abs(orders - 4) < 0.4), orders
    # control: half a step away from an end the chord is off by the sagitta, order 2
    control = end_errors(helix(arrays), steps, shift=0.5)
    assert np.all(np.abs(np.log2(control[:-1] / control[1:]) - 2) < 0.4)
    wrong = np.linalg.norm(field_lines(helix(arrays), np.zeros(3), X, [-50.0 * -1], 1.0, -1)[0, 0]
                           - on_helix(50.0))  # control: the other way
    assert wrong > 50


def test_backwards_along_the_same_line(arrays):
    line = field_lines(helix(arrays), np.zeros(3), X, [10.0, 37.0], 0.02, -1)[0]
    for point in line:  # sagitta (0.02 pc)^2 curvature/8, curvature below E K
        np.testing.assert_allclose(point, on_helix(point[0]), atol=0.02**2 * E * K)
    np.testing.assert_allclose(line[:, 0], [-10.0, -37.0], atol=1e-12)


def test_first_crossing_of_a_mark(arrays):
    """Along an axis at 20 degrees from x the line goes forth and back: the first time counts."""
    a, axis = 3.0, np.cos(np.radians(20)) * X + np.sin(np.radians(20)) * Y
    y = np.linspace(0, 60, 600_001)
    along = axis[0] * a / K * np.sin(K * y) + axis[1] * y
    marks = np.array([2.0, 5.0, 9.0, 14.0])
    first = np.array([y[np.argmax(along >= mark)] for mark in marks])
    assert np.sum(np.diff(np.sign(along - marks[2])) != 0) > 1  # it really comes back
    lines = field_lines(field(arrays, Y, K * Y, cos=a * X), np.zeros(3), axis, marks, 0.02)[0]
    np.testing.assert_allclose(lines[:, 1], first, atol=1e-3)
    last = np.array([y[len(y) - np.argmax((along < mark)[::-1]) - 1] for mark in marks])
    assert np.any(np.abs(last - lines[:, 1]) > 1)  # control: the last time


def test_line_that_never_gets_there(arrays):
    sheared = field(arrays, 0.1 * X, K * Y, cos=X)  # B_x = 0.1 + cos(k y): -0.9 half a wave away
    lines = field_lines(sheared, [[0, 0, 0], [0, 10.0, 0]], X, [5.0, 30.0], 0.1)
    np.testing.assert_allclose(lines[0, :, 0], [5.0, 30.0])
    assert np.isnan(lines[1]).all()
    none = field_lines(field(arrays, [0, 0, 0]), np.zeros(3), X, [1.0], 0.1)
    assert np.isnan(none).all()


def test_step():
    assert line_step(np.inf, 30.0) == 3.0
    assert line_step(1.0, 30.0) == 0.2
