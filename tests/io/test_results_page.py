"""The page on the result file and the files themselves say the same.

Two files with everything that can be stored, one with times and cases, one with spheres: every
dataset is in the page with its type and unit, has units that astropy reads, a description and
named axes; and nothing is in the page that is in neither file.
"""

import re
from pathlib import Path

import h5py
import numpy as np
import pytest
import synthetic_results
from astropy import units

import hpc_cr
from hpc_cr.config import parse_job
from hpc_cr.io import layout, provenance
from hpc_cr.io.schema import FORMAT_VERSION

UNIFORM = '[regular]\nmodel = "uniform"\nstrength = "4 uG"\ndirection = [0, 0]\n'
OTHER_KINDS = {"diffusion": UNIFORM + "[field_lines]\ncount = 10\n", "source": UNIFORM,
               "escape": UNIFORM, "galaxy": ""}  # fmt: skip
PAGE = Path(hpc_cr.__file__).parent / "docs" / "results.md"
MAPS = [f"output.{name}=true" for name in ("displacement", "final_direction", "crossing_time")]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documented")
    cases = parse_job(synthetic_results.JOB + synthetic_results.CASES, overrides=MAPS)
    text = synthetic_results.JOB.replace('kind = "time"', 'kind = "sphere"')
    sphere = parse_job(text.replace("times = [", "radii = ["), overrides=MAPS)
    written = [
        synthetic_results.write(folder / name, job, finished=lambda n, row, rig: n == 0)
        for name, job in (("cases.h5", cases), ("sphere.h5", sphere))
    ]
    for kind, more in OTHER_KINDS.items():
        job = parse_job(f'[run]\nkind = "{kind}"\n{more}')
        layout.create(folder / f"{kind}.h5", job, provenance=provenance.collect())
        written.append(folder / f"{kind}.h5")
    return written


@pytest.fixture(scope="module")
def datasets(files):
    """Path without the case -> (dtype, shape, attributes, labels of the axes)."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            path = re.sub(r"^case/[^/]*", "", name)
            labels = [item.dims[axis].label for axis in range(item.ndim)]
            found[f"/{path.lstrip('/')}"] = item.dtype, item.shape, dict(item.attrs), labels

    for path in files:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    return found


def documented():
    """Path -> cells of its row in the page's tables."""
    rows = re.findall(r"^\| `(/[^`]+)` \|(.*)\|$", PAGE.read_text(), flags=re.M)
    return {path: [cell.strip() for cell in cells.split("|")] for path, cells in rows}


def test_every_dataset_is_in_the_page_and_none_besides(datasets):
    assert documented().keys() == datasets.keys()


def test_types_and_units_in_the_page(datasets):
    for path, (dtype, _, attributes, _) in datasets.items():
        *_, kind, unit, _ = documented()[path]
        expected = {"V": "compound", "S": "text"}.get(dtype.kind, dtype.str[1:])
        assert (kind, unit) == (expected, attributes["units"]), path


def test_units_descriptions_and_axes(datasets):
    for path, (_, shape, attributes, labels) in datasets.items():
        units.Unit(attributes["units"])
        assert len(attributes["description"]) > 10, path
        assert len(labels) == len(shape) and all(labels), path
    assert datasets["/anisotropy/response"][3] == ["row", "rigidity", "stop", "i", "j"]
    assert units.Unit(datasets["/anisotropy/noise"][2]["units"]) == units.pc**2


def fields_of(attributes):
    """Field -> (unit, description), from the attribute `fields`."""
    lines = re.findall(r"^(\w+) \[(.*?)\]: (.+)$", attributes["fields"], flags=re.M)
    return {name: (unit, text) for name, unit, text in lines}


@pytest.mark.parametrize("path", ["/provenance/runs", "/status/origin"])
def test_fields_of_compounds(path, datasets):
    dtype, _, attributes, _ = datasets[path]
    fields = fields_of(attributes)
    assert tuple(fields) == dtype.names
    page = PAGE.read_text()
    for name, (unit, text) in fields.items():
        units.Unit(unit)
        assert len(text) > 3
        assert re.search(rf"^\|[^|]*`{name}`[^|]*\|", page, flags=re.M), f"{path}: {name}"
    assert {fields[name][0] for name in fields if np.dtype(dtype[name]).kind == "f"} == {"s"}


def test_attributes_are_in_the_page(files):
    page = PAGE.read_text()
    for path in files:
        with h5py.File(path, "r") as file:
            missing = [name for name in file.attrs if f"`{name}`" not in page]
    assert missing == []
    assert f"`format_version` = {FORMAT_VERSION}" in page
    # every version has its paragraph
    for version in range(1, FORMAT_VERSION + 1):
        assert re.search(rf"^\| {version} \|", page, flags=re.M)
