# The same steps as `make install`, on a slim image, for a user without root.
FROM python:3.11-slim-bookworm

RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential cmake curl git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 ragnotes \
    && install --directory --owner ragnotes /app /notes /index

WORKDIR /app
USER 10001
COPY --chown=10001 pyproject.toml constraints.txt Makefile README.md ./
COPY --chown=10001 ragnotes ragnotes
RUN make install

ENV PATH=/app/.venv/bin:$PATH \
    RAGNOTES_CORPUS=/notes \
    RAGNOTES_INDEX=/index
VOLUME ["/notes", "/index"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["curl", "--fail", "--silent", "http://127.0.0.1:8000/health"]

# Outside its container the service is reached by a published port, so it binds every address and needs RAGNOTES_API_KEY.
CMD ["ragnotes", "serve", "--host", "0.0.0.0", "--port", "8000"]
