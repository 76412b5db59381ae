# Two stages: one bundles, the other is Node, the C libraries it is linked with, and the bundle. No shell, no packages.
FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No install script is needed to bundle.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY spec/support/build.ts spec/support/
COPY streams streams
COPY src src
RUN node spec/support/build.ts && cp dist/webhook-certd.js .
# What V8 makes of the bundle, for the user and the path it will have. A replica that nobody announces anything to ends soon.
RUN mkdir compile-cache && chown 65532:65532 compile-cache && \
    { setpriv --reuid=65532 --regid=65532 --clear-groups env NODE_COMPILE_CACHE=/app/compile-cache \
      KUBERNETES_SERVICE_HOST=127.0.0.1 POD_NAMESPACE=build WEBHOOK_HANDLER=builtin:allow CERT_TIMEOUT=1s \
      node webhook-certd.js serve || test -n "$(find compile-cache -type f)"; }
# Where Node is, and each library that the loader would take, at the same paths.
RUN set -e; \
    node=$(command -v node); \
    for file in "$node" $(ldd "$node" | grep -o '/[^ ]*'); do \
      mkdir -p "/image$(dirname "$file")"; \
      cp -L "$file" "/image$file"; \
    done; \
    mkdir -p /image/etc /image/app; \
    echo 'nonroot:x:65532:65532::/:/bin/false' >/image/etc/passwd; \
    echo 'hosts: files dns' >/image/etc/nsswitch.conf; \
    cp -a webhook-certd.js compile-cache /image/app/

FROM scratch
COPY --from=build /image /
ENV PATH=/usr/local/bin NODE_ENV=production NODE_COMPILE_CACHE=/app/compile-cache
# By number, so that runAsNonRoot can be checked; any other user does as well, and nothing is written to disk.
USER 65532:65532
EXPOSE 9443 8081 8080
ENTRYPOINT ["node", "/app/webhook-certd.js"]
