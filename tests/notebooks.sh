#!/usr/bin/env bash
# Run the tutorials and compare their marked cells with what is committed:
#   tests/notebooks.sh PYTHON shipped   on the shipped model
#   tests/notebooks.sh PYTHON real      on the real model, where the reference files are
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1
# Widgets run at once and raise what goes wrong.
export WASINN_NB_RAISE=1
run() {
    "$python" -m pytest -p no:cacheprovider -c /dev/null --rootdir=. --noconftest \
        --nbval-lax --nbval-cell-timeout=120 "$@" notebooks
}
case $2 in
shipped)
    echo "== notebooks, on the shipped model"
    run --nbval-sanitize-with notebooks/sanitize.cfg
    ;;
real)
    shared=${WASINN_NB_SHARED:-../shared}
    if [ ! -d "$shared/models" ]; then
        echo "== notebooks on the real model: skipped, no reference files (set WASINN_NB_SHARED)"
        exit
    fi
    echo "== notebooks, on road-segmentation-adas-0001 and a photograph"
    # Figures differ from model to model, so they are masked; formats and agreements are compared.
    export WASINN_NB_PATH=$(realpath "$shared/models")
    export WASINN_NB_MODEL=road-segmentation-adas-0001
    export WASINN_NB_IMAGE=$(realpath "$shared/images/empty_road_mapillary.jpg")
    run --nbval-sanitize-with notebooks/sanitize-any-model.cfg
    ;;
*)
    echo "notebooks.sh: expected 'shipped' or 'real', got '$2'" >&2
    exit 2
    ;;
esac
