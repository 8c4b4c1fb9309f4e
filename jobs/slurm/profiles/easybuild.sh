# Modules made by EasyBuild: a toolchain (foss: GCC and Open MPI) and what was built with it.
# `module avail HDF5` shows the versions; the last part of each name belongs to the toolchain.
[ "$(type -t module)" = function ] || . /etc/profile.d/modules.sh  # not every batch shell has it
module purge
module load ${HPC_CR_MODULES:-foss/2023b Python/3.11.5-GCCcore-13.2.0 HDF5/1.14.3-gompi-2023b}
. "$venv/bin/activate"
