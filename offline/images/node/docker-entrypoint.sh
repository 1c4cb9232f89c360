#!/bin/sh
# Runs a command, as the official image does: what is an option or no program goes to Node, scripts among it.
set -eu
if [ $# -gt 0 ]; then
  case $1 in
    -*) set -- node "$@" ;;
    *) if ! command -v "$1" >/dev/null || { [ -f "$1" ] && ! [ -x "$1" ]; }; then set -- node "$@"; fi ;;
  esac
fi
exec "$@"
