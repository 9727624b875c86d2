# redial in a container of its own: docs/service.md says how it is run.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /redial
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/redial/target \
    cargo build --release --locked --package cli --bin redial \
    && cp target/release/redial /usr/local/bin/redial

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --user-group --no-create-home redial \
    && install --directory --owner=redial --group=redial --mode=0700 /data
COPY --from=build /usr/local/bin/redial /usr/local/bin/redial
# From outside the container its own loopback address cannot be reached. `serve` does not listen elsewhere without
# REDIAL_API_KEYS.
ENV REDIAL_LISTEN=0.0.0.0:8080 \
    DATABASE_URL=sqlite:/data/redial.db
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["redial"]
CMD ["serve"]
