#!/usr/bin/env bash
# Install what Python wheels leave to the system, where it is missing:
#   libegl1, libgl1   skia-python, which draws the training scenes
#   chromium          the browser tests (it brings a font, too)
set -euo pipefail
missing=()
for pair in libEGL.so.1=libegl1 libGL.so.1=libgl1; do
    ldconfig -p 2>/dev/null | grep -q "${pair%%=*}" || missing+=("${pair##*=}")
done
# The names that tests/browser/conftest.py looks for.
command -v chromium chromium-browser google-chrome >/dev/null || missing+=(chromium)
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "installing ${missing[*]} with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
else
    {
        echo "=============================================================================="
        echo "missing: ${missing[*]} (Debian's names)"
        echo "This is not root on Debian, so nothing was installed. Without libegl1 and"
        echo "libgl1 the tests that draw are SKIPPED, without chromium the browser tests."
        echo "=============================================================================="
    } >&2
fi
