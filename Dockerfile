# The `custody` command in an image: every dependency from the lock file, checked by hash, and no compiler.
# Nothing runs as root; the root filesystem may be read-only; what is written goes to /data.

FROM python:3.13.5-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    UV_NO_CACHE=1 \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /src
COPY requirements-bootstrap.lock requirements.lock ./
RUN python -m pip install --quiet --require-hashes -r requirements-bootstrap.lock \
 && uv venv /opt/custody \
 && uv pip sync --require-hashes --compile-bytecode --python /opt/custody/bin/python requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY chains chains
COPY mapping mapping
COPY exports exports
COPY verifier verifier
RUN uv pip install --no-deps --no-build-isolation --compile-bytecode --python /opt/custody/bin/python .

FROM python:3.13.5-slim-bookworm
RUN useradd --uid 1000 --user-group --no-create-home --home-dir /data custody \
 && mkdir /data \
 && chown custody:custody /data
COPY --from=build /opt/custody /opt/custody
ENV PATH=/opt/custody/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 1000:1000
WORKDIR /data
VOLUME /data
ENTRYPOINT ["custody"]
CMD ["--help"]
