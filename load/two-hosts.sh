#!/bin/sh
# Puts the load generator, the services and the stores into network namespaces of their own, joined by veth pairs with a delay and a
# loss of packets, and runs a scenario across them: what a network between hosts costs, on one machine.
#
#   load/two-hosts.sh [SCENARIO [OPTION of ess-load run]...]      as root
#   DELAY=2ms LOSS=0.1% load/two-hosts.sh steady --set stages.0.rate=500
#
# A machine or kernel that cannot do this is told with what is missing, and nothing is started. Built binaries are expected in
# BIN (target/release); Kafka and ClickHouse are started by `cargo xtask up` in the namespace of the stores.
set -eu

DELAY=${DELAY:-1ms}
LOSS=${LOSS:-0%}
ROOT=$(cd "$(dirname "$0")/.." && pwd)
BIN=${BIN:-$ROOT/target/release}
SCENARIO=${1:-predecessor-small}
[ $# -eq 0 ] || shift

missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing
  $1: apt-get install -y $2"; }
need ip iproute2
need tc iproute2
need curl curl
for binary in ess-load command-api projector query-api; do
  [ -x "$BIN/$binary" ] || missing="$missing
  $BIN/$binary: cargo build --release -p ess-load -p ess-command-api -p ess-projector -p ess-query-api"
done
if [ -n "$missing" ]; then
  echo "two-hosts: missing:$missing" >&2
  exit 69
fi

probe=ess-probe-$$
if ! reason=$(ip netns add "$probe" 2>&1); then
  echo "two-hosts: this kernel or user may make no network namespace (CAP_NET_ADMIN and CAP_SYS_ADMIN are needed; run as root): $reason" >&2
  exit 69
fi
can() { "$@" >/dev/null 2>"/tmp/$probe" || {
  echo "two-hosts: the kernel refuses \"$*\": $(cat "/tmp/$probe"); veth (CONFIG_VETH) and netem (CONFIG_NET_SCH_NETEM) are needed" >&2
  ip netns del "$probe"; rm -f "/tmp/$probe"; exit 69; }; }
can ip -n "$probe" link add ess-a type veth peer name ess-b
can tc -n "$probe" qdisc add dev ess-a root netem delay 1ms
ip netns del "$probe"
rm -f "/tmp/$probe"
