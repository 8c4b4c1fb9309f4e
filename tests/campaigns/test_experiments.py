"""What each kind of job starts and keeps, against direct evaluation particle by particle.

`start` must name a particle by seed, row and index alone, so that blocks, ranks and larger counts
do not change it. What `measure` keeps are means over particles, written out here as loops:

    D_ij(T) = <X_i X_j>/(2 T),  <X_i u_j(0)>,  <U_i X_j>,
    [<X_i X_j>(T_k) - <X_i X_j>(T_k-1)]/[2 (T_k - T_k-1)],  T_0 = 0,

their errors s/sqrt(n) with s^2 the unbiased variance of the products, <X_i^4>/(3 <X_i^2>^2) along
and across B0, and counts in rings around a field line. Loops and arrays add in another order: they
agree to 1e-12. A field line is compared with an adaptive integrator (tolerance 1e-8) on the field
at points; the tracer joins its steps h of a fifth of the shortest wave by straight lines, off by
h^2 kappa/8 with the curvature kappa <= k_max B_rms/B0.
"""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from hpc_cr.campaigns import anisotropy, diffusion, source
from hpc_cr.campaigns.experiments import experiment_of
from hpc_cr.config import parse_job
from hpc_cr.fields import make_field
from hpc_cr.frames import field_axes
from hpc_cr.trajectories.state import FINISHED, empty_state

TEXT = """
[run]
kind = "KIND"
seed = 11
realisations = 4
[turbulence]
rms = "1 uG"
outer_scale = "20 pc"
inner_scale = "5 pc"
[grids]
cells = 64
levels = 1
[regular]
model = "uniform"
strength = "4 uG"
direction = [40, -25]
[particles]
rigidities = ["5 PV", "40 PV"]
count = 60
[boundary]
times = ["5 pc", "12 pc", "30 pc"]
"""
STEP = 1.0  # pc
SAGITTA = STEP**2 / 8 * (2 * np.pi / 5) * (1 / 4)
"""0.04 pc"""
KINDS = {"anisotropy": anisotropy, "diffusion": diffusion, "source": source}
LINES = ["field_lines.count=6", "field_lines.length=30 pc"]
CELLS = ['source.along=["0 pc", "4 pc", "15 pc", "40 pc"]',
         'source.perpendicular=["0 pc", "3 pc", "9 pc", "30 pc"]']


def job_of(kind, *changes):
    return parse_job(TEXT.replace("KIND", kind), overrides=changes)


@pytest.mark.parametrize("kind", KINDS)
def test_experiment_of_each_kind(kind):
    found = experiment_of(job_of(kind))
    assert type(found) is KINDS[kind].Experiment
    assert found.KEPT in ("multipoles", "tensors", "density")


@pytest.mark.parametrize("kind", KINDS)
def test_starts_depend_on_seed_row_and_index_alone(kind):
    job = job_of(kind)
    backwards = {row: experiment_of(job).start(row) for row in (3, 1)}
    one = experiment_of(job)
    for row in range(4):
        one.start(row)
    for row, (origins, directions) in backwards.items():
        again = one.start(row)
        np.testing.assert_array_equal(again[0], origins)
        np.testing.assert_array_equal(again[1], directions)
        np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1, rtol=1e-14)
        # the first of more particles are the same ones
        more = experiment_of(job_of(kind, "particles.count=100")).start(row)
        np.testing.assert_array_equal(more[0] if origins.ndim == 1 else more[0][:60], origins)
        np.testing.assert_array_equal(more[1][:60], directions)
        # a block of the job that begins later
        block = experiment_of(job_of(kind, "run.first_realisation=1", "run.realisations=3"))
        np.testing.assert_array_equal(block.start(row - 1)[1], directions)
        np.testing.assert_array_equal(block.start(row - 1)[0], origins)
    # control: another row, another seed
    assert not np.array_equal(one.start(1)[1], one.start(3)[1])
    assert not np.array_equal(experiment_of(job_of(kind, "run.seed=12")).start(1)[1],
                              backwards[1][1])


def test_places_of_diffusion_fill_a_cube():
    """Uniform in a cube of ten L_max: mean 0 and variance side^2/12, within five errors."""
    count = 20_000
    origins, directions = experiment_of(job_of("diffusion", f"particles.count={count}")).start(0)
    side = 200.0
    assert np.abs(origins).max() <= side / 2
    assert np.all(np.abs(origins.mean(axis=0)) < 5 * side / np.sqrt(12 * count))
    # the variance of x^2 of a uniform x is side^4/180
    square = (origins**2).mean(axis=0)
    assert np.all(np.abs(square - side**2 / 12) < 5 * side**2 / np.sqrt(180 * count))
    assert np.all(np.abs(directions.mean(axis=0)) < 5 / np.sqrt(3 * count))


