#!/usr/bin/env bash
# beside.sh SECOND FIRST: run two lines of shell at the same time; one works while the other waits.
# What SECOND prints comes after the end of both. It fails where either fails.
set -uo pipefail
log=$(mktemp)
set -m # a process group of its own, which can be ended
bash -ec "$1" >"$log" 2>&1 &
second=$!
set +m
trap 'kill -- "-$second" 2>/dev/null; rm -f "$log"' EXIT
status=0
bash -ec "$2" || status=$?
if [ "$status" -gt 1 ]; then # interrupted, or it could not begin
    exit "$status"
fi
wait "$second" || status=$?
cat "$log"
exit "$status"
