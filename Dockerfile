# Two stages: one bundles, the other is Node, the C libraries it is linked with, and the bundle. No shell, no packages.
# A release gives the base by its digest, as docs/releasing.md shows: a tag moves.
ARG BASE=node:26-slim
FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc LICENSE ./
# No install script is needed to bundle.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY spec/support/build.ts spec/support/sbom.ts spec/support/write-sbom.ts spec/support/write-notices.ts spec/support/
COPY streams streams
COPY src src
RUN node spec/support/build.ts && cp dist/webhook-certd.js dist/start.cjs .
# What V8 makes of the bundle while a replica starts, loads and serves: an empty cache is there to be filled.
# By the flags of the ENTRYPOINT, or it would not be taken.
RUN : > webhook-certd.cache && \
    node --disable-sigusr1 --min-semi-space-size=8 --max-semi-space-size=8 start.cjs demo --rotations 0 && \
    test -s webhook-certd.cache
# Where Node is, and each library that the loader would take, at the same paths. `webhook-certd` is on PATH for kubectl exec;
# there is no env(1) for its first line to name.
RUN set -e; \
    node=$(command -v node); \
    for file in "$node" $(ldd "$node" | grep -o '/[^ ]*'); do \
      mkdir -p "/image$(dirname "$file")"; \
      cp -L "$file" "/image$file"; \
    done; \
    mkdir -p /image/etc /image/app; \
    echo 'nonroot:x:65532:65532::/:/bin/false' >/image/etc/passwd; \
    echo 'hosts: files dns' >/image/etc/nsswitch.conf; \
    cp -a webhook-certd.js start.cjs webhook-certd.cache /image/app/; \
    sed -i "1s|.*|#!$node|" /image/app/start.cjs; \
    mkdir -p /image/usr/local/bin; \
    ln -s ../../../app/start.cjs /image/usr/local/bin/webhook-certd
# What is inside, and under which licences: of the bundle, of Node, and of the C libraries.
RUN set -e; \
    doc=/image/usr/share/doc; \
    mkdir -p "$doc/webhook-certd"; \
    cp LICENSE dist/sbom.cdx.json dist/THIRD-PARTY-NOTICES.txt "$doc/webhook-certd/"; \
    if [ -e /usr/local/LICENSE ]; then mkdir -p "$doc/nodejs" && cp /usr/local/LICENSE "$doc/nodejs/"; fi; \
    for library in libc6 libgcc-s1 libstdc++6 libatomic1; do \
      if [ -e "/usr/share/doc/$library/copyright" ]; then \
        mkdir -p "$doc/$library" && cp -L "/usr/share/doc/$library/copyright" "$doc/$library/"; \
      fi; \
    done

FROM scratch
ARG BASE
ARG REVISION=unknown
LABEL org.opencontainers.image.title="webhook-certd" \
      org.opencontainers.image.description="Issues and rotates the TLS certificates of Kubernetes admission webhooks without a failed call" \
      org.opencontainers.image.source="https://github.com/OWNER/webhook-certd" \
      org.opencontainers.image.documentation="https://github.com/OWNER/webhook-certd#readme" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE}"
COPY --from=build /image /
# One arena for all threads: each of libuv's threads would keep what it needed once, in an arena of its own. And a threshold
# that stays where it begins: glibc's own grows with what was freed, and what V8's compiler needed once is kept.
ENV PATH=/usr/local/bin NODE_ENV=production MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=131072
# By number, so that runAsNonRoot can be checked; any other user does as well, and nothing is written to disk.
USER 65532:65532
EXPOSE 9443 8081 8080
# Measured (docs/performance.md): a young generation that a start fits into and no load outgrows. No other flag of V8: nearly every one
# makes it throw away the code that Node has made of itself at its own build, which costs 50 ms of each start. SIGUSR1 must not
# open Node's inspector beside the private keys.
ENTRYPOINT ["node", "--disable-sigusr1", "--min-semi-space-size=8", "--max-semi-space-size=8", "/app/start.cjs"]
