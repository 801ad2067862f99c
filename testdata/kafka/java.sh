#!/usr/bin/env bash
# Sees to it that Java 17 or newer and Maven are here, which real Kafka needs,
# and a C compiler, which librdkafka needs: installs them on Debian, and
# elsewhere says what is missing.
set -euo pipefail

ready() {
	local version
	command -v mvn >/dev/null || return 1
	command -v gcc >/dev/null || return 1
	version=$(java -version 2>&1 | sed -nE 's/.* version "([0-9]+).*/\1/p') || return 1
	[ "${version:-0}" -ge 17 ]
}

install() {
	local root=()
	[ "$(id -u)" = 0 ] || root=(sudo)
	"${root[@]}" apt-get update -q
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends default-jre-headless maven gcc libc6-dev
}

ready && exit
if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }; then
	echo "Installing Java, Maven and a C compiler for the tests against real Kafka ..."
	install
	ready && exit
fi
echo "The tests against real Kafka need Java 17 or newer, Maven and gcc on the PATH: install them and try again." >&2
echo "Without them, make unit runs the other tests." >&2
exit 1
