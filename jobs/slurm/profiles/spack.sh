# Spack: the environment hpc_cr (HPC_CR_SPACK_ENV), in which .venv was made. To make it:
#   spack env create hpc_cr
#   spack -e hpc_cr add "openmpi schedulers=slurm" "hdf5+mpi" python
#   spack -e hpc_cr install
. "${SPACK_ROOT:-$HOME/spack}/share/spack/setup-env.sh"
spack env activate "${HPC_CR_SPACK_ENV:-hpc_cr}"
. "$venv/bin/activate"
