"""`python -m hpc_cr` is the same as `hpc-cr`."""

from hpc_cr.cli.main import main

if __name__ == "__main__":
    main()
