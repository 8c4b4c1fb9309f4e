"""Which interpolation of the turbulent grids: accuracy, memory and time of each.

    python -m tools.studies.interpolation

Measures the error of the field, its divergence, response and running diffusion coefficient of
particles of 1 PV in 4 uG, without and with a strong uniform field, and time (see
interpolation_measures.py), writes
results/study_interpolation.json and .png and prints the tables. Realisations that are in the file
already are kept: with more asked for, the study goes on.
"""

import json
import os
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy is imported

import click  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import Progress  # noqa: E402

from tools.studies import interpolation_measures as measures  # noqa: E402
from tools.studies.interpolation_report import draw, tables  # noqa: E402

KERNEL_CELLS = 128


@click.command()
@click.option("--realisations", type=click.IntRange(min=2), default=40, show_default=True,
              help="Random fields for response and diffusion, per set-up.")
@click.option("--fields", type=click.IntRange(min=2), default=6, show_default=True,
              help="Random fields for the error of the field and its divergence.")
@click.option("--rounds", type=click.IntRange(min=2), default=9, show_default=True,
              help="Repetitions of each timing.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False),
              default=Path("results/study_interpolation.json"), show_default=True)
def command(realisations, fields, rounds, output):
    """Measure what is missing in OUTPUT, and report."""
    found = json.loads(output.read_text()) if output.exists() else {}
    settings = {"rigidity_PV": measures.RIGIDITY, "longest_pc": measures.L_MAX,
                "shortest_pc": measures.R_G / 5, "levels": measures.LEVELS,
                **{name: json.loads(json.dumps(setup._asdict()))
                   for name, setup in measures.SETUPS.items()}}
    if found and found["settings"] != settings:
        raise click.ClickException(f"{output} was made with other settings; remove it")
    found.setdefault("settings", settings)
    fields_found = found.setdefault("field", [])
    transport = found.setdefault("transport", {})
    with Progress(console=Console(stderr=True)) as progress:
        def stage(text, total):
            task = progress.add_task(text, total=total)
            return lambda: progress.advance(task)

        def keep():
            output.parent.mkdir(parents=True, exist_ok=True)
            part = output.with_suffix(".part")
            part.write_text(json.dumps(found))
            part.replace(output)

        if "time" not in found:
            kernels = len(measures.KERNELS) * 2
            found["time"] = {
                "kernel": measures.kernel_seconds(
                    rounds, KERNEL_CELLS, tick=stage("kernels", rounds * kernels)),
                "plain": measures.curl_seconds(rounds, stage("plain code", rounds * 2))}
            keep()
        tick = stage("field", max(fields - len(fields_found), 0))
        for realisation in range(len(fields_found), fields):
            fields_found.append(measures.field_realisation(realisation))
            keep()
            tick()
        for name, setup in measures.SETUPS.items():
            done = transport.setdefault(name, [])
            missing = max(realisations - len(done), 0)
            tick = stage(name, missing * len(setup.cases()))
            for realisation in range(len(done), realisations):
                done.append(measures.transport_realisation(setup, realisation, tick))
                keep()
    print(tables(found))
    figure = output.with_suffix(".png")
    draw(found, figure)
    print(f"numbers in {output}, figure in {figure}")


if __name__ == "__main__":
    command(prog_name="python -m tools.studies.interpolation")
