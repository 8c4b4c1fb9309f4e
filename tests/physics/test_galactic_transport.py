"""The Galaxy's steady transport equation against exact solutions.

Theory, D/c and lengths in pc, rates over c in 1/pc:

1. Cylinder N(R, z) = N(r, H) = 0, uniform D, source S(r) e^(-|z|/h)/(2h): with k = j_n/R,
   S = sum_k S_k J0(kr) and S_k = 2/(R J1(j_n))^2 int r S J0(kr) dr,
   N(r, 0) = sum_k S_k J0(kr) I_k/(D k cosh kH), I_k = int_0^H e^(-z/h) sinh[k(H - z)] dz/(2h).
   A loss nu everywhere replaces k by sqrt(k^2 + nu/D) in I_k/(k cosh).
2. Slab with source q and loss nu in |z| < h, D uniform, K^2 = nu/D:
   N(0) = (q/nu) {1 - 1/[cosh Kh + K (H - h) sinh Kh]}.
3. Slab, any D(z): N(z) = int_z^H Phi/D dz, Phi = int_0^z q dz. For a sheet S in the plane and
   D = D0 e^(|z|/t), N = S t (e^(-z/t) - e^(-H/t))/(2 D0); for D uniform and a wind v away from the
   plane, N = S (1 - e^(-v(H - z)/D))/(2v).
4. Injected = escaped + lost; N > 0; N falls as 1/D; if D = d(R) u(r, z), without losses, the shape
   of N does not depend on R.

Tolerances: the scheme is of second order, so the solution with half the cells in each direction
differs from that with all by three times the error of the latter; half of that difference is
allowed, which leaves a half for the next order. A solver that is wrong must fail these checks.
"""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.sparse import diags_array, kron
from scipy.sparse.linalg import spsolve
from scipy.special import j0, j1, jn_zeros

from hpc_cr.galaxy.grid import Grid, half_grid, make_grid
from hpc_cr.galaxy.transport import (
    Factorised,
    at_sun,
    balance,
    conductances,
    in_plane,
    matrix,
    medium,
)
from tools.bench.transport import serial_fipy

RADIUS, HEIGHT, SUN = 20e3, 4e3, 8.5e3
D = 0.5
SOURCE_HEIGHT = 200.0


def surface(r):
    """Sources per area (Lorimer et al. 2006), 1 at the Sun."""
    return (r / SUN) ** 1.9 * np.exp(-5 * (r - SUN) / SUN)


def sources(grid):
    return surface(grid.r[:, None]) * np.exp(-grid.z / SOURCE_HEIGHT) / (2 * SOURCE_HEIGHT)


def uniform(r, z):
    return np.full(np.broadcast_shapes(np.shape(r), np.shape(z)), D)


def cylinder(r, loss):
    """N and dN/dr in the plane by solution 1; 400 terms leave 1e-6 of the slope."""
    zeros = jn_zeros(0, 400)
    k = zeros / RADIUS
    x, w = np.polynomial.legendre.leggauss(600)
    radii = 0.5 * RADIUS * (x + 1)
    terms = ((0.5 * RADIUS * w * radii * surface(radii)) @ j0(np.outer(radii, k))
             * 2 / (RADIUS * j1(zeros)) ** 2)
    kappa = np.sqrt(k**2 + loss / D)
    a = 1 / SOURCE_HEIGHT
    # int_0^H e^(-az) sinh[kappa (H - z)] dz / cosh(kappa H), in falling exponentials
    far = np.exp(-kappa * HEIGHT)
    integral = ((1 - np.exp(-a * HEIGHT) * far) / (a + kappa)
                - far * (far - np.exp(-a * HEIGHT)) / (a - kappa)) / (1 + far**2)
    terms *= integral / (2 * SOURCE_HEIGHT * D * kappa)
    return terms @ j0(k * r), -(terms * k) @ j1(k * r)


# ---- the solver, and wrong ones ---------------------------------------------------------------


