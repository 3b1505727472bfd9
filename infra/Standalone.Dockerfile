# The whole pipeline in one container: docker build -f infra/Standalone.Dockerfile -t beeformer/standalone:0.1.0 . && docker run --read-only --tmpfs /tmp --network host -v beeformer:/data beeformer/standalone:0.1.0
# It listens on the host's loopback interface only, like the program itself, until it has API keys.
FROM mcr.microsoft.com/dotnet/sdk:10.0.401-noble AS build
WORKDIR /source
COPY . .
RUN dotnet restore src/Standalone --locked-mode
RUN dotnet publish src/Standalone -c Release --no-restore -o /app
RUN dotnet tool restore && dotnet tool run dotnet-CycloneDX src/Standalone/Standalone.csproj --disable-package-restore --set-name beeformer --output /app --filename sbom.cdx.json --output-format Json
RUN mkdir /data

# Chiseled: no shell, no package manager.
FROM mcr.microsoft.com/dotnet/aspnet:10.0.12-noble-chiseled
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="beeformer" \
      org.opencontainers.image.description="A recommender that learns from a stream of events" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /app /app
COPY --from=build --chown=$APP_UID:$APP_UID /data /data
ENV DOTNET_EnableDiagnostics=0
USER $APP_UID
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/app/beeformer", "health", "--data", "/data"]
ENTRYPOINT ["/app/beeformer", "serve", "--data", "/data"]
