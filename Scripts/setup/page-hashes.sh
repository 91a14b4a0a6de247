#!/bin/sh
# Writes the hashes of the page's style sheet and script into the source that tells browsers of them.
set -eu
cd "$(dirname "$0")/../../Sources/HandshakePage"
hash() { openssl dgst -sha256 -binary | base64; }
# As the page has them: without the last newline.
style=$(printf '%s' "$(cat Page/style.css)" | hash)
script=$(printf '%s\n%s' "$(cat Page/parts.js)" "$(cat Page/report.js)" | hash)
sed -i "s|static let styleHash = .*|static let styleHash = \"$style\"|; s|static let scriptHash = .*|static let scriptHash = \"$script\"|" PageParts.swift
