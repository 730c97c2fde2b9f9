# Two images from one file: `channel` is small and knows nothing of faces; `link` serves transmitter and receiver.
# Models are brought while building, so that a container needs no network but the link.

FROM python:3.11-slim AS base
ENV PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin deepsc
COPY pyproject.toml README.md LICENSE ./
COPY protos protos
COPY shared shared

FROM base AS channel
# The proxy's own few requirements; the versions are read from pyproject.toml, the one place that pins them.
RUN python -c "import tomllib; wanted = ('numpy', 'grpcio', 'protobuf', 'pydantic', 'structlog', 'pyyaml', 'typing-extensions'); \
print('\n'.join(d for d in tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'] if d.startswith(wanted)))" \
    > requirements.txt && pip install -r requirements.txt
COPY channel_sim channel_sim
USER deepsc
ENTRYPOINT ["python", "-m"]
CMD ["channel_sim"]

FROM base AS link
COPY transmitter transmitter
COPY receiver receiver
COPY channel_sim channel_sim
COPY evaluation evaluation
COPY training training
COPY cli cli
COPY weights weights
RUN (pip install "torch==2.13.0+cpu" || pip install "torch==2.13.0") && pip install --editable .
ENV DEEPSC_HOME=/models OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1
# Each resolution is drawn once and the editor is loaded, so that their graphs are kept too: the running container cannot write.
RUN deepsc models pull && deepsc models verify \
    && python -c "import numpy; from shared.prior.backend import make_backend; from shared.prior.face_prior import RESOLUTIONS; \
from shared.prior.mobile_stylegan import MobileStyleGan; from transmitter.models import load_editor; \
prior = MobileStyleGan.load(); load_editor(prior); backend = make_backend(prior=prior); \
[backend.render(numpy.zeros((1, 16, 512), 'f4'), side) for side in RESOLUTIONS]" \
    && chown -R deepsc /models
USER deepsc
ENTRYPOINT ["python", "-m"]
