"""Work against precision of the integrators: which one, and how many steps per gyroradius.

    python -m tools.studies.work_precision [--share 1]

writes every number to results/study_work_precision.json, tables to stdout and two figures beside
the JSON file; about nine minutes of one core, 17 with --share 1. Parts can be run alone; they are
added to the file.
"""

import json
import os
from pathlib import Path

# One core; before numpy is imported.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import click  # noqa: E402

PARTS = {"trajectories": "errors of single trajectories", "response": "errors of M and D"}


def trajectory_part(realisations, say):
    """Errors of single trajectories: {field: {interpolation: {references, curves}}}."""
    from tools.studies import trajectory_errors as study

    found = {}
    for name in study.FIELDS:
        for interpolation in ("trilinear", study.SMOOTH):
            curves, apart = study.measure(
                study.make_job(name, interpolation, realisations),
                say=lambda text, at=f"{name}, {interpolation}": say(f"{at}: {text}"))
            found.setdefault(name, {})[interpolation] = {
                "references_apart": apart.tolist(),
                "curves": [{"name": c.name, "settings": c.settings, "work": c.work.tolist(),
                            "error": c.error.tolist()} for c in curves]}
    return found


def response_of_regime(regime, say):
    """Differences of M and D of one regime of `response_errors`, ready for JSON."""
    from tools.studies.response_errors import differences, false_scattering, measure

    job, skies = regime.job, measure(regime, say)
    entry = {"gyroradius_pc": job.gyroradii[0], "shortest_wave_pc": job.shortest_wave,
             "coherence_length_pc": job.coherence_length,
             "stops_pc": job.stops[0].tolist(), "steps_pc": regime.steps.tolist(),
             "false_scattering": [false_scattering(job.turbulence, h) for h in regime.steps],
             "candidates": list(regime.candidates),
             "skies": skies.shape[3], "particles": skies.shape[3] * job.n_pix}
    for quantity, values in zip(("response", "diffusion"), skies, strict=True):
        entry[quantity] = {key: value.tolist()
                           for key, value in differences(values, regime.steps)._asdict().items()}
    return entry


@click.command(epilog="Parts: " + "; ".join(f"{k}: {v}" for k, v in PARTS.items()))
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--realisations", type=click.IntRange(min=1), default=4, show_default=True,
              help="Fields for the errors of single trajectories.")
@click.option("--share", type=click.FloatRange(min=0, min_open=True), default=0.5,
              show_default=True, help="Share of the skies for M and D; the docs have 1.")
@click.option("--regime", "only", multiple=True, metavar="NAME",
              help="Only this regime of M and D; may be repeated.")
@click.option("-o", "--output", type=click.Path(path_type=Path), show_default=True,
              default="results/study_work_precision.json", help="JSON file with every number.")
def command(parts, realisations, share, only, output):
    """Measure the named parts (all by default), print tables and draw figures."""
    from rich.console import Console

    from tools.studies import work_precision_report as report
    from tools.studies.response_errors import regimes

    output.parent.mkdir(parents=True, exist_ok=True)

    def add(part, entries):
        """Write entries of a part beside what the file holds."""
        held = json.loads(output.read_text()) if output.exists() else {}
        held.setdefault(part, {}).update(entries)
        output.write_text(json.dumps(held, indent=1) + "\n")

    known = {regime.name: regime for regime in regimes(share)}
    if unknown := [name for name in only if name not in known]:
        raise click.UsageError(f"no regime {unknown[0]!r}; there are {', '.join(known)}")
    with Console(stderr=True).status("") as status:
        if not parts or "trajectories" in parts:
            add("trajectories", trajectory_part(realisations, status.update))
        if not parts or "response" in parts:
            for name in only or known:
                add("response", {name: response_of_regime(known[name], status.update)})
    found, screen = json.loads(output.read_text()), Console()
    for table in report.tables(found):
        screen.print(table)
    for path in [output, *report.draw(found, output)]:
        screen.print(f"written: {path}", highlight=False)


if __name__ == "__main__":
    command(prog_name="python -m tools.studies.work_precision")
