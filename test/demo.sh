#!/usr/bin/env bash
# Shows what dragoman does, to somebody who sees it for the first time:
#
#   demo.sh DRAGOMAN native              servers that dragoman runs on this machine itself
#   demo.sh DRAGOMAN native openstack    then a real OpenStack too, behind the same dragoman
#   demo.sh DRAGOMAN memory              a cloud in memory: quick, and needs no root
#
# Each by dragoman's own API and command, and by the unmodified openstack command.
#
# It fails when a step does. Then it keeps serving until Ctrl-C; with CI=true it ends.
# DEMO_PORT (18080) is its port on loopback.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
dragoman=$(realpath "${1:-bin/dragoman}")
parts=${*:2}
parts=${parts:-native openstack}
port=${DEMO_PORT:-18080}
state=$(mktemp -d)
prefix=demo-$$ # of the names of all that is made on the host
disks=/var/tmp/dragoman-$prefix
pid=
started_openstack=false started_libvirt=false used_libvirt=false
unset "${!OS_@}" # what a login of this shell left

# One user, whose name and secret fit both the OpenStack and dragoman.
user=ada
secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export DRAGOMAN_KEY=$user.$secret DRAGOMAN_ENDPOINT=http://127.0.0.1:$port

finish() {
	local code=$?
	trap - EXIT INT TERM
	stop_serving || code=1
	if $started_openstack; then "$here/openstack/openstack.sh" stop || code=1; fi
	if $used_libvirt; then clean_host || code=1; fi
	if $started_libvirt; then "$here/libvirt/libvirt.sh" stop || code=1; fi
	case $code in 0 | 130 | 143) ;; *) echo "The demo failed." >&2 ;; esac
	rm -rf "$state"
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -t 1 ]; then bold=$(tput bold 2>/dev/null || true) plain=$(tput sgr0 2>/dev/null || true); else bold='' plain=''; fi

# part TEXT: a heading. say TEXT: what comes next, and why.
part() { printf '\n%s=== %s%s\n' "$bold" "$*" "$plain"; }
say() { printf '\n# %s\n' "$*"; }

# show COMMAND...: prints the command as one would type it, and runs it.
show() {
	typed "$@"
	run "$@"
}

# show_some PATTERN COMMAND...: of what it prints, the lines that match.
show_some() {
	typed "${@:2}"
	run "${@:2}" | grep -E "$1"
}

typed() {
	local word line='$'
	for word in "$@"; do
		case $word in '' | *[!a-zA-Z0-9_./:=,@%+-]*) word="'$word'" ;; esac
		line+=" $word"
	done
	printf '%s%s%s\n' "$bold" "$line" "$plain"
}

run() {
	case $1 in
	dragoman) "$dragoman" "${@:2}" ;;
	*) "$@" ;;
	esac
}

# Debian's openstack command, with Debian's Python whatever else the machine has.
openstack() { PATH=/usr/bin:/bin command /usr/bin/openstack "$@"; }

fail() {
	echo "$*" >&2
	exit 1
}

# until_true WHAT COMMAND...: waits, for two minutes at most.
until_true() {
	local what=$1 end=$((SECONDS + 120))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || fail "Not within two minutes: $what."
		sleep 0.5
	done
}

# serve CONFIG: dragoman in the background, until it is ready.
serve() {
	printf '%s\n' "$1" | tee "$state/dragoman.yaml"
	start_serving
}

start_serving() {
	(
		cd "$state"
		DRAGOMAN_LISTEN=127.0.0.1:$port DRAGOMAN_BOOTSTRAP_KEY=$DRAGOMAN_KEY exec "$dragoman" serve --config dragoman.yaml
	) >>"$state/log" 2>&1 &
	pid=$!
	for _ in $(seq 150); do
		if curl -fsS -o /dev/null -m 2 "$DRAGOMAN_ENDPOINT/readyz" 2>/dev/null && kill -0 "$pid" 2>/dev/null; then
			return
		fi
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.2
	done
	tail -n 20 "$state/log" >&2
	if kill -0 "$pid" 2>/dev/null; then
		fail "dragoman runs, but $DRAGOMAN_ENDPOINT/readyz did not answer within 30 s. Its log is above."
	fi
	fail "dragoman ended at once; is its port taken (DEMO_PORT)? Its log is above."
}

