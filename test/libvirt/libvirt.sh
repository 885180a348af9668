#!/usr/bin/env bash
# Installs, starts and stops a libvirtd of our own for integration tests.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR
source "$HERE/lib/common.sh"
# shellcheck source-path=SCRIPTDIR
source "$HERE/../openstack/lib/packages.sh"
# shellcheck source-path=SCRIPTDIR
source "$HERE/../openstack/lib/service.sh"
# shellcheck source-path=SCRIPTDIR
source "$HERE/lib/daemon.sh"

# Those of packages.sh are OpenStack's.
PACKAGES=(
	dnsmasq-base
	iptables
	libvirt-clients
	libvirt-daemon
	libvirt-daemon-driver-qemu
	libvirt-daemon-system
	qemu-system-x86
	qemu-utils
)

usage() {
	cat <<TEXT
usage: libvirt.sh COMMAND

  install   install the Debian packages (needs root); starts no daemon
  start     start what is not running, and return once domains can be made
  stop      end every domain and network, then the daemons; the state is kept
  kill      end libvirtd alone as a crash would; domains go on running
  status    tell what runs; fails unless libvirtd answers
  env       print the variable by which tests find it, for a shell to read
  virsh ... run virsh on it
  help      print this

environment:

  DRAGOMAN_LIBVIRT_DIR     all state, now $DIR; libvirt-qemu must be able to
                           reach it, so not below /root
  DRAGOMAN_LIBVIRT_BRIDGE  of the NAT network, now $BRIDGE
  DRAGOMAN_LIBVIRT_SUBNET  its first three bytes, now $SUBNET

To begin again from nothing: stop, then delete the directory.
TEXT
}

main() {
	local command=${1:-help}
	shift || true
	case $command in
	install) packages_install ;;
	start) daemon_start ;;
	stop) daemon_stop ;;
	kill) daemon_kill ;;
	status) daemon_status ;;
	env) echo "export DRAGOMAN_TEST_LIBVIRT='$URI'" ;;
	virsh) client "$@" ;;
	help | -h | --help) usage ;;
	*)
		usage >&2
		exit 2
		;;
	esac
}

main "$@"
