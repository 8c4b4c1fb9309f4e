"""What differs between kinds of job in how their work is shared out."""

from importlib import import_module

from hpc_cr.campaigns import galaxy, work, workshop


def workshop_of(kind):
    """The class of what ranks compute entries of a kind of job with."""
    return galaxy.Workshop if kind == "galaxy" else workshop.Workshop


def make_tasks(cases, done, n_teams):
    """Tasks for what is missing, longest first; see `work.make_tasks`, `galaxy.make_tasks`."""
    module = galaxy if cases[0].job.run.kind == "galaxy" else work
    return module.make_tasks(cases, done, n_teams)


def entry_cost(job, rig):
    """What one entry of a case's job is expected to cost, in `unit_of_work`."""
    return (galaxy if job.run.kind == "galaxy" else work).entry_cost(job, rig)


def planning_of(kind):
    """The module that measures what a job will take: measure_cases, core_seconds, wall_seconds."""
    return import_module(f"hpc_cr.campaigns.{'galaxy_' if kind == 'galaxy' else ''}planning")


def unit_of_work(kind):
    """What entries' costs and `status/steps` count, in the plural."""
    return "unknowns" if kind == "galaxy" else "particle-steps"
