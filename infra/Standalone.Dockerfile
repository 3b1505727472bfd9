# The whole pipeline in one container: docker build -f infra/Standalone.Dockerfile -t beeformer . && docker run -p 127.0.0.1:8080:8080 -v beeformer:/data beeformer
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish src/Standalone -c Release -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
COPY --from=build /app /app
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["/app/beeformer", "serve", "--data", "/data", "--urls", "http://0.0.0.0:8080"]
