# shellcheck shell=bash
# shellcheck disable=SC2034 # the other files use the variables
# Settings and small helpers that every other file uses.

DIR=${DRAGOMAN_LIBVIRT_DIR:-/var/tmp/dragoman-libvirt}
SOCKET=$DIR/run/libvirt-sock
URI="qemu:///system?socket=$SOCKET"

# The NAT network: a bridge of our own, and a range that nobody else should use.
NETWORK=dragoman-nat
BRIDGE=${DRAGOMAN_LIBVIRT_BRIDGE:-drgn0}
SUBNET=${DRAGOMAN_LIBVIRT_SUBNET:-10.231.77}

say() {
	printf '%(%H:%M:%S)T libvirt: %s\n' -1 "$*" >&2
}

die() {
	say "error: $*"
	exit 1
}

client() {
	virsh -q -c "$URI" "$@"
}
