# Finds an MPI and the parallel HDF5 that belongs to it. Sourced by setup.sh; sets
#   MPICC, MPI_NAME       the MPI compiler wrapper, and a word such as openmpi-4.1.4
#   H5_INC, H5_LIB        folders of the parallel HDF5
#   H5_VERSION            such as 1.10.8
# and leaves them empty where nothing was found. An HDF5 is parallel when its own header says so.

mpi_flavour() {  # prints openmpi-VERSION, mpich-VERSION or mpi-0, from what mpirun says of itself
    local text version flavour=mpi
    text=$( (mpirun --version || mpiexec --version) 2>&1 </dev/null)
    case $text in
        *"Open MPI"* | *OpenRTE*) flavour=openmpi ;;
        *HYDRA* | *[Mm][Pp][Ii][Cc][Hh]*) flavour=mpich ;;
        *Intel*) flavour=intelmpi ;;
    esac
    version=$(grep -oE '[0-9]+\.[0-9]+(\.[0-9]+)?' <<<"$text" | head -n 1)
    echo "$flavour-${version:-0}"
}

parallel_hdf5_at() {  # parallel_hdf5_at INCLUDE LIB: true, and sets H5_*, if that is a parallel HDF5
    [ -d "$1" ] && [ -d "$2" ] || return 1
    grep -qsE '^#define H5_HAVE_PARALLEL +1' "$1"/H5pubconf*.h || return 1
    compgen -G "$2/libhdf5.*" >/dev/null || return 1
    H5_INC=$1 H5_LIB=$2
    H5_VERSION=$(grep -hsoE 'HDF5 library version: [0-9.]+' "$1/H5public.h" | grep -oE '[0-9.]+$')
    H5_VERSION=${H5_VERSION:-unknown}
}

find_hdf5() {
    local root wrapper
    H5_INC='' H5_LIB='' H5_VERSION=''
    parallel_hdf5_at "${HDF5_INCLUDEDIR:-/none}" "${HDF5_LIBDIR:-/none}" && return
    # What the user names or loads comes first, the distribution's own last.
    local roots=("${HDF5_DIR:-}" "${HDF5_ROOT:-}" "${HDF5_HOME:-}")
    for wrapper in h5pcc h5cc; do
        command -v $wrapper >/dev/null || continue
        roots+=("$($wrapper -showconfig 2>/dev/null | sed -n 's/.*Installation point: *//p')")
    done
    roots+=("${CONDA_PREFIX:-}" /usr/lib/*/hdf5/"${MPI_NAME%%-*}")
    for root in "${roots[@]}"; do
        [ -n "$root" ] || continue
        parallel_hdf5_at "$root/include" "$root/lib" && return
        parallel_hdf5_at "$root/include" "$root/lib64" && return
    done
    return 1
}

find_mpi() {
    MPICC='' MPI_NAME=''
    hash -r
    if command -v mpirun >/dev/null || command -v mpiexec >/dev/null; then
        MPICC=$(command -v "${MPICC_COMMAND:-mpicc}" || true)
        MPI_NAME=$(mpi_flavour)
    fi
    find_hdf5 || true
}
