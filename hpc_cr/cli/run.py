"""`hpc-cr run`: run a job, alone or under mpirun or srun."""

import sys
from pathlib import Path

import click

from hpc_cr.config import JobError


@click.command("run")
@click.argument("job", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path),
              help="Result file; default: the job's name with .h5 in the current folder.")
@click.option("--set", "overrides", multiple=True, metavar="KEY.SUB=VALUE",
              help="Change a key of the job (a TOML value, else a string); may be repeated.")
@click.option("--resume", is_flag=True, help="Complete an existing file; start a missing one.")
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def command(job, output, overrides, resume, overwrite, quiet):
    """Run JOB.toml and write dipoles, multipoles and response tensors to one HDF5 file.

    Exit status: 0 complete; 2 something in the command line, job or result file is wrong; 75
    stopped by a signal, finished entries kept (--resume goes on).
    """
    if resume and overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other")
    from hpc_cr.parallel.communicator import abort_on_exception, world

    comm = world()
    abort_on_exception(comm)
    sys.exit(_run(comm, job, output, overrides, resume, overwrite, quiet))


def _run(comm, path, output, overrides, resume, overwrite, quiet):
    """Exit status of the run, the same on all ranks; rank 0 prints."""
    from hpc_cr.campaigns import anisotropy
    from hpc_cr.cli.progress import Progress, make_progress
    from hpc_cr.config import load_job
    from hpc_cr.io.errors import ResultError
    from hpc_cr.parallel.communicator import agree
    from hpc_cr.parallel.signals import EXIT_STOPPED
    from hpc_cr.parallel.teams import SharedMemoryError

    try:
        job = agree(comm, lambda: load_job(path, overrides), JobError)
        output = output or Path(f"{job.name}.h5")
        progress = Progress()
        if comm.rank == 0:
            progress = make_progress(quiet)
            for warning in job.warnings:
                print(f"hpc-cr: warning: {warning}", file=sys.stderr)
        outcome = anisotropy.run(job, output, comm, resume=resume, overwrite=overwrite,
                                 progress=progress)
    except (JobError, ResultError, SharedMemoryError) as error:
        # all ranks are here with the same error: one of them speaks
        if comm.rank == 0:
            print(f"hpc-cr: {error}", file=sys.stderr, flush=True)
        return 2
    if not outcome.complete:
        if comm.rank == 0:
            print(f"hpc-cr: stopped by {outcome.stopped_by}; finished entries are kept in {output},"
                  " --resume goes on", file=sys.stderr, flush=True)
        return EXIT_STOPPED
    if comm.rank == 0 and not quiet:
        from hpc_cr.cli.summary import print_summary

        print_summary(output)
    return 0
