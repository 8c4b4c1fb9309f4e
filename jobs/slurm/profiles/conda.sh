# conda or mamba: the environment hpc_cr (HPC_CR_CONDA_ENV) with its own MPI and
# parallel HDF5, made with: conda env create -f tools/environment.yml
conda_root=$(dirname "$(dirname "${CONDA_EXE:-$HOME/miniforge3/bin/conda}")")
. "$conda_root/etc/profile.d/conda.sh"
conda activate "${HPC_CR_CONDA_ENV:-hpc_cr}"
