#!/bin/sh
# Runs a command; what is none, an option or a script's name, is given to Node, as the official image does it.
set -eu
if [ $# -gt 0 ]; then
  program=$(command -v "$1") || program=""
  case $1 in
    -*) set -- node "$@" ;;
    *) [ -n "$program" ] && [ -x "$program" ] || set -- node "$@" ;;
  esac
fi
exec "$@"