stop_serving() {
	[ -n "$pid" ] || return 0
	local ending=$pid
	pid=
	kill "$ending" 2>/dev/null || true
	wait "$ending"
}

# crash ends dragoman as a crash does, in the middle of whatever it does.
crash() {
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || true
	pid=
}

need_openstack_command() {
	if [ -x /usr/bin/openstack ] && command -v curl >/dev/null; then return; fi
	[ "$(id -u)" -eq 0 ] || fail "The openstack command is missing; as root: apt-get install python3-openstackclient curl"
	say "Installing the openstack command (Debian's python3-openstackclient)."
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-openstackclient curl >/dev/null
}

# What `make test` runs is used; what is started here is stopped at the end.
need_libvirt() {
	[ "$(id -u)" -eq 0 ] || fail "The demo starts a libvirtd, which needs root; without: make demo-memory"
	if ! "$here/libvirt/libvirt.sh" status >/dev/null 2>&1; then
		say "Starting a libvirtd apart from the machine's own: seconds, and a minute more where Debian's packages are missing."
		"$here/libvirt/libvirt.sh" install
		started_libvirt=true
		"$here/libvirt/libvirt.sh" start
	fi
	eval "$("$here/libvirt/libvirt.sh" env)"
	used_libvirt=true
	own_network=() their_network=() # dragoman then takes what there is
	if "$here/libvirt/libvirt.sh" virsh net-list --name | grep -x dragoman-nat >/dev/null; then
		own_network=(--networks network=dragoman-nat) their_network=(--network dragoman-nat)
	else
		say "This machine lets nobody make bridges: the servers here get no network."
	fi
	say "The image of a small server: Debian's kernel and busybox, built here once."
	guest=$("$here/guest/build.sh")
	ls -lh "$guest"
}

need_openstack() {
	if ! "$here/openstack/openstack.sh" status >/dev/null 2>&1; then
		say "Starting a real OpenStack on loopback: under a minute, and some minutes more where its Debian packages are missing."
		"$here/openstack/openstack.sh" install
		started_openstack=true
		"$here/openstack/openstack.sh" start
	fi
}

# clean_host removes what of this demo is on the host, also after a failure.
clean_host() {
	local name
	virsh() { "$here/libvirt/libvirt.sh" virsh "$@"; }
	for name in $(virsh list --all --name | grep "^$prefix-"); do
		virsh destroy "$name" >/dev/null 2>&1 || true # it may be off
		virsh undefine "$name" >/dev/null
	done
	for name in $(virsh pool-list --all --name | grep "^$prefix-"); do
		virsh pool-destroy "$name" >/dev/null 2>&1 || true # it may be stopped
		virsh pool-undefine "$name" >/dev/null
	done
	rm -rf "$disks"
}

# at URL: which cloud the openstack command speaks to. Nothing else ever changes.
at() {
	export OS_AUTH_URL=$1
	typed export "OS_AUTH_URL=$1"
}

# settings are all that the openstack command needs beside OS_AUTH_URL.
settings() {
	export OS_IDENTITY_API_VERSION=3 OS_USERNAME=$user OS_PASSWORD=$secret OS_PROJECT_NAME=bootstrap
	export OS_USER_DOMAIN_NAME=Default OS_PROJECT_DOMAIN_NAME=Default
	env | grep '^OS_' | sort | sed 's/^/export /'
}

has_status() { [ "$(openstack server show "$1" -f value -c status)" = "$2" ]; }
says() { "$dragoman" server console-output "$1" | grep -q "$2"; }
runs() { "$dragoman" server list --name "$1" --status running --output json | grep -q '"name"'; }

# openstack_life FLAVOR IMAGE OPTION...: a server's life by the openstack command.
# on_boot is called when it runs.
openstack_life() {
	say "A server, made the way it is made on any OpenStack."
	show openstack server create --flavor "$1" --image "$2" "${@:3}" --wait --format value --column name --column status shop
	show openstack server list
	on_boot
	say "Stopped, started, renamed, deleted."
	show openstack server stop shop
	until_true "shop is SHUTOFF" has_status shop SHUTOFF
	show openstack server list
	show openstack server start shop
	until_true "shop is ACTIVE" has_status shop ACTIVE
	show openstack server set --name store shop
	show openstack server show store --column name --column status --column addresses --column flavor --column image
	show openstack server delete --wait store
	echo
	show openstack server list
	[ -z "$(openstack server list --name '^(shop|store)$' --format value --column ID)" ] || fail "The deleted server is still listed."
}
on_boot() { :; }

