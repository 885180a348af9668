# One static binary beside qemu-img, run by nobody in particular. qemu-img reads and
# converts the images of native clouds; hosts are reached by ssh or TLS, or by a libvirt
# socket that is mounted and that the user may open.
FROM golang:1.26-bookworm AS build
ARG VERSION=dev
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /dragoman ./cmd/dragoman \
 && mkdir -p /state && chown 65532:65532 /state

FROM debian:bookworm-slim
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends ca-certificates qemu-utils \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /dragoman /dragoman
COPY --from=build --chown=65532:65532 /state /var/lib/dragoman
USER 65532:65532
WORKDIR /var/lib/dragoman
VOLUME /var/lib/dragoman
ENV DRAGOMAN_LISTEN=0.0.0.0:8080
EXPOSE 8080
ENTRYPOINT ["/dragoman"]
CMD ["serve"]