class Wrong(Factorised):
    """The same equation on the same cells with one mistake, assembled in another way.

    kind : {"none", "flat", "gain", "expanded"}
        No mistake; rings that do not widen (the term (1/r) dN/dr is missing); a loss of the wrong
        sign; D N'' + D' N' with central differences instead of (D N')'.
    """

    kind = "none"

    def __init__(self, grid, medium):
        self.grid, self.medium = grid, medium
        along_r, up, _ = conductances(grid, medium)
        volume = grid.volume
        if self.kind == "flat":
            along_r = along_r / np.maximum(2 * np.pi * grid.r_edges, 1.0)[:, None]
            up, volume = (a / (2 * np.pi * grid.r)[:, None] for a in (up, volume))
        n_r, n_z = grid.shape
        # from cells to the differences across faces, 0 outside of the halo
        to_r, to_z = (diags_array([np.ones(n), -np.ones(n)], offsets=[0, -1], shape=(n + 1, n))
                      for n in (n_r, n_z))
        to_r = kron(to_r, diags_array(np.ones(n_z)))
        to_z = kron(diags_array(np.ones(n_r)), to_z)
        loss = -medium.loss if self.kind == "gain" else medium.loss
        if self.kind == "expanded":
            self.operator = self.expanded(to_r, to_z)
        else:
            self.operator = (to_r.T @ diags_array(along_r.ravel()) @ to_r
                             + to_z.T @ diags_array(up.ravel()) @ to_z)
        self.operator += diags_array((loss * volume).ravel())
        self.volume = volume

    def expanded(self, to_r, to_z):
        """-(D Laplacian N + grad D . grad N) times the volume of cells."""
        grid = self.grid
        ones = medium(grid, lambda r, z: np.ones(np.broadcast_shapes(r.shape, z.shape)))
        along_r, up, _ = conductances(grid, ones)
        laplacian = (to_r.T @ diags_array(along_r.ravel()) @ to_r
                     + to_z.T @ diags_array(up.ravel()) @ to_z)
        d_z = np.hstack([self.medium.d_z[:, 1:2], self.medium.d_z[:, 1:]])
        d_r = np.vstack([self.medium.d_r[1:2], self.medium.d_r[1:]])
        middle = np.sqrt(d_z[:, 1:] * d_z[:, :-1])
        slopes = []
        for to, d, edges, axis in ((to_r, d_r, grid.r_edges, 0), (to_z, d_z, grid.z_edges, 1)):
            change = (np.diff(d, axis=axis) * grid.volume).ravel()
            steps = np.diff(edges)[:, None] if axis == 0 else np.diff(edges)
            rate = change / np.broadcast_to(steps**2, grid.shape).ravel()
            mean = 0.5 * abs(to).T @ to
            slopes.append(diags_array(rate) @ mean)
        # D is level in the cells at axis and plane: their outer faces do not matter
        return diags_array(middle.ravel()) @ laplacian - sum(slopes)

    def solve(self, source):
        return spsolve(self.operator.tocsc(), (source * self.volume).ravel()).reshape(source.shape)


def wrong(name):
    return type(name, (Wrong,), {"kind": name})


# ---- checks, for every solver ------------------------------------------------------------------


def both_grids(cells, first_cell):
    fine = make_grid(RADIUS, HEIGHT, cells, cells, first_cell)
    return half_grid(fine), fine


def check_cylinder(solver, loss):
    """Density and gradient at the Sun against the Bessel series."""
    found = []
    for grid in both_grids(100, 20.0):
        density = solver(grid, medium(grid, uniform, loss)).solve(sources(grid))
        found.append(at_sun(grid, density))
    coarse, fine = np.array(found)
    assert np.all(np.abs(fine - cylinder(SUN, loss)) <= 0.5 * np.abs(fine - coarse))
    # and the cells are fine enough for that to say something
    assert np.all(np.abs(fine - coarse) < 1e-2 * np.abs(fine))


def steep(r, z):
    """D as the sources' density to the power 0.9, with a floor, and 6e5 times as large from 400 pc
    up: a factor of 5 from cell to cell."""
    return np.maximum(surface(np.maximum(r, 1e3)) ** 0.9, 2e-3) * np.exp(np.minimum(z, 400) / 30)


def steep_case(solver, cells=40):
    grid = make_grid(RADIUS, HEIGHT, cells, cells, 50.0)
    place = medium(grid, steep, 1e-6)
    # one source far out: the tails of its density are the least
    source = np.zeros(grid.shape)
    source[-3, 0] = 1.0
    return grid, place, source, solver(grid, place).solve(source)


def check_positive(solver):
    assert steep_case(solver)[-1].min() > 0


def check_conserves(solver):
    """Sums of 1600 terms, each rounded, after 80 cells of elimination: well below 1e-11."""
    grid, place, source, density = steep_case(solver)
    found = balance(grid, place, density, source)
    assert found.escaped_top + found.escaped_side + found.lost == pytest.approx(found.injected,
                                                                                rel=1e-11)


# ---- the solver ---------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [0.0, 3e-7])
def test_cylinder_as_bessel_series(loss):
    check_cylinder(Factorised, loss)


