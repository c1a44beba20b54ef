#!/usr/bin/env bash
# Brings up the whole system on this machine and leaves it running.
#   ./start.sh              everything as processes (cargo xtask up)
#   ./start.sh --docker     everything as containers, where a Docker engine answers
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [ "${1:-}" = "--docker" ]; then
  shift
  if ! docker info >/dev/null 2>&1; then
    echo "start.sh: no Docker engine answers. Start it, or run ./start.sh without --docker: that needs none." >&2
    exit 1
  fi
  if ! docker compose version >/dev/null 2>&1; then
    echo "start.sh: docker has no compose plugin. Install it (Debian: docker-compose-plugin or docker-compose-v2)." >&2
    exit 1
  fi
  docker compose up -d --build --wait "$@"
  echo "ESS runs. Write: http://127.0.0.1:8000/docs  Read: http://127.0.0.1:8001/docs  Stop: docker compose down"
  exit 0
fi

# rustup installs into a folder that a fresh shell may not have on its path yet.
[ -d "$HOME/.cargo/bin" ] && PATH="$PATH:$HOME/.cargo/bin"
if ! command -v cargo >/dev/null 2>&1; then
  echo "start.sh: cargo is not installed. Install Rust with:" >&2
  echo "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y" >&2
  exit 1
fi
# What starts this system is itself built with a C linker.
if ! command -v cc >/dev/null 2>&1; then
  echo "start.sh: no C compiler. Install one with: apt-get install -y gcc g++ make" >&2
  exit 1
fi
exec cargo xtask up "$@"
