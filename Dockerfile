# Two images from one file: `serve` (the default, the last stage: a CPU service without torch) and `train` (with torch).

FROM python:3.11-slim AS base
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PATH=/opt/glassbot/bin:$PATH \
    # The file system is read-only; what insists on a place to write finds /tmp.
    HOME=/tmp
WORKDIR /opt/glassbot
RUN useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin glassbot

# ---- what is installed, in the versions of requirements/; pip writes the bytecode now, because nothing can be written later
FROM base AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/glassbot
WORKDIR /src
COPY requirements requirements
# The dependencies have a layer of their own, so that a change in the code does not install them again.
RUN pip install -r requirements/serve.txt

FROM build AS wheel
RUN pip install -r requirements/build.txt
COPY . .
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheel .

FROM build AS build-train
RUN pip install -r requirements/train.txt
COPY --from=wheel /wheel /wheel
RUN pip install --no-deps /wheel/*.whl

FROM build AS build-serve
COPY --from=wheel /wheel /wheel
# What installs packages has no work in a service.
RUN pip install --no-deps /wheel/*.whl && pip uninstall --yes setuptools pip

# ---- the bill of materials of the service: CycloneDX, written by a tool that stays outside
FROM base AS sbom
RUN python -m venv /tmp/tools
COPY requirements/dev.txt pyproject.toml /tmp/
RUN /tmp/tools/bin/pip install --no-cache-dir --disable-pip-version-check -c /tmp/dev.txt cyclonedx-bom
COPY --from=build-serve /opt/glassbot /opt/glassbot
RUN /tmp/tools/bin/cyclonedx-py environment --pyproject /tmp/pyproject.toml --mc-type application --output-reproducible \
      --output-file /tmp/sbom.cdx.json /opt/glassbot/bin/python

# ---- training, and serving on a GPU: `docker build --target train .`
FROM base AS train
# torch asks who it runs as; with compose's `user:` that can be a number without a name.
ENV LOGNAME=glassbot TORCHINDUCTOR_CACHE_DIR=/tmp/inductor GLASSBOT_HOST=0.0.0.0 GLASSBOT_PORT=8000
COPY --from=build-train /opt/glassbot /opt/glassbot
USER glassbot
WORKDIR /tmp
ENTRYPOINT ["python", "-m", "training"]
CMD ["--help"]

# ---- the service
FROM base AS serve
ENV GLASSBOT_HOST=0.0.0.0 GLASSBOT_PORT=8000
COPY --from=build-serve /opt/glassbot /opt/glassbot
COPY --from=sbom /tmp/sbom.cdx.json /opt/glassbot/sbom.cdx.json
USER glassbot
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-m", "app.http.healthcheck"]
ENTRYPOINT ["glassbot"]
CMD ["serve"]
