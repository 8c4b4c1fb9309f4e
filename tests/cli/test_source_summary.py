"""What `hpc-cr info` says of a source job, from entries with known numbers."""

import json

import numpy as np
import pytest
from synthetic_results import write

from hpc_cr.cli.main import run
from hpc_cr.config import parse_job
from hpc_cr.frames import field_axes
from hpc_cr.io import schema

JOB = """
[run]
kind = "source"
realisations = 4
[turbulence]
spectrum = "kolmogorov"
rms = "1 uG"
outer_scale = "25 pc"
[regular]
model = "uniform"
strength = "4 uG"
direction = [20, 10]
[particles]
rigidities = ["1 PV", "3 PV"]
count = 500
[boundary]
times = ["1000 pc", "3000 pc", "9000 pc"]
[source]
along = ["0 pc", "200 pc", "400 pc"]
perpendicular = ["0 pc", "10 pc", "30 pc"]
"""


def entry(job, row, rig):
    """D_par = 30 pc times 0.98, 0.99, 1.01, 1.02; D_perp = 0.05 pc; no particle in the cells."""
    arrays = {spec.name: np.zeros(shape[2:]) for spec, shape in schema.datasets(job)
              if spec.role == "data"}
    axes, parallel = field_axes(job.regular_field), 30 * (1 + 0.01 * (-2, -1, 1, 2)[row])
    tensor = axes.T @ np.diag([parallel, 0.05, 0.05]) @ axes
    arrays["covariance"] = 2 * np.array(job.stops[rig])[:, None, None] * tensor
    arrays["kurtosis"][:] = [0.95, 1.01, 1.03]
    arrays["flow"][:] = np.nan
    scalars = {"unfinished": 0, "over_tolerance": 0, "steps": 1_000_000}
    return arrays | scalars | {"seconds": 0.5, "rank": 0, "origin": (0, "host", 0.0, 0.5)}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write(tmp_path_factory.mktemp("source") / "source.h5", parse_job(JOB), entry=entry,
                 finished=lambda n, row, rig: rig == 0)


def test_table(path, capsys):
    assert run(["info", str(path)]) == 0
    lines = capsys.readouterr().out.replace("\N{PLUS-MINUS SIGN}", "+-").splitlines()
    one, other = (next(line for line in lines if line.lstrip().startswith(f"{r} PV"))
                  for r in (1, 3))
    # standard error of four numbers: sqrt(sum of squares/(4 x 3)) = 30 sqrt(10e-4/12) = 0.274
    assert "30.00 +- 0.27" in one and "0.05" in one and "2000" in one
    assert "0.95" in one and "1.02" in one
    assert other.count(" - ") + other.endswith("-") >= 5  # nothing finished: no numbers


def test_lines_that_are_not_known_are_told(tmp_path, capsys):
    """Half of the nodes of one row of four: an eighth is not known."""
    def broken(job, row, rig):
        arrays = entry(job, row, rig)
        if row == 2:
            nodes = arrays["field_line"].shape[1]
            arrays["field_line"][:, nodes - nodes // 2:] = np.nan
        return arrays

    name = write(tmp_path / "broken.h5", parse_job(JOB), entry=broken)
    assert run(["info", str(name)]) == 0
    told = capsys.readouterr().out
    assert told.count("of the sources' field lines are known") == 2 and "87.5 %" in told


def test_growing_coefficients_are_marked(tmp_path, capsys):
    def rising(job, row, rig):
        arrays = entry(job, row, rig)
        arrays["covariance"] *= (np.array(job.stops[rig]) / job.stops[rig][-1])[:, None, None]
        return arrays

    name = write(tmp_path / "rising.h5", parse_job(JOB), entry=rising)
    assert run(["info", str(name)]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "1 PV" in line)
    assert ">" in line


def test_json(path, capsys):
    assert run(["info", "--json", str(path)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document["results"]) == 6
    last = document["results"][2]
    assert last["stop"] == 9000 and last["rigidity_PV"] == 1 and last["n_realisation"] == 4
    assert last["spread_pc"]["parallel"][0] == pytest.approx(30)
    assert last["kurtosis"] == pytest.approx([0.95, 1.02])
    assert last["coefficients"]["D_perp"]["value_pc"] == pytest.approx(0.05)
    # known cells without a particle: none there, and no error
    assert last["density_per_pc3"][0][0] == 0 and last["density_error"][0][0] is None
    assert last["dipole"]["flow"][0] is None and last["flow_over_gaussian"] is None
    assert last["gradient_over_gaussian"] is None
    assert last["in_cells"] == 0 and last["field_lines_known"] == 1
    places = np.array(last["dipole"]["place_pc"])
    assert np.allclose(last["dipole"]["gaussian"], 1.5 * places / 9000)
    empty = document["results"][-1]
    assert empty["n_realisation"] == 0 and empty["spread_pc"]["parallel"][0] is None
