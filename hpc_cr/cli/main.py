"""`hpc-cr`: the group of commands, its errors and exit status.

Exit status: 0 complete; 1 two result files have different numbers (diff); 2 the command line, a
job file or a result file is wrong, said in one line on stderr; 75 stopped by a signal; 130
interrupted at the keyboard; anything else a failure.
"""

import os
import sys
from importlib import import_module

import click

from hpc_cr import __version__
from hpc_cr.cli.streams import open_closed

COMMANDS = {
    "run": "Run a job, alone or under mpirun or srun.",
    "plan": "Check a job without running it: settings, scales, memory, cost.",
    "submit": "Submit a job to SLURM: script, wall time and memory from its plan.",
    "info": "Show what a result file holds, also while a job writes it.",
    "check": "Compare the finished entries of result files with their checksums.",
    "diff": "Say what differs between two result files: job, provenance, numbers.",
    "merge": "Join the result files of blocks of one job into one.",
    "figure": "Draw a figure from one or several result files.",
    "paper": "Compare a result file with a published paper: statements and figures.",
    "detect": "What a detector sees of a result file's dipoles: energy bin, band, frame.",
    "data": "List the measurements that figures show, or renew them.",
    "jobs": "List the shipped jobs, or print one to start from.",
}
"""Command -> line in the help; module hpc_cr.cli.NAME defines `command`."""

EXIT_WRONG_INPUT = 2
EXIT_INTERRUPTED = 130

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                     "NUMBA_NUM_THREADS")

_RANK_VARIABLES = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID")


class Commands(click.Group):
    """Commands that are imported only when called; the help needs none of them."""

    def list_commands(self, ctx):
        return list(COMMANDS)

    def get_command(self, ctx, name):
        return import_module(f"hpc_cr.cli.{name}").command if name in COMMANDS else None

    def format_commands(self, ctx, formatter):
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx, args):
        name = args[0] if args else ""
        if name and name not in COMMANDS and not name.startswith("-"):
            from hpc_cr.config.errors import nearest

            guess = nearest(name, COMMANDS)
            hint = f"did you mean {guess}?" if guess else f"the commands are {', '.join(COMMANDS)}"
            raise click.UsageError(f"{name}: no such command; {hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]},
             no_args_is_help=False, invoke_without_command=True)
@click.version_option(__version__, prog_name="hpc-cr", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx):
    """Cosmic-ray anisotropies by backtracking particles through turbulent magnetic fields.

    Start with `hpc-cr jobs`, then `hpc-cr plan JOB.toml` and `mpirun hpc-cr run JOB.toml`.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(argv=None):
    """Run the command line and exit with its status.

    Parameters
    ----------
    argv : list of str, optional
        Arguments without the program's name; default `sys.argv[1:]`.
    """
    sys.exit(run(argv))


def run(argv=None):
    """The same as `main`, but returns the exit status."""
    # One core per rank, before numpy is imported: thread pools of the libraries would fight with
    # the other ranks, and their sums depend on the number of threads.
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    open_closed()
    try:
        status = cli.main(argv, prog_name="hpc-cr", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        return _complain(_usage(error))
    except BrokenPipeError:
        # the reader of a pipe has gone, as in `hpc-cr jobs quickstart | head -1`; stdout is
        # pointed elsewhere so that the interpreter's own last flush finds nobody missing
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError as error:
        return _complain(f"not enough memory on this machine: {error or 'use smaller grids'}")
    except Exception as error:
        from hpc_cr.config.errors import JobError
        from hpc_cr.io.errors import ResultError

        if not isinstance(error, JobError | ResultError):
            raise
        return _complain(str(error))
    return status if isinstance(status, int) else 0


def _usage(error):
    """One line from click's message, with the command it belongs to."""
    text = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    if context is None or context.parent is None:
        return f"{text} (see hpc-cr --help)" if context else text
    name = context.command_path.partition(" ")[2]  # "run", or "data show"
    return f"{name}: {text} (see hpc-cr {name} --help)"


def _complain(line):
    """Say what is wrong, once per MPI job: the ranks all read the same command line."""
    rank = next((os.environ[name] for name in _RANK_VARIABLES if name in os.environ), "0")
    if rank == "0":
        print(f"hpc-cr: {line}", file=sys.stderr, flush=True)
    return EXIT_WRONG_INPUT
