"""`hpc-cr plan`: what a job is and needs, without running it."""

from pathlib import Path

import click


@click.command("plan")
@click.argument("job", type=click.Path(path_type=Path))
@click.option("--ranks", type=click.IntRange(min=1), default=1, show_default=True,
              help="MPI ranks the run will have, for its wall time and memory.")
@click.option("--set", "overrides", multiple=True, metavar="KEY.SUB=VALUE",
              help="Change a key of the job, as for `hpc-cr run`.")
@click.option("--compile", "only_compile", is_flag=True,
              help="Check the job, compile its kernels and stop.")
def command(job, ranks, overrides, only_compile):
    """Check JOB.toml and print its settings, scales, memory and cost.

    Measures a few seconds of tracking per rigidity on this machine's core.
    """
    from hpc_cr.config import load_job

    job = load_job(job, overrides)
    if only_compile:
        _compile(job)
        return
    print(f"# {job.name}: the job with every default resolved\n")
    print(job.to_toml())
    for case in job.cases:
        (_galaxy if job.run.kind == "galaxy" else _scales)(case)
    for warning in job.warnings:
        print(f"warning: {warning}")
    if job.run.kind == "galaxy":
        _needs_of_galaxy(job, ranks)
    else:
        _needs(job, ranks)


def _compile(job):
    """Fill the cache of compiled kernels, for batch scripts: before all ranks ask for them."""
    import time

    from hpc_cr.campaigns.warm_up import load_kernels
    from hpc_cr.cli.terminal import duration
    from hpc_cr.kernel import alone_in_cache
    from hpc_cr.parallel import watchdog

    began = time.monotonic()
    with alone_in_cache(lambda: False):
        load_kernels(job)
        watchdog.load()
    print(f"hpc-cr: {job.name}: kernels ready after {duration(time.monotonic() - began)}")


def _scales(case):
    """Physical scales and grids of one case."""
    from hpc_cr.config.scales import kept_power
    from hpc_cr.frames import lon_lat

    job = case.job
    title = f'case "{case.name}"' if case.name else "scales"
    print(f"# {title}")
    print(f"  reference field sqrt(B0^2 + B_rms^2)   {job.b_ref:.4g} uG")
    print(f"  coherence length L_c (two-sided)       {job.coherence_length:.4g} pc")
    print(f"  wavelengths L_max ... L_min            {job.turbulence.outer_scale:.4g} ..."
          f" {job.turbulence.inner_scale:.4g} pc")
    kind = {"time": "times c T", "sphere": "radii", "halo": "longest path"}[job.boundary.kind]
    if job.regular.model == "jf12":
        longitude, latitude = lon_lat(job.regular_field)
        print(f"  regular field at the Sun               {job.regular_strength:.4g} uG towards"
              f" l = {longitude:.1f}, b = {latitude:.1f} deg; elsewhere scales differ")
    if job.strongest_field > job.b_ref:
        print(f"  strongest field of the Galaxy          {job.strongest_field:.4g} uG with"
              f" turbulence; steps per gyroradius there {_steps_there(job)}")
    for rig, rigidity in enumerate(job.particles.rigidities):
        stops = ", ".join(f"{stop:.4g}" for stop in job.stops[rig])
        print(f"  {rigidity:8.4g} PV: r_g {job.gyroradii[rig]:.4g} pc, estimated mean free path"
              f" {job.mean_free_paths[rig]:.4g} pc, {kind} {stops} pc")
    if job.levels:
        print("  level   box [pc]   waves [pc]          rms [uG]   cell [pc]   cells/shortest wave"
              "   power kept")
    for number, level in enumerate(job.levels):
        cell = level.box / level.cells
        kept = kept_power(level, job.turbulence.slope, job.grids.compensate,
                          job.grids.interpolation)
        print(f"  {number:5d} {level.box:10.4g}   {level.longest:7.4g} - {level.shortest:<7.4g}"
              f" {level.rms:9.4g}  {cell:10.4g}   {level.shortest / cell:19.2f}   {kept:10.3f}")
    print()