def test_wrong_solvers_fail_in_the_cylinder():
    check_cylinder(wrong("none"), 3e-7)
    for name in ("flat", "gain"):
        with pytest.raises(AssertionError):
            check_cylinder(wrong(name), 3e-7)


def test_positive_and_conserved_where_the_coefficient_is_steep():
    check_positive(Factorised)
    check_conserves(Factorised)


def test_wrong_solvers_neither_conserve_nor_stay_positive():
    check_positive(wrong("none"))
    check_conserves(wrong("none"))
    with pytest.raises(AssertionError):
        check_positive(wrong("expanded"))
    for name in ("flat", "gain", "expanded"):
        with pytest.raises(AssertionError):
            check_conserves(wrong(name))


def test_second_order():
    """Errors of N and dN/dr at the Sun fall by 4 from one grid to the next, by 3.5 to 4.6 where the
    next order is still seen."""
    exact = np.array(cylinder(SUN, 0.0))
    grid = make_grid(RADIUS, HEIGHT, 160, 160, 15.0)
    errors = []
    for _ in range(3):
        found = at_sun(grid, Factorised(grid, medium(grid, uniform)).solve(sources(grid)))
        errors.append(np.abs(np.array(found) / exact - 1))
        grid = half_grid(grid)
    ratios = np.divide(errors[1:], errors[:-1])
    assert np.all((ratios > 3.5) & (ratios < 4.6)), ratios


def local_gradient(cells, coefficient):
    grid = make_grid(RADIUS, HEIGHT, cells, cells)
    found = at_sun(grid, Factorised(grid, medium(grid, coefficient)).solve(sources(grid)))
    return found.radial / found.density


def slow_disc(r, z):
    """Spatially dependent diffusion of Li et al. 2021 at 100 TV, in units of D0/c."""
    f = (r / SUN) ** 1.69 * np.exp(-3.33 * (r - SUN) / SUN - z / 200)
    g = 0.62 / (1 + f)
    share = g + (1 - g) * np.minimum(z / 500, 1.0) ** 4
    return share * 25e3 ** (0.58 * share)


@pytest.mark.parametrize("coefficient", [uniform, slow_disc, lambda r, z: np.maximum(
    surface(np.maximum(r, 3e3)) ** 0.85, 1e-2) * np.exp(z / 4e3)])
def test_gradient_at_the_sun_to_a_tenth_of_a_per_cent(coefficient):
    """200 x 200 cells against half of them: a third of the difference is the finer one's error.

    Coefficients whose slope jumps converge less evenly, so the whole difference is held against
    the 0.1 %."""
    fine, coarse = (local_gradient(cells, coefficient) for cells in (200, 100))
    assert abs(coarse / fine - 1) < 1e-3


# ---- slabs: on a halo so wide that its middle knows no side -------------------------------------


def slab(cells, height=HEIGHT):
    """Equal cells in z; the side is 60 heights away, and densities fall 60-fold per cell in r."""
    return Grid(np.linspace(0.0, 60 * height, 13), np.linspace(0.0, height, cells + 1))


@pytest.mark.parametrize("loss", [1e-7, 1e-5, 1e-3])
def test_slab_with_losses_in_the_disc(loss):
    """Of second order as long as a cell is small against 1/K; 400 pc of disc in 40 cells."""
    h, q, k = 400.0, 3.0, np.sqrt(loss / D)
    exact = q / loss * (1 - 1 / (np.cosh(k * h) + k * (HEIGHT - h) * np.sinh(k * h)))
    found = []
    for grid in (slab(200), slab(400)):
        disc = np.broadcast_to(grid.z < h, grid.shape).astype(float)
        density = Factorised(grid, medium(grid, uniform, loss * disc)).solve(q * disc)
        found.append(in_plane(grid, density)[0])
    assert abs(found[1] - exact) <= 0.5 * abs(found[1] - found[0]) + 1e-11 * exact


def sheet(grid):
    """Sources of 1 per area in the plane."""
    source = np.zeros(grid.shape)
    source[:, 0] = 1 / (2 * grid.z_edges[1])
    return source


def test_exponential_coefficient_above_a_sheet():
    t = 500.0
    errors = []
    for grid in (slab(100), slab(200)):
        density = Factorised(grid, medium(grid, lambda r, z: D * np.exp(z / t) + 0 * r)).solve(
            sheet(grid))
        exact = t * (np.exp(-grid.z / t) - np.exp(-HEIGHT / t)) / (2 * D)
        # above the cell of the sheet; the fluxes are exact, the differences of second order
        errors.append(np.max(np.abs(density[0] - exact)[1:] / exact[1]))
    assert errors[1] < 1e-3
    assert 3.5 < errors[0] / errors[1] < 4.5


