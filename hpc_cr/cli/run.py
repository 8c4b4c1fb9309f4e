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
@click.option("--block", metavar="I/N",
              help="Compute block I (1 to N) of N even blocks of the job's realisations only, for"
              " `hpc-cr merge`; default file: the job's name with -IofN.h5.")
@click.option("--resume", is_flag=True,
              help="Complete an existing file, or extend it by what the job asks for more"
              " (realisations, rigidities, observers, cases); start a missing one.")
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def command(job, output, overrides, block, resume, overwrite, quiet):
    """Run JOB.toml and write what its kind of job measures to one HDF5 file.

    Exit status: 0 complete; 2 something in the command line, job or result file is wrong; 75
    stopped by a signal, finished entries kept (--resume goes on).
    """
    if resume and overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other")
    from hpc_cr.cli.streams import lasting_streams
    from hpc_cr.parallel.signals import StopSignals

    with lasting_streams(), StopSignals() as signals:
        sys.exit(_run(signals, job, output, overrides, block, resume, overwrite, quiet))


def _run(signals, path, output, overrides, block, resume, overwrite, quiet):
    """Exit status of the run, the same on all ranks; rank 0 prints."""
    from hpc_cr.io.errors import ResultError
    from hpc_cr.parallel.communicator import AgreedError, agree, failing_together, world
    from hpc_cr.parallel.ending import limit_exit
    from hpc_cr.parallel.heartbeat import START_SECONDS, watched_start

    comm, deadline = None, START_SECONDS
    try:
        comm = world()
        with failing_together(comm, plain=(ResultError, MemoryError)):
            from hpc_cr.campaigns import campaign
            from hpc_cr.cli.progress import Progress, make_progress

            with watched_start(comm):
                job = agree(comm, lambda: _job(path, overrides, block), JobError)
            deadline = job.parallel.deadline
            output = output or Path(f"{job.name}{_ending(block)}.h5")
            progress = make_progress(quiet) if comm.rank == 0 else Progress()
            for warning in job.warnings:
                progress.note(f"warning: {warning}")
            outcome = campaign.run(job, output, comm, signals, resume=resume,
                                   overwrite=overwrite, progress=progress)
        if not outcome.complete:
            # also on ranks that were only told: srun -K sends SIGTERM once the first has ended
            signals.received = signals.received or outcome.stopped_by
        status = _conclude(outcome, output, quiet, comm.rank)
    except AgreedError as error:
        # every rank is here with the same error: one of them speaks
        if comm is None or comm.rank == 0:
            print(f"hpc-cr: {error}", file=sys.stderr, flush=True)
        status = 2
    if comm is not None:
        limit_exit(comm, deadline)
    return status


def _conclude(outcome, output, quiet, rank):
    """Say how it ended (rank 0); the exit status."""
    from hpc_cr.parallel.signals import EXIT_STOPPED

    if not outcome.complete:
        if rank == 0:
            print(f"hpc-cr: stopped by {outcome.stopped_by}; finished entries are kept in {output},"
                  " --resume goes on", file=sys.stderr, flush=True)
        return EXIT_STOPPED
    if rank == 0 and not quiet:
        from hpc_cr.cli.summary import print_summary

        print_summary(output)
    return 0


def _job(path, overrides, block):
    """The job, or one block of its realisations."""
    from hpc_cr.config import load_job
    from hpc_cr.config.blocks import block_of, parse_block

    if block is None:
        return load_job(path, overrides)
    try:
        part = parse_block(block)
    except JobError as error:
        raise error.at("--block") from None
    job = load_job(path, overrides)
    try:
        return block_of(job, *part)
    except JobError as error:
        raise error.at(f"{path}: --block {block}") from None


def _ending(block):
    """Of the default file's name: "-2of8" for block 2/8."""
    from hpc_cr.config.blocks import parse_block

    return "" if block is None else "-{}of{}".format(*parse_block(block))
