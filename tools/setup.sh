#!/usr/bin/env bash
# Makes .venv with everything hpc_cr needs, h5py built against a parallel HDF5. See `make help`.
#
#   HPC_CR_APT=0       never call apt (it is called only as root, and only for what is missing)
#   HPC_CR_SERIAL=1    take h5py without MPI from PyPI: same program, rank 0 writes the file
#   HPC_CR_PYTHON=...  the Python to use (>= 3.11); default: the first suitable one on PATH
#
# The system's Python is never touched. Output goes to .venv/setup.log, one line per step to the
# terminal. The built h5py wheel is kept in ${XDG_CACHE_HOME:-~/.cache}/hpc_cr/wheels.
set -u
cd "$(dirname "$0")/.." || exit 1
. tools/find_mpi.sh
unset PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX   # modules set these; .venv stands alone
unset PYTHONDONTWRITEBYTECODE   # without compiled modules each start takes seconds longer
export PIP_DISABLE_PIP_VERSION_CHECK=1 DEBIAN_FRONTEND=noninteractive

stamp=.venv/hpc_cr-setup
log=.venv/setup.log
serial=${HPC_CR_SERIAL:-$([ -e .venv/hpc_cr-serial ] && echo 1 || echo 0)}
begin=$SECONDS

# ---- reporting ------------------------------------------------------------------------------

complain() { printf '%s\n' "$*" | fold -s -w 100 >&2; exit 1; }

work() {  # work NAME TEXT COMMAND...: runs a step, in its own log, and says how long it took
    local name=$1 text=$2 start=$SECONDS status; shift 2
    "$@" >".venv/setup-$name.log" 2>&1 </dev/null
    status=$?
    { echo "==== $text"; cat ".venv/setup-$name.log"; } >>$log
    if [ $status = 0 ]; then
        printf '  %-58s %4d s\n' "$text" $((SECONDS - start))
        rm -f ".venv/setup-$name.log"
    else
        { echo "  $text FAILED; the end of $log:"; tail -n 25 ".venv/setup-$name.log"; } >&2
    fi
    return $status
}

stop_children() { kill $(jobs -p) 2>/dev/null; }
trap stop_children EXIT
trap 'exit 130' INT TERM

# ---- what is there --------------------------------------------------------------------------

python_is_suitable() {  # new enough, and really there (pyenv's shims exist without their Python)
    command -v "$1" >/dev/null && "$1" -c '
import sys
sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null
}

find_python() {
    local candidate
    PYTHON=''
    for candidate in ${HPC_CR_PYTHON:-python3 python3.11 python3.12 python3.13 python3.14}; do
        if python_is_suitable "$candidate"; then
            PYTHON=$("$candidate" -c 'import sys; print(sys.executable)')
            return
        fi
    done
}

python_from_apt() {  # the distribution's name for a Python >= 3.11
    grep -qsE '^VERSION_ID="?22\.04' /etc/os-release && echo python3.11 || echo python3
}

venv_works() { .venv/bin/python -m pip --version >/dev/null 2>&1 && python_is_suitable .venv/bin/python; }