def _galaxy(case):
    """Grid, gas and diffusion of one case of a galaxy job."""
    import numpy as np

    from hpc_cr.campaigns.galaxy_setting import diffusion_model, setting
    from hpc_cr.constants import PC_C_CM2_PER_S

    job = case.job
    problem, _ = setting(job)
    grid, model = problem.grid, diffusion_model(job)
    print(f"# case \"{case.name}\"" if case.name else "# scales")
    print(f"  cells {grid.shape[0]} x {grid.shape[1]}, {np.diff(grid.r_edges)[0]:.4g} pc in radius,"
          f" {grid.z_edges[1]:.4g} to {np.diff(grid.z_edges)[-1]:.4g} pc in height")
    near = np.argmin(np.abs(grid.r - job.halo.sun))
    print(f"  hydrogen at the Sun's radius           {problem.gas[near, 0]:.3g} / cm3 in the plane,"
          f" {2 * problem.gas[near] @ np.diff(grid.z_edges):.3g} pc / cm3 through the disc")
    print("  D at the Sun                           " + ", ".join(
        f"{model.at(job.halo.sun, 0.0, at) * PC_C_CM2_PER_S:.3g} cm2/s at {at:g} GV"
        for at in 10.0 ** np.arange(1, 7)))
    axis, unit = job.energy_axis, "GV" if job.energies.per_nucleon is None else "GeV/n"
    print(f"  {len(axis)} energies, {axis[0]:.4g} to {axis[-1]:.4g} {unit}, in steps of"
          f" {100 * (axis[1] / axis[0] - 1):.0f} %; {job.n_row} nuclei")
    print()


def _needs_of_galaxy(job, ranks):
    """Time, memory and file of a galaxy job, measured."""
    from rich.console import Console

    from hpc_cr.campaigns import galaxy_planning as planning
    from hpc_cr.cli.terminal import duration
    from hpc_cr.io.schema import data_bytes

    with Console(stderr=True).status("") as status:
        costs, watch = planning.measure_cases(job, status.update)
    needs = watch.needs(job, ranks)
    total, wall = planning.core_seconds(job, costs), planning.wall_seconds(job, costs, ranks)
    print("# needs")
    print(f"  memory: {needs.rank / 2**20:.0f} MiB per rank, {needs.node / 2**30:.2f} GiB for"
          f" {ranks} rank{'s' if ranks > 1 else ''} on one node (+-25 %)")
    print(f"  result file: {data_bytes(job) / 2**20:.1f} MiB")
    print(f"  in all {total / 3600:.3g} core-hours, about {duration(wall)} on {ranks} rank"
          f"{'s' if ranks > 1 else ''} with a core each of this kind (+-25 %)")


def _steps_there(job):
    """Steps per gyroradius in the strongest field, one per rigidity."""
    from hpc_cr.campaigns.work import plan_of
    from hpc_cr.config.scales import gyroradius

    if job.integrator.method != "boris":
        return "as the tolerance asks for"
    return ", ".join(f"{gyroradius(rigidity, job.strongest_field) / plan_of(job, rig).step:.3g}"
                     for rig, rigidity in enumerate(job.particles.rigidities))


def _needs(job, ranks):
    """Time, memory and file, measured."""
    from rich.console import Console

    from hpc_cr.campaigns import planning
    from hpc_cr.campaigns.experiments import class_of
    from hpc_cr.campaigns.work import memory_bytes
    from hpc_cr.cli.terminal import duration
    from hpc_cr.io.schema import data_bytes

    with Console(stderr=True).status("") as status:
        costs, watch = planning.measure_cases(job, status.update)
    needs = watch.needs(job, ranks)
    grids, particles = memory_bytes(job)
    team = min(job.parallel.team_size, ranks)
    print("# needs")
    print(f"  memory: {grids / 2**20:.0f} MiB of grids and {2 * particles / 2**20:.0f} MiB of"
          f" particles per team of {team}, {needs.rank / 2**20:.0f} MiB per rank with its"
          " libraries")
    print(f"  in all {needs.node / 2**30:.2f} GiB for {ranks} rank{'s' if ranks > 1 else ''} on"
          " one node (+-25 %)")
    print(f"  result file: {data_bytes(job) / 2**20:.1f} MiB")
    kept = class_of(job.run.kind).KEPT
    for case, cost in zip(job.cases, costs, strict=True):
        label = f'case "{case.name}": ' if case.name else ""
        print(f"  {label}synthesis {cost.synthesis_seconds:.2g} s per realisation and core,"
              f" {kept} {cost.measuring_seconds:.2g} s per entry")
        for rig, rigidity in enumerate(case.job.particles.rigidities):
            print(f"    {rigidity:.4g} PV: {cost.steps[rig]:.3g} particle-steps per entry at"
                  f" {1e9 * cost.step_seconds[rig]:.0f} ns:"
                  f" {duration(cost.steps[rig] * cost.step_seconds[rig])}")
    total, wall = planning.core_seconds(job, costs), planning.wall_seconds(job, costs, ranks)
    print(f"  in all {total / 3600:.3g} core-hours, about {duration(wall)} on {ranks} rank"
          f"{'s' if ranks > 1 else ''} with a core each of this kind (+-25 %)")
