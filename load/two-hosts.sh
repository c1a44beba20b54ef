#!/usr/bin/env bash
# Runs a load scenario with the load generator, the services and the stores in three network namespaces of this machine, joined by
# veth pairs, so that every message between them crosses a link. `tc netem` adds delay and loss; on a kernel without netem the script
# reports that and runs without them. The namespaces share the cores of the machine: the run shows that the parts work on separate
# hosts, and the effect of a slow or lossy link. It does not measure three machines.
#
#   ess-load 10.251.1.1 --- 10.251.1.2 ess-api 10.251.2.2 --- 10.251.2.3 ess-store
#            10.251.3.1 ------------------------------------ 10.251.3.3            (the proof reads ClickHouse)
#
# The stores listen on the loopback only, and Kafka advertises 127.0.0.1:9092; socat forwards to them from the other namespaces.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly LOAD=ess-load API=ess-api STORE=ess-store
readonly CLICKHOUSE_PORT=8123 KAFKA_PORT=9092
readonly READY_TIMEOUT=60

delay=1ms
loss=0%
scenario=steady
reports=target/two-hosts
options=()
made=()
pids=()
stores_started=false

usage() {
  cat <<'TEXT'
usage: load/two-hosts.sh [OPTIONS] [-- OPTIONS OF ess-load run]

  --delay TIME       one way, on each link (default 1ms; 0ms: none)
  --loss PERCENT     of packets, each way, on each link (default 0%)
  --scenario NAME    scenario of ess-load run (default steady)
  --set KEY=VALUE    override a field of the scenario; repeatable
  --reports DIR      folder of report.json, report.html and all logs (default target/two-hosts)
  --help             show this help

Needs root, ip, tc, socat, curl, and network namespaces with veth in the kernel. Environment:
  ESS_BIN_DIR        folder of the binaries command-api, query-api, projector and ess-load; by default the script builds them (release)
  ESS_XTASK          command that starts and stops the stores (default: cargo xtask)
TEXT
}

say() { printf 'two-hosts: %s\n' "$*"; }

fail() {
  printf 'two-hosts: %s\n' "$*" >&2
  exit 1
}

value_of() {
  [ "$2" -ge 2 ] || fail "$1 needs a value (--help)"
}

parse() {
  while [ "$#" -gt 0 ]; do
    case "$1" in
      --delay) value_of "$1" "$#"; delay=$2; shift 2 ;;
      --loss) value_of "$1" "$#"; loss=$2; shift 2 ;;
      --scenario) value_of "$1" "$#"; scenario=$2; shift 2 ;;
      --set) value_of "$1" "$#"; options+=(--set "$2"); shift 2 ;;
      --reports) value_of "$1" "$#"; reports=$2; shift 2 ;;
      --help | -h) usage; exit 0 ;;
      --) shift; options+=("$@"); break ;;
      *) fail "unknown option $1 (--help)" ;;
    esac
  done
  [[ $delay =~ ^[0-9]+(\.[0-9]+)?(us|ms|s)$ ]] || fail "--delay $delay is not a time such as 1ms"
  [[ $loss =~ ^[0-9]+(\.[0-9]+)?%$ ]] || fail "--loss $loss is not a share such as 0.5%"
}