def test_any_coefficient_of_height():
    def coefficient(r, z):
        return D * (1.2 + np.sin(z / 150.0)) * (1 + z / 2e3) + 0 * r

    def flux(z):
        return -0.5 * np.expm1(-z / SOURCE_HEIGHT)

    exact = quad(lambda z: flux(z) / coefficient(0.0, z), 0, HEIGHT, limit=200, epsrel=1e-10)[0]
    found = []
    for grid in (slab(200), slab(400)):
        source = np.exp(-grid.z / SOURCE_HEIGHT) / (2 * SOURCE_HEIGHT) * np.ones(grid.shape)
        found.append(in_plane(grid, Factorised(grid, medium(grid, coefficient)).solve(source))[0])
    assert abs(found[1] - exact) <= 0.5 * abs(found[1] - found[0])


@pytest.mark.parametrize("wind", [1e-6, 1e-4, 1e-2])
def test_wind_away_from_a_sheet(wind):
    """The fluxes are fitted to just this solution: only rounding is left, 1e-16 times the number
    of cells squared; upwind differences would miss it by v dz/2D."""
    grid = slab(100)
    density = Factorised(grid, medium(grid, uniform, wind=wind)).solve(sheet(grid))[0]
    exact = -np.expm1(-wind * (HEIGHT - grid.z) / D) / (2 * wind)
    assert np.allclose(density[1:], exact[1:], rtol=1e-11, atol=0)
    still = (HEIGHT - grid.z) / (2 * D)
    assert not np.allclose(density[1:], still[1:], rtol=1e-3, atol=0)


# ---- scaling ------------------------------------------------------------------------------------


def test_densities_fall_as_the_coefficient_rises_and_keep_their_shape():
    """Solving loses the digits of a condition of 40^2 cells: far less than five."""
    grid = make_grid(RADIUS, HEIGHT, 40, 40, 50.0)
    one, more = (Factorised(grid, medium(grid, lambda r, z, a=a: a * steep(r, z))).solve(
        sources(grid)) for a in (1.0, 37.0))
    assert np.allclose(one, 37 * more, rtol=1e-11, atol=0)
    # not so with losses
    lossy = Factorised(grid, medium(grid, lambda r, z: 37 * steep(r, z), 1e-4)).solve(sources(grid))
    assert not np.allclose(one, 37 * lossy, rtol=1e-3, atol=0)


# ---- another solver -----------------------------------------------------------------------------


def test_fipy_finds_the_same_densities():
    """FiPy, general finite volumes, on its own cylindrical mesh of the same cells: the same scheme
    by another hand, so that only rounding differs, in the condition number of about 1e5."""
    fipy = serial_fipy()
    grid = make_grid(RADIUS, HEIGHT, 30, 24, 60.0)
    loss = 1e-6 * np.exp(-grid.z / 100) * np.ones(grid.shape)
    here = Factorised(grid, medium(grid, steep, loss)).solve(sources(grid))

    mesh = fipy.CylindricalGrid2D(dr=np.diff(grid.r_edges), dz=np.diff(grid.z_edges))
    faces_r, faces_z = np.asarray(mesh.faceCenters)
    coefficient = fipy.FaceVariable(mesh=mesh, value=steep(faces_r, faces_z))
    there = fipy.CellVariable(mesh=mesh, value=0.0)
    there.constrain(0.0, mesh.facesRight)
    there.constrain(0.0, mesh.facesTop)
    rate, source = (fipy.CellVariable(mesh=mesh, value=values.T.ravel())
                    for values in (loss, sources(grid)))
    equation = fipy.DiffusionTerm(coeff=coefficient) - fipy.ImplicitSourceTerm(coeff=rate) + source
    equation.solve(var=there)
    found = np.asarray(there.value).reshape(grid.shape[::-1]).T
    assert np.allclose(here, found, rtol=1e-9, atol=0)


def test_the_matrix_is_symmetric_without_wind():
    grid = make_grid(RADIUS, HEIGHT, 12, 10, 50.0)
    found = matrix(grid, medium(grid, steep, 1e-6)).toarray()
    assert np.array_equal(found, found.T)
    assert np.all(found - np.diag(np.diag(found)) <= 0)
    windy = matrix(grid, medium(grid, steep, 1e-6, wind=1e-4)).toarray()
    # each column sums to what leaves the halo or is lost: nothing appears between cells
    assert np.all(windy.sum(axis=0) > -1e-12 * np.diag(windy))
    assert not np.array_equal(windy, windy.T)
