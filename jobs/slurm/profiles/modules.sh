# Environment modules (Lmod or Tcl): compiler, MPI, parallel HDF5 and Python of one hierarchy, the
# same that were loaded for make setup. `module avail` or `module spider hdf5` tells the names.
for file in /etc/profile.d/{modules,lmod,z00_lmod}.sh; do  # not every batch shell has read it
    [ "$(type -t module)" = function ] || [ ! -r "$file" ] || . "$file"
done
[ "$(type -t module)" = function ] || { say "no module command on $SLURMD_NODENAME"; exit 2; }
module purge
module load ${HPC_CR_MODULES:-gcc openmpi hdf5-parallel python} || {
    say "module load failed: HPC_CR_MODULES names what is to be loaded"
    exit 2
}
. "$venv/bin/activate"
