"""The closing table of an escape job: how long particles stay, and how much gas they cross."""

from hpc_cr.cli.summary import rate_text, rigidity_text, with_error
from hpc_cr.cli.table import plain, print_table
from hpc_cr.io.escape import MYR_PER_PC, NEAR_SUN


def print_results(every, stop, stream):
    """Print mean escape times and grammages; there is one stop, which does not matter."""
    named = any(case.case for case in every)
    header = [*([("case", "")] if named else []), ("rigidity", ""), ("n", ""), ("time", "kpc"),
              ("time", "Myr"), ("median", "Myr"), ("grammage", "g/cm2"), ("near the Sun", "Myr"),
              ("near the Sun", "g/cm2"), ("aside", "%"),
              ("unfinished", "%"), ("steps", "1e6/s/core")]  # fmt: skip
    rows = []
    for case in every:
        for rig, rigidity in enumerate(case.rigidities):
            e, near = case.escapes(rig), case.escapes(rig, NEAR_SUN)
            rows.append([
                *([case.case] if named else []),
                rigidity_text(rigidity),
                str(e.n),
                with_error(e.time, e.time_error, 3),
                with_error(e.time * MYR_PER_PC, e.time_error * MYR_PER_PC, 0),
                with_error(e.median_time * MYR_PER_PC, None, 0),
                with_error(e.grammage, e.grammage_error, 0),
                with_error(near.time * MYR_PER_PC, near.time_error * MYR_PER_PC, 0),
                with_error(near.grammage, near.grammage_error, 0),
                with_error(100 * e.aside, None, 0),
                with_error(100 * e.unfinished, None, 0),
                rate_text(case.steps[:, rig].sum(), case.seconds[:, rig].sum()),
            ])  # fmt: skip
    first = every[0].job
    for line in (
        "Mean over the particles that escaped, of all realisations, +-: standard error; aside:",
        f"share that left through the side of the halo, r = {first.boundary.radius / 1e3:g} kpc,"
        f" not at |z| = {first.boundary.half_height / 1e3:g} kpc;",
        f"near the Sun: of those that started at {NEAR_SUN[0] / 1e3:g} to {NEAR_SUN[1] / 1e3:g} kpc"
        " from the centre;",
        f"unfinished: still inside after {first.boundary.limit * MYR_PER_PC:.3g} Myr, left out",
    ):
        print(plain(line, stream), file=stream)
    print_table(header, rows, stream, dispensable=("steps", "median", "n", "aside"))


def documents(cases):
    """The same for JSON: {"results": [...]}."""
    return {"results": [_result(case, rig) for case in cases
                        for rig in range(len(case.rigidities))]}  # fmt: skip


def _result(case, rig):
    e, near = case.escapes(rig), case.escapes(rig, NEAR_SUN)
    return {
        "case": case.case,
        "rigidity_PV": float(case.rigidities[rig]),
        "n": e.n,
        "n_realisation": e.n_realisation,
        "escape_time_pc": e.time,
        "escape_time_error_pc": e.time_error,
        "escape_time_median_pc": e.median_time,
        "escape_time_Myr": e.time * MYR_PER_PC,
        "escape_time_error_Myr": e.time_error * MYR_PER_PC,
        "grammage_g_per_cm2": e.grammage,
        "grammage_error_g_per_cm2": e.grammage_error,
        "near_sun_radii_pc": list(NEAR_SUN),
        "near_sun_n": near.n,
        "near_sun_escape_time_pc": near.time,
        "near_sun_escape_time_error_pc": near.time_error,
        "near_sun_grammage_g_per_cm2": near.grammage,
        "near_sun_grammage_error_g_per_cm2": near.grammage_error,
        "left_aside": e.aside,
        "unfinished_share": e.unfinished,
        "unfinished": int(case.unfinished[:, rig].sum()),
        "steps": int(case.steps[:, rig].sum()),
        "core_seconds": float(case.seconds[:, rig].sum()),
    }
