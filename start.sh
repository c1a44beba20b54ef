#!/usr/bin/env bash
# Starts the complete system on this machine.
#   ./start.sh              as processes (cargo xtask up; --help lists the options)
#   ./start.sh --release    as processes with full optimization, for load tests; takes longer to compile
#   ./start.sh --docker     as containers; requires a running Docker engine
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [ "${1:-}" = "--docker" ]; then
  shift
  if ! docker info >/dev/null 2>&1; then
    echo "start.sh: no Docker engine answers. Start it, or run ./start.sh without --docker, which needs no Docker." >&2
    exit 1
  fi
  if ! docker compose version >/dev/null 2>&1; then
    echo "start.sh: the Docker compose plugin is missing. Install it (Debian: docker-compose-plugin or docker-compose-v2)." >&2
    exit 1
  fi
  docker compose up -d --build --wait "$@"
  echo "ESS is running. Write: http://127.0.0.1:8000/docs  Read: http://127.0.0.1:8001/docs  Stop: docker compose down"
  exit 0
fi

# rustup installs into a folder that may not be in the PATH of this shell yet.
[ -d "$HOME/.cargo/bin" ] && PATH="$PATH:$HOME/.cargo/bin"
if ! command -v cargo >/dev/null 2>&1; then
  echo "start.sh: cargo is not installed. Install Rust with:" >&2
  echo "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y" >&2
  exit 1
fi
# xtask is built with the C linker.
if ! command -v cc >/dev/null 2>&1; then
  echo "start.sh: the C compiler cc is missing. Install one with: apt-get install -y gcc g++ make" >&2
  exit 1
fi
[ -x target/debug/xtask ] || echo "start.sh: compiling cargo xtask (about a minute)" >&2
exec cargo xtask up "$@"
