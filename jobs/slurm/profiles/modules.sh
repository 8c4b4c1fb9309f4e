# Environment modules (Lmod or Tcl): compiler, MPI, parallel HDF5 and Python of one hierarchy, the
# same that were loaded for make setup. `module avail` or `module spider hdf5` tells the names.
[ "$(type -t module)" = function ] || . /etc/profile.d/modules.sh  # not every batch shell has it
module purge
module load ${HPC_CR_MODULES:-gcc openmpi hdf5-parallel python}
. "$venv/bin/activate"