def test_several_sources_of_a_field():
    experiment = experiment_of(job_of("source", "particles.observers=2"))
    starts = [experiment.start(row) for row in range(4)]
    for position, _ in starts[::2]:
        np.testing.assert_array_equal(position, 0)
    assert np.linalg.norm(starts[1][0]) > 0 and not np.array_equal(starts[1][0], starts[3][0])
    assert not np.array_equal(starts[0][1], starts[1][1])


def state_of(job, lost=()):
    """A state whose particles are anywhere, and some are lost."""
    rng = np.random.default_rng(5)
    n_stop = len(job.stops[0])
    state = empty_state(job.n_pix, n_stop)
    state.status[:] = FINISHED
    size = np.array([3.0, 9.0, 20.0])[:n_stop, None, None]
    state.out_position[...] = size * rng.normal(size=state.out_position.shape)
    direction = rng.normal(size=state.out_direction.shape)
    state.out_direction[...] = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    state.out_position[-1, list(lost)] = np.nan
    state.out_direction[-1, list(lost)] = np.nan
    return state


def check_mean(found, error, products):
    products = np.array(products)
    np.testing.assert_allclose(found, products.mean(axis=0), rtol=1e-12, atol=1e-13)
    expected = products.std(axis=0, ddof=1) / np.sqrt(len(products))
    np.testing.assert_allclose(error, expected, rtol=1e-12)


def test_diffusion_measures_means_over_finished_particles():
    job, lost, rig = job_of("diffusion"), (3, 17), 1
    experiment, state = experiment_of(job), state_of(job, lost)
    entry = experiment.measure(make_field(job, 2), state, 2, rig)
    assert all(np.isfinite(values).all() for values in entry.values())
    kept = [n for n in range(job.n_pix) if n not in lost]
    first = experiment.start(2)[1]
    b0 = np.array(job.regular_field) / np.linalg.norm(job.regular_field)
    times = [0.0, 5.0, 12.0, 30.0]
    for stop in range(3):
        x, u = state.out_position[stop], state.out_direction[stop]
        before = state.out_position[stop - 1] if stop else np.zeros_like(x)
        time, span = times[stop + 1], times[stop + 1] - times[stop]
        expected = {
            "tensor": [np.outer(x[n], x[n]) / (2 * time) for n in kept],
            "tensor_velocity": [np.outer(x[n], first[n]) for n in kept],
            "tensor_arrival": [np.outer(u[n], x[n]) for n in kept],
            "interval": [(np.outer(x[n], x[n]) - np.outer(before[n], before[n])) / (2 * span)
                         for n in kept],
        }
        for name, products in expected.items():
            check_mean(entry[name][stop], entry[f"{name}_error"][stop], products)
            with pytest.raises(AssertionError):  # control: a particle that was lost, or twice
                check_mean(entry[name][stop], entry[f"{name}_error"][stop],
                           [*products, products[0]])
        with pytest.raises(AssertionError):  # control: the axes exchanged
            check_mean(entry["tensor_velocity"][stop].T, entry["tensor_velocity_error"][stop].T,
                       expected["tensor_velocity"])
        along = x[kept] @ b0
        np.testing.assert_allclose(entry["kurtosis"][stop, 0],
                                   np.mean(along**4) / (3 * np.mean(along**2) ** 2), rtol=1e-12)
        # of normal numbers 1 within five errors sqrt(32/3/n)
        assert np.all(np.abs(entry["kurtosis"][stop] - 1) < 5 * np.sqrt(32 / 3 / len(kept)))
    assert "field_line" not in entry


def line_from(field, start, axis, length, sign=1):
    """Displacements of a field line by an adaptive integrator, against distance along the axis."""
    def slope(_, x):
        b = field.at((start + x)[None])[0]
        return b / (b @ axis)
    return solve_ivp(slope, (0, sign * length), np.zeros(3), rtol=1e-8, atol=1e-8,
                     max_step=0.25, dense_output=True).sol


