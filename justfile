# Short names for the commands in README.md. Optional; requires just (https://just.systems).

# List the recipes.
default:
    @just --list

# Start the system on this machine.
up *ARGS:
    ./start.sh {{ ARGS }}

# Stop the system; --wipe removes its data.
down *ARGS:
    cargo xtask down {{ ARGS }}

# List the processes of the system.
status:
    cargo xtask status

# Run every test against its own Kafka and ClickHouse.
test *ARGS:
    cargo xtask test {{ ARGS }}

# Run a benchmark: `just bench projector`, `just bench freshness`.
bench *ARGS:
    cargo xtask bench {{ ARGS }}

# Run a load test on a running system and verify that no event was lost: `just load steady --set stages.0.rate=500`.
load *ARGS:
    cargo run --release -p ess-load -- run {{ ARGS }}

# Fuzz the request parsers: `just fuzz --seconds 600`.
fuzz *ARGS:
    cargo xtask fuzz {{ ARGS }}

# Run every check and every test, as the build server does; `just ci clippy doc` runs single steps.
ci *ARGS:
    cargo xtask ci {{ ARGS }}