# own_life NAME FLAVOR IMAGE NETWORK: a server's life by dragoman's own API and command.
own_life() {
	say "Programs speak HTTP and JSON. Long work can be waited for (Prefer: wait), or followed as an operation."
	show curl -fsS -o "$state/made.json" -w 'status %{http_code}\n' -H "Authorization: Bearer $DRAGOMAN_KEY" -H 'Content-Type: application/json' -H 'Prefer: wait=100' \
		-d '{"name": "'"$1"'", "flavor": "'"$2"'", "image": "'"$3"'", "networks": [{"network": "'"$4"'"}]}' "$DRAGOMAN_ENDPOINT/v1/servers"
	show curl -fsS -o "$state/list.json" -w 'status %{http_code}\n' -H "Authorization: Bearer $DRAGOMAN_KEY" "$DRAGOMAN_ENDPOINT/v1/servers?name=$1&status=running"
	grep -q '"name":"'"$1"'"' "$state/list.json" || fail "The new server is not in the list: $(cat "$state/list.json")"
	printf 'It holds: %s...\n' "$(head -c 240 "$state/list.json")"
	say "People have the dragoman command. It is made from the same declarations as the API."
	show dragoman server list
	show_some '^status' dragoman server stop "$1" --wait --output yaml
	show_some '^status' dragoman server start "$1" --wait --output yaml
}

# own_end NAME: the end of a server, by the dragoman command.
own_end() {
	show dragoman server delete "$1" --wait
	show dragoman server list
	"$dragoman" server list --name "$1" --output json | grep -q '"items": \[\]' || fail "The deleted server is still listed."
}

memory_part() {
	part "A cloud in memory, which is what dragoman has without a configuration"
	serve 'clouds: [{name: memory, dialect: memory, shared: true}]'
	show dragoman cloud list
	show dragoman flavor list
	own_life web small cirros private
	part "The unmodified openstack command, on a cloud that is no OpenStack at all"
	settings
	at "$DRAGOMAN_ENDPOINT/identity/v3"
	show openstack flavor list
	openstack_life small cirros --network private
	say "The end of the first server."
	own_end web
}

native_part() {
	part "(a) No cloud at all: dragoman runs servers on this machine"
	need_libvirt
	say "A host needs nothing but libvirt; dragoman keeps images, makes disks, and watches."
	native_config="clouds:
  - name: kvm1
    dialect: native
    native:
      prefix: $prefix
      dir: $disks
      hosts: [{name: h1, uri: '$DRAGOMAN_TEST_LIBVIRT', zone: az1}]"
	serve "$native_config"
	say "What is there: everything has an id that begins with its cloud."
	show dragoman cloud list
	show dragoman flavor list
	show dragoman network list
	native_own
	native_lost
	native_openstack
}

native_own() {
	say "An image is declared, then uploaded."
	show_some '^status' dragoman image create --name guest --disk-format qcow2 --output yaml
	show_some '^(status|size_bytes)' dragoman image upload guest --file "$guest" --output yaml
	say "A server gets user data: what it runs when it boots first."
	# shellcheck disable=SC2016 # the server expands it
	printf '#!/bin/sh\necho "user data ran on $(hostname)"\n' >"$state/hello.sh"
	show cat "$state/hello.sh"
	show dragoman server create --name web --flavor tiny --image guest "${own_network[@]}" --user-data "$(base64 -w0 "$state/hello.sh")" --wait
	say "It really boots: its console tells, and holds what its user data printed."
	until_true "web has booted" says web 'ready web'
	show dragoman server console-output web --lines 12
	echo
	says web 'user data ran on web' || fail "The user data did not run."
	say "Stopped, as by its power button, and started: the same disk boots a second time."
	show_some '^status' dragoman server stop web --wait --output yaml
	show_some '^status' dragoman server start web --wait --output yaml
	until_true "web has booted again" says web 'boot 2'
	show dragoman server list
}

