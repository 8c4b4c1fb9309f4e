"""`hpc-cr jobs`: the shipped job files."""

import click


@click.command("jobs")
@click.argument("name", required=False)
def command(name):
    """List the shipped jobs, or print the job NAME to start from.

    \b
    hpc-cr jobs quickstart > my-job.toml
    """
    from hpc_cr.config.errors import JobError, nearest
    from hpc_cr.config.shipped import description, shipped_jobs

    shipped = shipped_jobs()
    if name is None:
        width = max(map(len, shipped), default=0)
        for job, path in shipped.items():
            click.echo(f"{job:{width}}  {description(path)}")
        return
    path = shipped.get(name.removesuffix(".toml"))
    if path is None:
        guess = nearest(name, shipped)
        hint = f"did you mean {guess}?" if guess else f"there are {', '.join(shipped)}"
        raise JobError(f"no such job; {hint}", where=name)
    click.echo(path.read_text(encoding="utf-8"), nl=False)