missing_packages() {  # the Debian packages for what is not there
    local py
    if [ -z "$PYTHON" ]; then
        py=$(python_from_apt)
        echo "$py" "$py-venv" "$py-dev"
    elif [[ $PYTHON == /usr/bin/* ]]; then    # another Python brings its own venv and headers
        py=python$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || echo "$py-venv"
        [ "$serial" = 1 ] || [ -e "$(python_header)" ] || echo "$py-dev"
    fi
    [ "$serial" = 1 ] && return
    command -v cc >/dev/null || echo gcc libc6-dev
    [ -n "$MPICC" ] || echo openmpi-bin libopenmpi-dev
    [ -n "$H5_LIB" ] || case $MPI_NAME in
        mpich*) echo libhdf5-mpich-dev ;;
        *) echo libhdf5-openmpi-dev ;;
    esac
}

python_header() {
    "$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("include") + "/Python.h")'
}

apt_install() {
    apt-get update &&
        apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
}

say_what_is_missing() {  # one paragraph: what was looked for, what to load, the way without it
    local lacks=()
    [ -n "$PYTHON" ] || lacks+=("a Python from 3.11 to 3.14")
    [ -z "$PYTHON" ] || "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
        lacks+=("the venv module of $PYTHON")
    if [ "$serial" != 1 ]; then
        [ -n "$MPICC" ] || lacks+=("an MPI (mpirun and mpicc on PATH)")
        [ -n "$H5_LIB" ] || lacks+=("a parallel HDF5 (HDF5_DIR, h5pcc, a conda environment)")
        [ -z "$PYTHON" ] || [ -e "$(python_header)" ] || lacks+=("the C headers of $PYTHON")
    fi
    [ ${#lacks[@]} = 0 ] && return
    local list=${lacks[0]} item
    for item in "${lacks[@]:1}"; do list="$list; $item"; done
    complain "hpc_cr set-up: not found: $list. Load what your machine offers and repeat, for" \
        "example 'module load python openmpi hdf5-parallel' (or hdf5/1.14-mpi; the HDF5 must be" \
        "built with the MPI you load, and HDF5_DIR may name its folder), or activate a conda" \
        "environment with python, openmpi-mpicc and hdf5=*=mpi_openmpi*. On Debian or Ubuntu" \
        "'make setup' as root installs it by apt (unless HPC_CR_APT=0). 'make setup" \
        "HPC_CR_SERIAL=1' does without parallel HDF5: same program, rank 0 writes the file."
}

# ---- the environment ------------------------------------------------------------------------

requirements() {  # requirements NAME...: the lines of setup.cfg for these, or all but h5py
    "$PYTHON" - "$@" <<'PY'
import configparser, re, sys
cfg = configparser.ConfigParser()
cfg.read("setup.cfg")
extras = cfg["options.extras_require"]
lines = f'{cfg["options"]["install_requires"]} {extras["test"]} {extras["data"]}'.split()
named = {re.match(r"[\w-]+", line)[0]: line for line in lines}
print(*([named[n] for n in sys.argv[1:]] or [v for k, v in named.items() if k != "h5py"]))
PY
}

pip() { .venv/bin/python -m pip "$@"; }

# Bytecode is compiled on first import: most of what scipy and astropy bring is never imported.
install() { pip install --no-compile --prefer-binary "$@"; }

make_venv() {  # anew if it is broken, or was copied here from elsewhere (scripts hold its path)
    venv_works && { [ ! -e $stamp ] || [ "$(cat $stamp)" = "$(pwd -P)" ]; } && return
    rm -rf .venv/bin .venv/include .venv/lib .venv/lib64 .venv/pyvenv.cfg
    "$PYTHON" -m venv .venv
}

install_base() {
    # h5py's build takes these from .venv: in a build environment of its own, pip would compile
    # mpi4py from source for ten minutes. setuptools below 77 rejects h5py.
    install 'setuptools>=77,<81' wheel packaging pkgconfig 'cython>=3.1,<4' \
        $(requirements numpy mpi4py) && install $(requirements numba pydantic click)
}

install_rest() { install $(requirements); }

h5py_works() {
    .venv/bin/python -c 'import h5py, sys; sys.exit(not h5py.get_config().mpi)' 2>/dev/null
}

wheel_folder() {  # one folder per combination that a built wheel depends on
    local versions
    versions=$(.venv/bin/python -c '
import sys, platform
from importlib.metadata import version
print("%s%d%d-%s" % (sys.implementation.name, *sys.version_info[:2], platform.machine()), end="-")
print("numpy" + version("numpy"), "mpi4py" + version("mpi4py"), sep="-")')
    local place
    place=$(printf '%s\n' "$MPICC" "$H5_INC" "$H5_LIB" | cksum | cut -d ' ' -f 1)
    echo "${XDG_CACHE_HOME:-$HOME/.cache}/hpc_cr/wheels/$versions-$MPI_NAME-hdf5_$H5_VERSION-$place"
}

build_h5py() {
    local folder; folder=$(wheel_folder)
    mkdir -p "$folder" || return
    if ! compgen -G "$folder/h5py-*.whl"; then
        printf '[build_ext]\nparallel=%d\n' "$(env -u OMP_NUM_THREADS nproc)" >.venv/dist.cfg
        # Not optimised: h5py only hands calls on, and this halves the time. The path of the
        # libraries goes in, so that the file works without the module that was loaded.
        env -u HDF5_DIR CC="$MPICC" CFLAGS="-O1 -g0" LDFLAGS="-Wl,-rpath,$H5_LIB" HDF5_MPI=ON \
            HDF5_INCLUDEDIR="$H5_INC" HDF5_LIBDIR="$H5_LIB" DIST_EXTRA_CONFIG="$PWD/.venv/dist.cfg" \
            .venv/bin/python -m pip wheel --no-deps --no-build-isolation --no-cache-dir \
            --no-binary=h5py -w "$folder.new$$" "$(requirements h5py)" || return
        mv "$folder.new$$"/h5py-*.whl "$folder"/ && rmdir "$folder.new$$"
    fi
    pip install --no-compile --no-deps --no-index --force-reinstall "$folder"/h5py-*.whl
}

install_h5py() {
    if [ "$serial" = 1 ]; then
        install "$(requirements h5py)"
    elif ! h5py_works; then
        build_h5py && h5py_works
    fi
}

check_parallel_write() {  # two ranks really write one file: MPI, mpi4py, h5py and HDF5 fit
    timeout 100 tools/mpirun.sh 2 .venv/bin/python tools/check_parallel.py .venv/check.h5 && return
    echo "mpi4py, h5py and $MPICC do not fit. Where mpi4py does not find that MPI's library," \
        "LD_LIBRARY_PATH or MPI4PY_LIBMPI must name it, in set-up and later runs alike."
    return 1
}

install_package() {
    pip install --no-compile --no-deps --no-build-isolation -e .
}

is_complete() {  # nothing to do: nothing changed since the last time, and it is still there
    local file
    [ "$(cat $stamp 2>/dev/null)" = "$(pwd -P)" ] && [ -x .venv/bin/python ] || return
    for file in setup.cfg pyproject.toml tools/setup.sh tools/find_mpi.sh; do
        [ $file -nt $stamp ] && return 1
    done
    if [ "$serial" = 1 ]; then
        [ -e .venv/hpc_cr-serial ]
    else
        [ ! -e .venv/hpc_cr-serial ] && command -v mpirun >/dev/null
    fi
}

# ---- the set-up -----------------------------------------------------------------------------

main() {
    is_complete && return
    mkdir -p .venv
    if command -v flock >/dev/null; then    # a second make waits here for the first
        exec 9>.venv/lock
        flock 9
        is_complete && return
    fi
    : >$log
    echo "hpc_cr set-up (log in $log)"

    find_python; find_mpi
    local packages; packages=$(missing_packages | xargs)
    if [ -n "$packages" ] && [ "$(id -u)" = 0 ] && [ "${HPC_CR_APT:-1}" != 0 ] &&
        command -v apt-get >/dev/null; then
        echo "  apt-get update && apt-get install -y --no-install-recommends $packages"
    else
        packages=''
        say_what_is_missing
    fi

    # Without a Python, apt comes first; else it runs beside pip. 9>&- : the lock stays here.
    local apt_job='' build_job
    if [ -n "$packages" ]; then
        if [[ $packages == *python3* ]]; then
            work apt "apt: $packages" apt_install $packages || exit 1
            find_python
        else
            work apt "apt: MPI and parallel HDF5" apt_install $packages 9>&- &
            apt_job=$!
        fi
    fi
    work venv ".venv with $("$PYTHON" -V) ($PYTHON)" make_venv || exit 1
    work base "numpy, numba, mpi4py, build tools" install_base || exit 1
    [ -z "$apt_job" ] || wait $apt_job || exit 1
    find_mpi
    say_what_is_missing

    local kind="parallel HDF5 $H5_VERSION, $MPI_NAME"
    [ "$serial" = 1 ] && kind="without MPI"
    work h5py "h5py ($kind)" install_h5py 9>&- & build_job=$!
    work rest "astropy, healpy, matplotlib and the others" install_rest || exit 1
    wait $build_job || exit 1
    work package "hpc_cr itself, editable" install_package || exit 1
    rm -f .venv/hpc_cr-serial
    if [ "$serial" = 1 ]; then
        touch .venv/hpc_cr-serial
    else
        work check "two ranks write one file" check_parallel_write || exit 1
    fi
    pwd -P >$stamp
    printf '  %-58s %4d s\n' "set-up complete (activate it: . .venv/bin/activate)" $((SECONDS - begin))
}

main
