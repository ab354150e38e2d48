# Troupe in one image: the runtime, its embedded Postgres, nats-server and bubblewrap. Runs as an ordinary user, on a read-only
# root file system; everything it keeps is in one volume (TROUPE_HOME).
#
#   docker build -t troupe .
#   docker run --read-only --tmpfs /tmp -v troupe:/var/lib/troupe -p 127.0.0.1:4400:4400 \
#     -e HOST=0.0.0.0 -e TRUSTED_PROXY=172.16.0.0/12 -e PUBLIC_URL=http://127.0.0.1:4400 troupe
#
# infra/docker/Ship.test.ts holds this file against the code.

# The same Node as the package `node` of package.json.
ARG NODE=24.21.0
ARG NATS=2.12.7

FROM nats:${NATS} AS nats

FROM node:${NODE}-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The page is built below, once its sources are there.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run page \
  && npm prune --omit=dev --ignore-scripts \
  # The image brings this Node itself.
  && rm -rf node_modules/node node_modules/node-bin-* node_modules/.bin/node node_modules/.cache \
  # The links that Postgres' libraries need, made now: later nothing here can be written.
  && node infra/docker/prepare.ts

FROM node:${NODE}-trixie-slim AS runtime
RUN apt-get update \
  && apt-get install -y --no-install-recommends bubblewrap ca-certificates git tini \
  && rm -rf /var/lib/apt/lists/* \
  && groupadd --system --gid 10001 troupe \
  && useradd --system --uid 10001 --gid troupe --home-dir /var/lib/troupe --shell /usr/sbin/nologin troupe \
  && install -d -o troupe -g troupe -m 0700 /var/lib/troupe
COPY --from=nats /nats-server /usr/local/bin/nats-server
COPY --from=build /app /app
RUN ln -s /app/infra/cli/troupe.js /usr/local/bin/troupe
WORKDIR /app
ENV NODE_ENV=production TROUPE_HOME=/var/lib/troupe LOG_FORMAT=json
USER troupe
VOLUME /var/lib/troupe
EXPOSE 4400
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 CMD ["node", "infra/docker/health.ts"]
ENTRYPOINT ["tini", "--", "infra/docker/entrypoint.sh"]
CMD ["node", "infra/main.ts"]

# For machines whose volumes belong to root (Fly): the entry point hands the volume over and gives root up.
FROM runtime AS rooted
USER root

# What `docker build` makes when no target is named.
FROM runtime