# Reports everything that is missing at once.
require() {
  local missing=() needed tool package
  [ "$EUID" -eq 0 ] || missing+=("root: network namespaces need CAP_SYS_ADMIN and CAP_NET_ADMIN; run it with sudo")
  for needed in ip:iproute2 tc:iproute2 socat:socat curl:curl; do
    tool=${needed%%:*} package=${needed##*:}
    command -v "$tool" >/dev/null || missing+=("$tool: apt-get install -y $package")
  done
  if [ -z "${ESS_BIN_DIR:-}" ] || [ -z "${ESS_XTASK:-}" ]; then
    command -v cargo >/dev/null || missing+=("cargo: https://rustup.rs")
  fi
  # A namespace has no way out to fetch anything.
  [ -d "${ESS_PARTS_DIR:-.parts}" ] ||
    missing+=("Kafka and ClickHouse are not fetched: cargo xtask up --stores-only && cargo xtask down")
  [ "${#missing[@]}" -eq 0 ] && return
  printf 'two-hosts: missing: %s\n' "${missing[@]}" >&2
  exit 1
}

refuse_existing() {
  local there=() name
  for name in "$LOAD" "$API" "$STORE"; do
    [ ! -e "/run/netns/$name" ] || there+=("$name")
  done
  [ "${#there[@]}" -eq 0 ] ||
    fail "namespaces exist: ${there[*]}; unless another run uses them, remove each with: ip netns delete NAME"
}

inside() {
  local namespace=$1
  shift
  ip netns exec "$namespace" "$@"
}

# In reverse order: services before stores, stores before their network.
clean_up() {
  local status=$? at name
  trap - EXIT
  trap '' INT TERM
  set +e
  for ((at = ${#pids[@]} - 1; at >= 0; at--)); do
    kill "${pids[at]}" 2>/dev/null
    wait "${pids[at]}" 2>/dev/null
  done
  if "$stores_started"; then
    xtask down
    rm -rf "$ESS_RUN_DIR/data"
  fi
  for name in "${made[@]}"; do
    ip netns delete "$name"
  done
  say "stopped its processes and removed its namespaces"
  exit "$status"
}

# `ESS_XTASK` may be several words.
xtask() {
  local words
  read -r -a words <<<"${ESS_XTASK:-cargo xtask}"
  "${words[@]}" "$@"
}

add_namespaces() {
  local name
  for name in "$LOAD" "$API" "$STORE"; do
    ip netns add "$name" || fail "no network namespace can be made: the kernel needs CONFIG_NET_NS, and this user CAP_SYS_ADMIN"
    made+=("$name")
    inside "$name" ip link set lo up
  done
}

# Creates both ends inside their namespaces, which remove them at the end.
join() {
  local left=$1 left_address=$2 right=$3 right_address=$4
  ip link add "to-$right" netns "$left" type veth peer name "to-$left" netns "$right" ||
    fail "no veth pair can be made: the kernel needs CONFIG_VETH (modprobe veth), and this user CAP_NET_ADMIN"
  inside "$left" ip address add "$left_address/24" dev "to-$right"
  inside "$right" ip address add "$right_address/24" dev "to-$left"
  inside "$left" ip link set "to-$right" up
  inside "$right" ip link set "to-$left" up
}

impair() {
  local answer link
  local links=("$LOAD to-$API" "$API to-$LOAD" "$API to-$STORE" "$STORE to-$API" "$LOAD to-$STORE" "$STORE to-$LOAD")
  if [[ $delay =~ ^[0.]+(us|ms|s)$ && $loss =~ ^[0.]+%$ ]]; then
    say "links without delay or loss"
    return
  fi
  if ! answer=$(inside "$LOAD" tc qdisc add dev lo root netem delay 0ms 2>&1); then
    say "this kernel has no netem (CONFIG_NET_SCH_NETEM, modprobe sch_netem); running without delay and loss. tc: $answer"
    return
  fi
  inside "$LOAD" tc qdisc delete dev lo root
  for link in "${links[@]}"; do
    inside "${link% *}" tc qdisc add dev "${link#* }" root netem delay "$delay" loss "$loss" limit 100000
  done
  say "every link has delay $delay and loss $loss each way"
}

# Starts a program in the background, with a log of its own, and records its pid.
launch() {
  local namespace=$1 name=$2
  shift 2
  # ip executes the program: the pid is that of the program.
  ip netns exec "$namespace" "$@" >"$reports/logs/$name.log" 2>&1 </dev/null &
  pids+=("$!")
  last_pid=$!
}

forward() {
  launch "$1" "forward-$1-$2-$3" socat "TCP-LISTEN:$3,bind=$2,fork,reuseaddr,nodelay" "TCP:$4:$3,nodelay"
}

until_ready() {
  local name=$1 namespace=$2 url=$3 pid=$4 deadline=$((SECONDS + READY_TIMEOUT))
  until inside "$namespace" curl --silent --fail --max-time 2 --output /dev/null "$url"; do
    kill -0 "$pid" 2>/dev/null || fail "$name ended before it was ready: $reports/logs/$name.log"
    [ "$SECONDS" -lt "$deadline" ] || fail "$name is not ready after $READY_TIMEOUT s: $reports/logs/$name.log"
    sleep 0.2
  done
  say "$name: ready"
}

start_stores() {
  stores_started=true
  inside "$STORE" env -u KAFKA_BROKERS -u CLICKHOUSE_URL CARGO_NET_OFFLINE=true \
    bash -c "$(declare -f xtask); xtask up --stores-only" ||
    fail "the stores did not start; their logs: $ESS_RUN_DIR/logs"
  forward "$STORE" 10.251.2.3 "$KAFKA_PORT" 127.0.0.1
  forward "$STORE" 10.251.2.3 "$CLICKHOUSE_PORT" 127.0.0.1
  forward "$STORE" 10.251.3.3 "$CLICKHOUSE_PORT" 127.0.0.1
  forward "$API" 127.0.0.1 "$KAFKA_PORT" 10.251.2.3
  forward "$API" 127.0.0.1 "$CLICKHOUSE_PORT" 10.251.2.3
  until_ready "forward-$API-127.0.0.1-$CLICKHOUSE_PORT" "$API" "http://127.0.0.1:$CLICKHOUSE_PORT/ping" "$last_pid"
}

# No one else is on these links, so the services need no credentials.
start_services() {
  local name address
  export ESS_ALLOW_UNAUTHENTICATED=true KAFKA_BROKERS="127.0.0.1:$KAFKA_PORT" CLICKHOUSE_URL="http://127.0.0.1:$CLICKHOUSE_PORT"
  export COMMAND_API_ADDR=10.251.1.2:8000 QUERY_API_ADDR=10.251.1.2:8001 PROJECTOR_ADDR=10.251.1.2:8002
  inside "$API" "$binaries/projector" init
  for name in command-api:8000 projector:8002 query-api:8001; do
    address=10.251.1.2:${name##*:} name=${name%%:*}
    launch "$API" "$name" "$binaries/$name"
    options+=(--pid "$name=$last_pid")
    until_ready "$name" "$API" "http://$address/health/ready" "$last_pid"
  done
}

run_scenario() {
  local answer=0
  inside "$LOAD" "$binaries/ess-load" run "$scenario" \
    --url http://10.251.1.2:8000 --query-url http://10.251.1.2:8001 --projector-url http://10.251.1.2:8002 \
    --clickhouse-url "http://10.251.3.3:$CLICKHOUSE_PORT" --run-dir "$ESS_RUN_DIR" \
    --json "$reports/report.json" --html "$reports/report.html" "${options[@]}" || answer=$?
  say "the report: $reports/report.html and report.json; logs: $reports/logs and $ESS_RUN_DIR/logs"
  return "$answer"
}

parse "$@"
require
refuse_existing
mkdir -p "$reports/logs"
reports=$(realpath "$reports")
export ESS_RUN_DIR=$reports/run
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

add_namespaces
join "$LOAD" 10.251.1.1 "$API" 10.251.1.2
join "$API" 10.251.2.2 "$STORE" 10.251.2.3
join "$LOAD" 10.251.3.1 "$STORE" 10.251.3.3
impair
if [ -z "${ESS_BIN_DIR:-}" ]; then
  cargo build --release -p ess-command-api -p ess-query-api -p ess-projector -p ess-load
fi
binaries=${ESS_BIN_DIR:-${CARGO_TARGET_DIR:-target}/release}
start_stores
start_services
run_scenario
