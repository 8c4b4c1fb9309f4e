"""A result file's case as labelled arrays."""

from hpc_cr.io import schema


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
        variables[spec.name] = (dims, values, text)
    coordinates = {name: variables.pop(name) for name in ("rigidity", results.stop_kind)}
    coordinates["realisation"] = ("row", results.realisation)
    coordinates |= {"i": list("xyz"), "j": list("xyz")}
    return xarray.Dataset(variables, coordinates, {**results.provenance, "case": results.case})
