"""A burst in anisotropic diffusion.

Theory: n solves dn/dt = D_ij d_i d_j n and holds all particles; its dipole 3 D grad(n)/n is
-(3/(2T)) r for any tensor. Central differences with a step h have an error h^2 f'''/6, and a
rounding error eps/h^2: with h = 1e-3 of the scale both are below 1e-5 of the terms compared.
"""

import numpy as np
import pytest

from hpc_cr.sources import gaussian

TIME = 4000.0  # pc
RNG = np.random.default_rng(11)
SOME = RNG.normal(size=(3, 3))
TENSORS = {
    "isotropic": 3.0 * np.eye(3),
    "uniaxial": gaussian.uniaxial(60.0, 0.02, [1.0, 2.0, -0.5]),
    "any": SOME @ SOME.T + 0.1 * np.eye(3),
}


def place(tensor, radius=1.3):
    """A point at a few widths in every direction."""
    width = np.linalg.cholesky(2 * TIME * tensor)
    return width @ (radius * np.array([0.6, -0.5, 0.62]))


def by_differences(position, tensor, volume_factor=1.0):
    """dn/dt - D_ij d_i d_j n over |dn/dt|, along the principal axes."""
    values, axes = np.linalg.eigh(tensor)
    n = lambda r, t: gaussian.density(r, t, tensor) * t ** (volume_factor - 1.0)  # noqa: E731
    h = 1e-3 * TIME
    rate = (n(position, TIME + h) - n(position, TIME - h)) / (2 * h)
    flow = 0.0
    for value, axis in zip(values, axes.T, strict=True):
        step = 1e-3 * np.sqrt(2 * TIME * value) * axis
        second = (n(position + step, TIME) - 2 * n(position, TIME) + n(position - step, TIME))
        flow += value * second / (step @ step)
    return abs(rate - flow) / abs(rate)


@pytest.mark.parametrize("name", TENSORS)
def test_solves_the_diffusion_equation(name):
    tensor = TENSORS[name]
    assert by_differences(place(tensor, 0.5), tensor) < 1e-4
    # control: a volume that grows as t instead of t^(3/2) loses particles
    assert by_differences(place(tensor, 0.5), tensor, 1.5) > 0.1


@pytest.mark.parametrize("name", TENSORS)
def test_holds_all_particles(name):
    tensor = TENSORS[name]
    width = np.linalg.cholesky(2 * TIME * tensor)
    edge = np.linspace(-7, 7, 57)  # a sum over a Gaussian's whole width converges exponentially
    grid = np.stack(np.meshgrid(edge, edge, edge, indexing="ij"), -1) @ width.T
    cell = (edge[1] - edge[0]) ** 3 * np.linalg.det(width)
    total = gaussian.density(grid, TIME, tensor).sum() * cell
    assert total == pytest.approx(1.0, abs=1e-9)
    # control: the volume pi^(3/2) D_perp D_par^(1/2) t^(3/2) holds 8 times as many
    printed = total * (4 * np.pi * TIME) ** 1.5 / (np.pi * TIME) ** 1.5
    assert printed == pytest.approx(8.0)


@pytest.mark.parametrize("name", TENSORS)
def test_dipole_of_a_source_does_not_depend_on_the_tensor(name):
    tensor = TENSORS[name]
    r = place(tensor)
    step = 1e-3 * np.sqrt(2 * TIME * np.linalg.eigvalsh(tensor)[0]) * np.eye(3)
    n = gaussian.density(r, TIME, tensor)
    gradient = np.array([gaussian.density(r + s, TIME, tensor)
                         - gaussian.density(r - s, TIME, tensor) for s in step])
    gradient /= 2 * step[0, 0] * n
    delta = 3 * tensor @ gradient
    size = np.linalg.norm(delta)
    # differences of n in one step: relative error 1e-6 (h^2), times D_max/D_min in the product
    assert np.allclose(gaussian.dipole(r, TIME, tensor), -1.5 * r / TIME, rtol=1e-9)
    assert np.linalg.norm(delta + 1.5 * r / TIME) < 0.01 * size
    assert size == pytest.approx(gaussian.amplitude(np.linalg.norm(r), TIME), rel=0.01)
    # control: the streaming direction, which points away from the source
    assert np.linalg.norm(delta - 1.5 * r / TIME) > size


def test_gain_and_suppression():
    gain = gaussian.density_gain(1.0, gaussian.PARALLEL_GAIN, 1 / gaussian.PERPENDICULAR_LOSS)
    assert gain == pytest.approx(500 / np.sqrt(5))
    axis = np.array([0.0, 0.0, 1.0])
    wide, narrow = 2.0 * np.eye(3), gaussian.uniaxial(10.0, 2.0 / 500, axis)
    centre = [gaussian.density(np.zeros(3), TIME, tensor) for tensor in (narrow, wide)]
    assert centre[0] / centre[1] == pytest.approx(gain)
    across = gaussian.density(np.array([7.0, 0.0, 90.0]), TIME, narrow)
    along = gaussian.density(np.array([0.0, 0.0, 90.0]), TIME, narrow)
    assert across / along == pytest.approx(gaussian.suppression(7.0, TIME, 2.0 / 500))
    rigidity = gaussian.suppression_rigidity(70.0, 7.7e5, 0.02, 0.4, 0.5)
    assert gaussian.suppression(70.0, 7.7e5, 0.02 * rigidity**0.4) == pytest.approx(0.5)


def test_many_tensors_at_once():
    """One place and a stack of tensors: each as by itself."""
    stack = np.array(list(TENSORS.values()))
    r = np.array([30.0, -20.0, 12.0])
    for function in (gaussian.density, gaussian.log_gradient):
        alone = [function(r, TIME, tensor) for tensor in stack]
        np.testing.assert_allclose(function(r, TIME, stack), alone, rtol=1e-12)
