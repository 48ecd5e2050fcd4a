#!/usr/bin/env bash
# Install the shared libraries that Python wheels leave to the system, where they are missing.
#   libegl1, libgl1: skia-python, which draws the training scenes
set -euo pipefail
missing=()
for pair in libEGL.so.1=libegl1 libGL.so.1=libgl1; do
    ldconfig -p 2>/dev/null | grep -q "${pair%%=*}" || missing+=("${pair##*=}")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "installing ${missing[*]} with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
else
    echo "missing system libraries: ${missing[*]} (Debian's names); tests that draw will be skipped" >&2
fi
