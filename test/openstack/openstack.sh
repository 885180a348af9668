#!/usr/bin/env bash
# Installs, starts and stops an OpenStack control plane for integration tests.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR
source "$HERE/lib/common.sh"
# shellcheck source-path=SCRIPTDIR
source "$HERE/lib/packages.sh"
# shellcheck source-path=SCRIPTDIR
source "$HERE/lib/service.sh"
# shellcheck source-path=SCRIPTDIR
source "$HERE/lib/stack.sh"

usage() {
	cat <<EOF
usage: openstack.sh COMMAND

  install         install the Debian packages (needs root); quick when installed
  start           start what is not running, and return once servers can be made
  stop            stop what start started; the state is kept
  status          tell what runs; fails unless the whole stack is usable
  env [NAME]      print an openrc: of admin, or of demo or other when named
  logs [SERVICE]  print the end of every log, or follow the log of one service
  help            print this

environment:

  DRAGOMAN_OPENSTACK_DIR   all state, now $DIR
  DRAGOMAN_OPENSTACK_PORT  first of eleven consecutive ports, now $PORT_BASE

To begin again from nothing: stop, then delete the directory.
EOF
}

main() {
	local command=${1:-help}
	shift || true
	case $command in
	install) packages_install ;;
	start) stack_start ;;
	stop) stack_stop ;;
	status) stack_status ;;
	env) stack_env "${1:-admin}" ;;
	logs) stack_logs "${1:-}" ;;
	help | -h | --help) usage ;;
	*)
		usage >&2
		exit 2
		;;
	esac
}

main "$@"
