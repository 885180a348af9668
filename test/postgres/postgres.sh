#!/usr/bin/env bash
# A PostgreSQL for tests, on loopback, from Debian's package: install, start (prints
# the URL), stop. Its state is in DRAGOMAN_POSTGRES_DIR.
set -euo pipefail

dir=${DRAGOMAN_POSTGRES_DIR:-/var/tmp/dragoman-postgres}
port=${DRAGOMAN_POSTGRES_PORT:-21932}

bin() { echo /usr/lib/postgresql/*/bin | tr ' ' '\n' | tail -n 1; }

# No daemon starts by being installed.
install() {
	[ -x "$(bin)/postgres" ] && return
	local guard=
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		guard=/usr/sbin/policy-rc.d
		printf '#!/bin/sh\nexit 101\n' >"$guard"
		chmod 755 "$guard"
	fi
	apt-get update -qq >&2
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >&2
	[ -z "$guard" ] || rm -f "$guard"
}

as_postgres() { (cd / && runuser -u postgres -- "$@"); }

start() {
	install
	if [ ! -e "$dir/data/PG_VERSION" ]; then
		mkdir -p "$dir"
		chown postgres: "$dir"
		as_postgres "$(bin)/initdb" -D "$dir/data" -A trust -U postgres >"$dir/initdb.log"
	fi
	if ! as_postgres "$(bin)/pg_ctl" -D "$dir/data" status >/dev/null; then
		# What tests store need not survive a crash of the machine.
		as_postgres "$(bin)/pg_ctl" -D "$dir/data" -w -l "$dir/log" start \
			-o "-c listen_addresses=127.0.0.1 -p $port -c unix_socket_directories=$dir -c fsync=off" >&2
	fi
	echo "postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable"
}

stop() { [ ! -e "$dir/data/postmaster.pid" ] || as_postgres "$(bin)/pg_ctl" -D "$dir/data" -m fast stop >&2; }

case ${1:-} in
install | start | stop) "$1" ;;
*)
	echo "usage: $0 install|start|stop" >&2
	exit 2
	;;
esac
