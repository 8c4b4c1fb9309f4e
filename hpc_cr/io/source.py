"""Reading the clouds of particles of a source job."""

from hpc_cr.io.results import Results


class SourceResults(Results):
    """One case of a file of kind "source".

    Cells have the axes (n_row, n_rig, n_stop, side, n_along, n_perpendicular); side 0 is where the
    uniform field points to.

    Attributes
    ----------
    sources : ndarray (n_row, 3)
        Positions, pc, Galactic Cartesian.
    along, perpendicular : ndarray
        Edges of the cells, pc.
    """

    def _read_axes(self, axes):
        super()._read_axes(axes)
        self.sources = axes["source"][...]
        self.along, self.perpendicular = axes["along"][...], axes["perpendicular"][...]

    @property
    def count(self):
        """Particles in the cells."""
        return self.array("source/count")

    @property
    def density(self):
        """Number density per particle of the burst, 1/pc^3."""
        return self.array("source/density")

    @property
    def flow(self):
        """Mean direction of motion in the cells: along the uniform field, away from the field line,
        around it; one more axis (3)."""
        return self.array("source/flow")

    @property
    def mean(self):
        """Mean displacement, (n_row, n_rig, n_stop, 3), pc."""
        return self.array("source/mean")

    @property
    def covariance(self):
        """Covariance of the cloud, (n_row, n_rig, n_stop, 3, 3), pc^2."""
        return self.array("source/covariance")

    @property
    def kurtosis(self):
        """Along and across the uniform field, (n_row, n_rig, n_stop, 3), 1 for a Gaussian."""
        return self.array("source/kurtosis")

    @property
    def field_line(self):
        """The source's field line, (n_row, n_rig, side, n_node, 3), pc from the source."""
        return self.array("source/field_line")
