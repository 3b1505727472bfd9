# Lands events of the log in the window store and keeps profiles: docker build -f infra/Ingest.Dockerfile -t beeformer/ingest:0.1.0 .
FROM mcr.microsoft.com/dotnet/sdk:10.0.401-noble AS build
WORKDIR /source
COPY . .
RUN dotnet restore src/Ingest --locked-mode
RUN dotnet publish src/Ingest -c Release --no-restore -o /app
RUN dotnet tool restore && dotnet tool run dotnet-CycloneDX src/Ingest/Ingest.csproj --disable-package-restore --set-name beeformer-ingest --output /app --filename sbom.cdx.json --output-format Json
RUN mkdir /data

# Chiseled: no shell, no package manager.
FROM mcr.microsoft.com/dotnet/aspnet:10.0.12-noble-chiseled
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="beeformer-ingest" \
      org.opencontainers.image.description="Lands events of the log in the window store and keeps profiles" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /app /app
COPY --from=build --chown=$APP_UID:$APP_UID /data /data
ENV Data=/data Urls=http://0.0.0.0:8081 DOTNET_EnableDiagnostics=0
USER $APP_UID
VOLUME /data
EXPOSE 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/app/BeeFormer.Streaming.Ingest", "health"]
ENTRYPOINT ["/app/BeeFormer.Streaming.Ingest"]
