# 小而无 root 的镜像；数据库与 Valkey 另行提供（见 compose.yaml）
# A small image without root; PostgreSQL and Valkey are servers of your own (see compose.yaml).

FROM python:3.13-slim-bookworm AS build
RUN python -m venv --without-pip /opt/itr
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY itr itr
COPY api api
COPY workers workers
COPY migrations migrations
COPY embedded embedded
COPY cli cli
RUN pip --python /opt/itr/bin/python install --no-cache-dir --no-compile ".[tracing]" -c constraints.txt

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent itr
COPY --from=build /opt/itr /opt/itr
COPY mappings /opt/itr/mappings
ENV PATH=/opt/itr/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ITR_HOST=0.0.0.0
USER 10001
WORKDIR /opt/itr
EXPOSE 8000
ENTRYPOINT ["itr"]
CMD ["serve"]
