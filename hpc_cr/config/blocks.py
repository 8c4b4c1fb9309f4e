"""Parts of a job: blocks of its realisations, which several runs compute and `merge` joins."""

import re

from hpc_cr.config.errors import JobError, shown


def with_realisations(job, ranges):
    """The same job for other realisations.

    Parameters
    ----------
    job : Job
    ranges : mapping of str to (int, int)
        First realisation and number of them, by the case's name.

    Returns
    -------
    Job
        With the name and the cases of `job`.
    """
    cases = [case._replace(job=_limited(case.job, *ranges[case.name])) for case in job.cases]
    named = [name for name, _ in cases if name]
    return cases[0].job.named(job.name, cases if named else ())


def _limited(job, first, count):
    update = {"first_realisation": int(first), "realisations": int(count)}
    run = job.run.model_copy(update=update)
    return job.model_copy(update={"run": run}).named(job.name)


def parse_block(text):
    """Number I and count N of "I/N", I = 1 to N.

    Raises
    ------
    JobError
        Where the text is something else.
    """
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text, re.ASCII)
    number, count = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= number <= count:
        raise JobError(f"{shown(text)}: expected I/N, block I = 1 to N of N blocks, such as 2/8")
    return number, count


def block_of(job, number, count):
    """Block `number` (from 1) of `count` even blocks of a job's realisations.

    Parameters
    ----------
    job : Job
    number, count : int
        Blocks differ by one realisation at most; one after the other they are the whole job.

    Returns
    -------
    Job

    Raises
    ------
    JobError
        There are fewer realisations than blocks.
    """
    ranges = {}
    for case in job.cases:
        first, total = case.job.run.first_realisation, case.job.run.realisations
        if count > total:
            where = f"case {case.name}" if case.name else ""
            raise JobError(f"{total} realisations cannot be split into {count} blocks; N of I/N is"
                           f" at most {total}", "run.realisations", where)
        begin, end = total * (number - 1) // count, total * number // count
        ranges[case.name] = (first + begin, end - begin)
    return with_realisations(job, ranges)
