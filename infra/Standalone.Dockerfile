# The whole pipeline in one container: docker build -f infra/Standalone.Dockerfile -t beeformer . && docker run --network host -v beeformer:/data beeformer
# It listens on the host's loopback interface only, like the program itself.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish src/Standalone -c Release -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
COPY --from=build /app /app
VOLUME /data
ENTRYPOINT ["/app/beeformer", "serve", "--data", "/data"]
