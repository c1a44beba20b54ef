# syntax=docker/dockerfile:1
# One image with all ESS binaries. compose.yml selects the binary of each container.

FROM rust:1.95.0-trixie AS chef
RUN cargo install cargo-chef --version 0.1.78 --locked
WORKDIR /src
# The base image has the headers of zlib. Without this setting, the binaries would link to its shared library.
ENV LIBZ_SYS_STATIC=1

FROM chef AS planner
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

# Dependencies have a layer of their own, so that a code change does not rebuild them.
FROM chef AS builder
COPY --from=planner /src/recipe.json recipe.json
RUN cargo chef cook --locked --profile dist --recipe-path recipe.json \
    --package ess-command-api --package ess-projector --package ess-query-api --package ess-load
COPY . .
RUN cargo build --locked --profile dist \
    --package ess-command-api --package ess-projector --package ess-query-api --package ess-load

FROM debian:13.5-slim AS runtime
# The health checks call curl.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin ess
COPY --from=builder \
    /src/target/dist/command-api \
    /src/target/dist/projector \
    /src/target/dist/query-api \
    /src/target/dist/ess-load \
    /usr/local/bin/
# A numeric id, so that a runAsNonRoot check need not read the image's user database.
USER 10001:10001
