#!/usr/bin/env bash
# Install the tools for the widgets' JavaScript, or run its checks: run.sh install | lint | test.
# Without Node 20 it says how many checks are left out, and goes on.
set -euo pipefail
cd "$(dirname "$0")"

# vitest needs 20.19 or a later one.
recent='const [major, minor] = process.versions.node.split("."); process.exitCode = major * 100 + +minor < 2019 ? 1 : 0'
if ! node --eval "$recent" 2>/dev/null || ! command -v npm >/dev/null; then
    case $1 in
        install) exit 0 ;;
        lint) count=2 ;; # biome, tsc
        test) count=$(cat ./*.test.js | grep -c '^test(') ;;
    esac
    echo "skipped: $count JavaScript checks, because Node 20 is not installed"
    exit 0
fi

case $1 in
    install)
        npm ci --no-audit --no-fund --loglevel=error
        touch node_modules/.made
        ;;
    lint) npm run --silent lint && npm run --silent types ;;
    test) npm run --silent test ;;
esac
