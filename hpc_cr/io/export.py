"""A result file's case as labelled arrays."""

from hpc_cr.io import schema

_LABELS = {
    "i": list("xyz"),
    "j": list("xyz"),
    "axis": ["along", "across 1", "across 2"],
    "side": [1, -1],
    "component": ["along", "away", "around"],
    "part": ["background", "local"],
    "way": ["top", "rim", "lost", "moved"],
}
"""Coordinates of the dimensions that have no axis in the file."""


def to_xarray(results):
    """One case as an xarray.Dataset; see `hpc_cr.io.results.Results.to_xarray`.

    Parameters
    ----------
    results : hpc_cr.io.results.Results

    Returns
    -------
    xarray.Dataset
    """
    import xarray

    variables = {}
    for spec in schema.ALL:
        left_out = spec.option or spec.name in ("runs", "origin")
        values = None if left_out else results.array(spec.path)
        if values is None:
            continue
        dims = [{"rig": "rigidity"}.get(name, name) for name in spec.dims]
        text = {"units": spec.units, "description": spec.description}
        # edges of cells are no coordinate of the cells
        name = f"{spec.name}_edge" if dims == [f"{spec.name}_edge"] else spec.name
        variables[name] = (dims, values, text)
    coordinates = {name: variables.pop(name) for name in ("rigidity", results.stop_kind)
                   if name is not None}  # fmt: skip
    if results.kind == "galaxy":
        coordinates["row"] = list(results.species)
        variables.pop("species")
    else:
        coordinates["realisation"] = ("row", results.realisation)
    used = {dim for dims, *_ in variables.values() for dim in dims}
    coordinates |= {name: labels for name, labels in _LABELS.items() if name in used}
    return xarray.Dataset(variables, coordinates, {**results.provenance, "case": results.case})
