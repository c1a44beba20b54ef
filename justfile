# Short names for what README.md names in full. Needs https://just.systems; everything works without it.

# List what there is.
default:
    @just --list

# Start the whole system on this machine.
up *ARGS:
    ./start.sh {{ ARGS }}

# Stop it; with --wipe remove its data.
down *ARGS:
    cargo xtask down {{ ARGS }}

# Say what runs.
status:
    cargo xtask status

# Run every test, against a Kafka and a ClickHouse of its own.
test *ARGS:
    cargo xtask test {{ ARGS }}

# Measure: `just bench projector`, `just bench freshness`.
bench *ARGS:
    cargo xtask bench {{ ARGS }}

# Put load on a running system and prove that nothing was lost: `just load steady --set stages.0.rate=500`.
load *ARGS:
    cargo run --release -p ess-load -- run {{ ARGS }}

# Hand arbitrary bytes to what reads requests: `just fuzz --seconds 600`.
fuzz *ARGS:
    cargo xtask fuzz {{ ARGS }}

# Run every check and every test, as the build server does.
ci:
    cargo xtask ci
