# Modules made by EasyBuild: a toolchain (foss: GCC and Open MPI) and what was built with it.
# `module avail HDF5` shows the versions; the last part of each name belongs to the toolchain.
for file in /etc/profile.d/{modules,lmod,z00_lmod}.sh; do  # not every batch shell has read it
    [ "$(type -t module)" = function ] || [ ! -r "$file" ] || . "$file"
done
[ "$(type -t module)" = function ] || { say "no module command on $SLURMD_NODENAME"; exit 2; }
module purge
module load ${HPC_CR_MODULES:-foss/2023b Python/3.11.5-GCCcore-13.2.0 HDF5/1.14.3-gompi-2023b} || {
    say "module load failed: HPC_CR_MODULES names what is to be loaded"
    exit 2
}
. "$venv/bin/activate"
