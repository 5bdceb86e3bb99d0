# The service alone; docker-compose.yml adds PostgreSQL and Redis.
FROM python:3.13-slim
RUN useradd --create-home --uid 1000 hotline
WORKDIR /opt/hotline
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN python -m venv .venv && .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN .venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .
ENV PATH=/opt/hotline/.venv/bin:$PATH PYTHONUNBUFFERED=1
USER hotline
EXPOSE 8400
CMD ["hotline", "serve"]
