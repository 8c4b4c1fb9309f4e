# Debian or Ubuntu with SLURM of the distribution. On every node, as root:
#   apt-get install openmpi-bin libopenmpi3 libhdf5-openmpi-103-1 slurm-wlm slurm-client
# (the numbers change with the release; make setup names and installs what its version wants).
. "$venv/bin/activate"