def test_field_lines_of_diffusion():
    job = job_of("diffusion", *LINES)
    experiment, field, axis = experiment_of(job), make_field(job, 1), field_axes(job.regular_field)
    entry = experiment.measure(field, state_of(job), 1, 0)
    origins, _ = experiment.start(1)
    distances = job.field_line_distances
    assert distances[-1] == pytest.approx(30)
    products = []
    for origin in origins[:6]:
        across = line_from(field, origin, axis[0], 30)(distances).T
        across -= (across @ axis[0])[:, None] * axis[0]
        products.append(np.einsum("si,sj->sij", across, across) / (2 * distances)[:, None, None])
    expected = np.mean(products, axis=0)
    wrong = SAGITTA * np.sqrt(2 * np.trace(expected, axis1=1, axis2=2) / distances)

    def check(found):
        assert np.all(np.abs(found - expected).max(axis=(1, 2)) < wrong)

    check(entry["field_line"])
    assert np.trace(expected[-1]) > 10 * wrong[-1]
    with pytest.raises(AssertionError):  # control: lines of other particles
        check(experiment.measure(field, state_of(job), 2, 0)["field_line"])
    with pytest.raises(AssertionError):  # control: without the half
        check(2 * entry["field_line"])


def cell_of(job, x, line, axis):
    """(side, i, j) of a displacement, or None outside the cells."""
    height = x @ axis
    side, far = (0 if height >= 0 else 1), abs(height)
    nodes = np.linspace(0, job.source.along[-1], line.shape[1])
    place = np.array([np.interp(far, nodes, line[side, :, k]) for k in range(3)])
    away = (x - place) - ((x - place) @ axis) * axis
    for i, (low, high) in enumerate(zip(job.source.along, job.source.along[1:], strict=False)):
        for j, (inner, outer) in enumerate(zip(job.source.perpendicular,
                                               job.source.perpendicular[1:], strict=False)):
            if low <= far < high and inner <= np.linalg.norm(away) < outer:
                return (side, i, j), away / np.linalg.norm(away)
    return None, None


def test_source_counts_particles_around_its_field_line():
    job = job_of("source", *CELLS)
    experiment, field, lost, row = experiment_of(job), make_field(job, 1), (5,), 1
    state = state_of(job, lost)
    entry = experiment.measure(field, state, row, 0)
    line, axis = entry["field_line"], field_axes(job.regular_field)[0]
    assert np.isfinite(line).all()
    nodes = np.linspace(0, 40, line.shape[1])
    for side, sign in enumerate((1, -1)):
        expected = line_from(field, np.zeros(3), axis, 40, sign)(sign * nodes).T
        assert np.abs(line[side] - expected).max() < SAGITTA
        with pytest.raises(AssertionError):  # control: the other side
            assert np.abs(line[1 - side] - expected).max() < SAGITTA
    kept = [n for n in range(job.n_pix) if n not in lost]
    volume = np.diff(job.source.along)[:, None] * np.pi * np.diff(
        np.square(job.source.perpendicular))
    for stop in range(3):
        count, flow = np.zeros((2, 3, 3)), np.zeros((2, 3, 3, 3))
        for n in kept:
            cell, away = cell_of(job, state.out_position[stop, n], line, axis)
            if cell is not None:
                u = state.out_direction[stop, n]
                count[cell] += 1
                flow[cell] += [u @ axis, u @ away, u @ np.cross(axis, away)]
        np.testing.assert_array_equal(entry["count"][stop], count)
        np.testing.assert_allclose(entry["density"][stop], count / volume / len(kept), rtol=1e-12)
        with np.errstate(invalid="ignore"):
            expected = flow / count[..., None]
        np.testing.assert_allclose(entry["flow"][stop], expected, rtol=1e-9, atol=1e-12)
        assert not np.array_equal(count, count[::-1])  # control: the sides differ
        assert count.sum() > 20
        x = state.out_position[stop, kept]
        np.testing.assert_allclose(entry["mean"][stop], x.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(entry["covariance"][stop], np.cov(x.T, bias=True), rtol=1e-11)
        along = (x - x.mean(axis=0)) @ axis
        np.testing.assert_allclose(entry["kurtosis"][stop, 0],
                                   np.mean(along**4) / (3 * np.mean(along**2) ** 2), rtol=1e-11)


@pytest.mark.parametrize("kind, changes", [("diffusion", LINES), ("source", CELLS)])
def test_nothing_finished_is_no_number(kind, changes):
    job = job_of(kind, *changes)
    state = state_of(job, range(job.n_pix))
    entry = experiment_of(job).measure(make_field(job, 0), state, 0, 0)
    of_particles = {name: values for name, values in entry.items()
                    if not name.startswith("field_line") and name != "count"}
    assert len(of_particles) >= 5
    for values in of_particles.values():
        assert np.isnan(values).all()


def test_without_turbulence_field_lines_are_straight():
    job = job_of("diffusion", *LINES, "turbulence.rms=0 uG")
    entry = experiment_of(job).measure(make_field(job, 0), state_of(job), 0, 0)
    np.testing.assert_allclose(entry["field_line"], 0, atol=1e-20)
    assert job.field_line_distances[-1] == 30
