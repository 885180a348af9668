# shellcheck shell=bash
# shellcheck disable=SC2034 # the other files use the variables
# Settings and small helpers that every other file uses.

DIR=${DRAGOMAN_OPENSTACK_DIR:-/var/tmp/dragoman-openstack}
# Below the kernel's range of ephemeral ports, so that no outgoing connection
# can take one, and away from every default port of OpenStack.
PORT_BASE=${DRAGOMAN_OPENSTACK_PORT:-21900}

KEYSTONE_PORT=$((PORT_BASE + 0))
GLANCE_PORT=$((PORT_BASE + 1))
PLACEMENT_PORT=$((PORT_BASE + 2))
NEUTRON_PORT=$((PORT_BASE + 3))
NOVA_PORT=$((PORT_BASE + 4))
MARIADB_PORT=$((PORT_BASE + 5))
AMQP_PORT=$((PORT_BASE + 6))
ERLANG_PORT=$((PORT_BASE + 7))
EPMD_PORT=$((PORT_BASE + 8))
MEMCACHED_PORT=$((PORT_BASE + 9))
CINDER_PORT=$((PORT_BASE + 10))

# One password for everything: nothing but loopback can reach the stack, and
# tests want to know it.
PASSWORD=dragoman

COMPUTE_HOSTS=(compute-1 compute-2)

say() {
	printf '%(%H:%M:%S)T openstack: %s\n' -1 "$*" >&2
}

die() {
	say "error: $*"
	exit 1
}

# render SOURCE TARGET [NAME=VALUE...] fills a template of conf/ in.
render() {
	local source=$1 target=$2 pair
	shift 2
	local -a script=()
	for pair in "DIR=$DIR" "PASSWORD=$PASSWORD" \
		"KEYSTONE_PORT=$KEYSTONE_PORT" "GLANCE_PORT=$GLANCE_PORT" \
		"PLACEMENT_PORT=$PLACEMENT_PORT" "NEUTRON_PORT=$NEUTRON_PORT" \
		"NOVA_PORT=$NOVA_PORT" "MARIADB_PORT=$MARIADB_PORT" \
		"AMQP_PORT=$AMQP_PORT" "MEMCACHED_PORT=$MEMCACHED_PORT" \
		"CINDER_PORT=$CINDER_PORT" "$@"; do
		script+=(-e "s|@${pair%%=*}@|${pair#*=}|g")
	done
	sed "${script[@]}" "$HERE/conf/$source" >"$target"
}
