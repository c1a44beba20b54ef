# syntax=docker/dockerfile:1
# One image with every binary of ESS; compose.yml chooses which one a container runs.

FROM rust:1.95.0-trixie AS chef
RUN cargo install cargo-chef --version 0.1.78 --locked
WORKDIR /src
# The image brings zlib's headers, and the binaries would then want its library at run time.
ENV LIBZ_SYS_STATIC=1

FROM chef AS planner
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

# Dependencies in a layer of their own: a change of our code does not build them again.
FROM chef AS builder
COPY --from=planner /src/recipe.json recipe.json
RUN cargo chef cook --locked --profile dist --recipe-path recipe.json \
    --package ess-command-api --package ess-projector --package ess-query-api --package ess-load
COPY . .
RUN cargo build --locked --profile dist \
    --package ess-command-api --package ess-projector --package ess-query-api --package ess-load

FROM debian:13.5-slim AS runtime
# curl is what the health checks call.
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
# By number, so that a check for "not root" need not read the image's user database.
USER 10001:10001
