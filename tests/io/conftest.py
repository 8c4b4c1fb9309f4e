"""Jobs and result files shared by the tests of this folder."""

import pytest
import synthetic_results

from hpc_cr.config import parse_job


@pytest.fixture(scope="session")
def job():
    return parse_job(synthetic_results.JOB, name="synthetic")


@pytest.fixture(scope="session")
def cases_job():
    return parse_job(synthetic_results.JOB + synthetic_results.CASES, name="synthetic")


@pytest.fixture(scope="session")
def complete(tmp_path_factory, job):
    """A complete file without cases; not to be changed."""
    return synthetic_results.write(tmp_path_factory.mktemp("results") / "complete.h5", job)


@pytest.fixture(scope="session")
def partial(tmp_path_factory, cases_job):
    """A file with two cases, every third entry done; not to be changed."""
    path = tmp_path_factory.mktemp("results") / "partial.h5"
    return synthetic_results.write(path, cases_job, finished=lambda n, row, rig: n % 3 == 0)
