#!/bin/sh
# Installs what the build needs and is missing. The argument is how to become root, if that is needed.
set -eu
command -v swift > /dev/null || {
  echo "synscope: there is no Swift toolchain on PATH; see https://www.swift.org/install" >&2
  exit 1
}
if command -v pkg-config > /dev/null && pkg-config --exists libpcap zlib libzstd liblz4 libseccomp; then exit 0; fi
if ! command -v apt-get > /dev/null; then
  echo "synscope: the headers of libpcap, zlib, zstd, lz4 and libseccomp, or pkg-config, are missing, and there is no apt-get to install them:" >&2
  echo "install your system's packages for them (libpcap-devel, zlib-devel, libzstd-devel, lz4-devel, libseccomp-devel, pkgconf) and try again" >&2
  exit 1
fi
if [ "$(id -u)" != 0 ] && [ -z "${1:-}" ]; then
  echo "synscope: libpcap-dev, zlib1g-dev, libzstd-dev, liblz4-dev, libseccomp-dev or pkg-config is missing; as root: apt-get install libpcap-dev zlib1g-dev libzstd-dev liblz4-dev libseccomp-dev pkg-config" >&2
  exit 1
fi
echo "synscope: installing libpcap-dev, zlib1g-dev, libzstd-dev, liblz4-dev, libseccomp-dev and pkg-config"
${1:-} apt-get update -qq
${1:-} env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libpcap-dev zlib1g-dev libzstd-dev liblz4-dev libseccomp-dev pkg-config > /dev/null
