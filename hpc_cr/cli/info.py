"""hpc-cr info: what a result file holds."""

import json
import sys

import click
import numpy as np


@click.command(help="What a result file holds: completion, dipoles with errors, provenance.")
@click.argument("out", metavar="OUT.h5", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON, for every stop.")
@click.option("--verify", is_flag=True, help="Compare all finished entries with their checksums.")
def command(out, as_json, verify):
    """Print a result file's facts; a damaged entry found by --verify is an error."""
    from hpc_cr.io.errors import ResultError
    from hpc_cr.io.results import open_results

    with open_results(out) as results:
        damaged = _damaged(results) if verify else []
        if as_json:
            json.dump(_document(results), sys.stdout, indent=2, allow_nan=False)
            print()
        else:
            _print(results)
    if not as_json:
        from hpc_cr.cli.summary import print_summary

        print()
        print_summary(out)
        if verify and not damaged:
            print("Checksums: every finished entry is whole")
    if damaged:
        raise ResultError(
            f"{out}: {len(damaged)} finished entries do not have their checksum, the first:"
            f" {damaged[0]}; run the job again with --resume to compute them anew"
        )


def _damaged(results):
    """Damaged entries of all cases, in words."""
    return [
        f"{f'case {case.case}, ' if case.case else ''}row {row}, rigidity {rig}"
        for case in results.each_case()
        for row, rig in case.damaged()
    ]


def _document(results):
    """The JSON document; undefined numbers are null."""
    cases = list(results.each_case())
    done, total = sum(int(c.done.sum()) for c in cases), sum(c.done.size for c in cases)
    document = {
        "format_version": results.provenance["format_version"],
        "complete": done == total,
        "done": done,
        "total": total,
        "results": [
            _result(case, summary)
            for case in cases
            for summary in _by_rigidity([case.summary(i) for i in range(case.stops.shape[1])])
        ],
        "provenance": {**results.provenance, "runs": results.runs},
    }
    return _valid(document)


def _by_rigidity(summaries):
    """From stop by stop to rigidity by rigidity, stops ascending."""
    return [s for rigidity in zip(*summaries, strict=True) for s in rigidity]


def _result(case, s):
    rig = int(np.argmin(np.abs(case.rigidities - s.rigidity)))
    return {
        "case": case.case,
        "rigidity_PV": s.rigidity,
        "stop": s.stop,
        "stop_kind": case.stop_kind,
        "stop_unit": "pc",
        "n": s.n,
        "n_realisation": s.n_realisation,
        "gradient_per_pc": s.gradient,
        "dipole_mean": s.mean_amplitude,
        "dipole_mean_error": s.mean_amplitude_error,
        "dipole_median": s.median,
        "dipole_median_error": s.median_error,
        "dipole_scatter": s.scatter,
        "dipole_scatter_error": s.scatter_error,
        "dipole_rms_debiased": s.rms_debiased,
        "noise_floor": s.noise_floor,
        "vector_mean": s.vector_mean,
        "vector_mean_error": s.vector_mean_error,
        "direction_lb_deg": s.direction,
        "direction_error_deg": s.direction_error_deg,
        "expectation": s.expectation,
        "expectation_error": s.expectation_error,
        "steps": int(case.steps[:, rig].sum()),
        "core_seconds": float(case.seconds[:, rig].sum()),
        "unfinished": int(case.unfinished[:, rig].sum()),
        "over_tolerance": int(case.over_tolerance[:, rig].sum()),
    }


def _valid(value):
    """The same in types that JSON has."""
    if isinstance(value, dict):
        return {key: _valid(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_valid(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _print(results):
    """The file's facts, one per line."""
    facts, job = results.provenance, results.job
    commit = facts.get("commit", "unknown")[:12]
    dirty = ", with uncommitted changes" if facts.get("dirty") == 1 else ""
    lines = {
        "file": str(results.path),
        "job": f"{facts['job']} (run.kind {job.run.kind}, seed {job.run.seed})",
        "cases": ", ".join(filter(None, results.case_names)),
        "rows": f"{job.run.realisations} realisations x {job.particles.observers} observers",
        "written by": f"hpc_cr {facts.get('version')} (commit {commit}{dirty})",
        "libraries": ", ".join(
            f"{name} {facts[name]}"
            for name in ("python", "numpy", "scipy", "numba", "h5py", "hdf5", "mpi4py", "pyfftw",
                         "healpy")
            if facts.get(name, "none") != "none"
        ),
        "mpi": facts.get("mpi"),
        "machine": f"{facts.get('host')}, {facts.get('cpu')}",
        "command": facts.get("command"),
    }
    for run in results.runs:
        scheduler = f", SLURM job {run['job_id']}" if run["job_id"] else ""
        lines[f"run {len(lines)}"] = (
            f"{run['started']} to {run['ended'] or '?'} on {run['host']},"
            f" {run['ranks']} ranks in teams of {run['team_size']}{scheduler}:"
            f" {run['entries']} entries, {run['state']}"
        )
    for name, text in lines.items():
        if text:
            print(f"{'run' if name.startswith('run ') else name:12s}{text}")
