"""Magnetic fields: spectrum, synthesis with FFTW, nested grids, interpolation, plane waves."""

from hpc_cr.fields.nested import MagneticField, make_field

__all__ = ["MagneticField", "make_field"]
