"""Which case is which, and whether the model is the paper's.

A file of the job geminga_lrmf has up to three modes, told apart by settings: "as printed",
"refitted" and "consistent kernel". Other ratios of D_perp to D_par follow from any of them, since
the local field turns the dipole alone. A second file, of the same job with sources.largest_radius
below the halo's radius, is the part "cut".
"""

from hpc_cr.io.errors import ResultError
from hpc_cr.papers import check_setup

SETUP = {
    "halo.radius": 20e3,
    "halo.half_height": 5e3,
    "halo.sun": 8.5e3,
    "diffusion.model": "source-dependent",
    "diffusion.coefficient": 4.87e28,
    "diffusion.slope": 0.58,
    "diffusion.n_m": 0.62,
    "diffusion.xi": 0.1,
    "diffusion.index": 4.0,
    "sources.distribution": "case1996",
    "sources.scale_height": 200.0,
    "local_source.distance": 330.0,
    "local_source.cutoff": 0.025,
}
"""Keys of the job -> values in print (pc, cm^2/s, PV)."""
PRINTED = "as printed"
REFITTED = "refitted"
CONSISTENT = "consistent kernel"
MODES = {(False, "isotropic"): PRINTED, (True, "isotropic"): REFITTED,
         (True, "anisotropic"): CONSISTENT}  # fmt: skip
"""(Normalisations are fitted, kernel of the local source) -> mode."""
RATIO, RATIO_SLOPE = 0.01, 0.32
"""D_perp/D_par at R0 and its exponent where nothing else is said."""


def modes(results):
    """Mode -> case with the paper's ratio of D_perp to D_par, every set-up checked.

    Raises
    ------
    ResultError
        Another model than the paper's, or no case of any mode.
    """
    found = {}
    for case in results.each_case():
        check_setup(case, SETUP)
        job = case.job
        if (job.local_field.ratio, job.local_field.ratio_slope) != (RATIO, RATIO_SLOPE):
            continue
        mode = MODES.get((job.injection.normalisation == "fitted", job.local_source.kernel))
        if mode is not None and case.complete:
            found.setdefault(mode, case)
    if not found:
        raise ResultError(f"{results.path}: no finished case with D_perp/D_par = {RATIO:g} and the"
                          f" exponent {RATIO_SLOPE:g}")  # fmt: skip
    return found


def parts(files):
    """Part ("own", "cut") -> its file.

    Raises
    ------
    ResultError
        Two files of one part, or none with sources up to the halo's rim.
    """
    found = {}
    for results in files:
        first = next(iter(results.each_case()))
        part = "cut" if first.job.sources.largest_radius < first.job.halo.radius else "own"
        if part in found:
            raise ResultError(f"{results.path}: a second file with the same sources as"
                              f" {found[part].path}")  # fmt: skip
        found[part] = results
    if "own" not in found:
        raise ResultError(f"{files[0].path}: the table needs the job's own sources, which fill the"
                          " halo; a file with others adds to it")  # fmt: skip
    return found