native_lost() {
	say "Nothing is lost: dragoman is killed while it makes a server, and started again."
	show_some '^(id|operation|status):' dragoman server create --name phoenix --flavor tiny --image guest "${own_network[@]}" --output yaml
	typed kill -KILL "$pid"
	crash
	start_serving
	until_true "phoenix runs" runs phoenix
	show dragoman server list
	[ "$("$dragoman" server list --name phoenix --output json | grep -c '"name": "phoenix"')" = 1 ] || fail "There is not one phoenix."
	show dragoman server delete phoenix --wait
}

native_openstack() {
	part "(b) The unmodified openstack command, on the same machine"
	settings
	at "$DRAGOMAN_ENDPOINT/identity/v3"
	show openstack server list
	show openstack image create --disk-format qcow2 --file "$guest" --format value --column name shop-image
	on_boot() {
		until_true "shop has booted" says shop 'ready shop'
		show openstack console log show --lines 12 shop
		openstack console log show shop | grep -q 'user data ran on shop' || fail "The user data did not run."
	}
	openstack_life tiny shop-image "${their_network[@]}" --user-data "$state/hello.sh"
	on_boot() { :; }
	show openstack image delete shop-image
}

openstack_part() {
	part "(c) A second cloud: a real OpenStack, behind the same dragoman"
	need_openstack
	keystone=$(sed -n 's/.*"auth_url": "\(.*\)".*/\1/p' "${DRAGOMAN_OPENSTACK_DIR:-/var/tmp/dragoman-openstack}/peer.json")
	say "The OpenStack at $keystone gets a user '$user' with a project of her own."
	openstack_user
	say "dragoman's configuration gets a second cloud, and dragoman is started again. Servers run on meanwhile."
	stop_serving
	serve "$native_config
  - name: os1
    dialect: nova
    shared: true
    endpoint: $keystone
    region: RegionOne
    auth: {username: $user, password: $secret, project: bootstrap, user_domain: Default, project_domain: Default}"
	show dragoman cloud list
	show dragoman flavor list
	say "The same calls make a server there: only OpenStack has this flavor, so it goes to the OpenStack."
	own_life www m1.tiny cirros net1

	part "(d) The unmodified openstack command: straight to the OpenStack, and through dragoman"
	say "Straight to the OpenStack: the server that was made through dragoman is there."
	at "$keystone"
	show openstack server list
	[ "$(openstack server list --name '^www$' --format value --column Status)" = ACTIVE ] || fail "The OpenStack does not hold the server."
	say "Through dragoman, with nothing but OS_AUTH_URL changed, it is one list with this machine's servers."
	at "$DRAGOMAN_ENDPOINT/identity/v3"
	show openstack server list
	[ "$(openstack server list --format value --column Name | sort | tr '\n' ' ')" = "web www " ] || fail "The list is not web and www."
	openstack_life m1.tiny cirros --network net1
	say "The end of the server on the OpenStack."
	own_end www
}

openstack_user() (
	# shellcheck disable=SC1090 # written by openstack.sh
	source <("$here/openstack/openstack.sh" env admin)
	openstack project create --or-show bootstrap >/dev/null
	openstack user create --or-show --project bootstrap "$user" >/dev/null
	openstack user set --password "$secret" "$user"
	openstack role add --user "$user" --project bootstrap member
	# What a demo that failed left behind.
	openstack server list --project bootstrap --format value --column ID | while read -r left; do
		openstack server delete --wait "$left"
	done
)

need_openstack_command
case " $parts " in *" memory "*) memory_part ;; esac
case " $parts " in *" native "*) native_part ;; esac
case " $parts " in *" openstack "*) openstack_part ;; esac
case " $parts " in *" native "*)
	say "The end of the first server on this machine."
	own_end web
	mine="
  $dragoman server create --name mine --flavor tiny --image guest ${own_network[*]} --wait
  $dragoman server console-output mine"
	;;
esac

part "That was all. Every cloud answers the same calls, in either language."
if [ "${CI:-}" = true ]; then
	exit 0
fi
cat <<END

Still serving, until Ctrl-C. In another shell:

  export DRAGOMAN_ENDPOINT=$DRAGOMAN_ENDPOINT DRAGOMAN_KEY=$DRAGOMAN_KEY
  $dragoman server list${mine:-}
$(env | grep '^OS_' | sort | sed 's/^/  export /')
  openstack server list

  $DRAGOMAN_ENDPOINT/docs describes the API.
END
wait "$pid"
