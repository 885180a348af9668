#!/usr/bin/env bash
# Shows what dragoman does, to somebody who sees it for the first time:
#
#   (a) its own API and command, on a real OpenStack;
#   (b) the unmodified openstack command, on the same OpenStack through dragoman and
#       on a cloud in memory, where nothing but OS_AUTH_URL changes.
#
# It fails when a step does. Then it keeps serving until Ctrl-C; with CI=true it ends.
#
#   DEMO_CLOUD=memory   without the OpenStack: quick, and needs no root
#   DEMO_PORT=18080     the first of two ports on loopback
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
dragoman=$(realpath "${1:-bin/dragoman}")
cloud=${DEMO_CLOUD:-openstack}
port=${DEMO_PORT:-18080}
state=$(mktemp -d)
openstack_dir=${DRAGOMAN_OPENSTACK_DIR:-/var/tmp/dragoman-openstack}
declare -a pids=()
started_openstack=false
unset "${!OS_@}" # what a login of this shell left

# One user, whose name and secret fit both the OpenStack and dragoman.
user=ada
secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export DRAGOMAN_KEY=$user.$secret

finish() {
	local code=$? pid
	trap - EXIT INT TERM
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" || { [ "$code" -ne 0 ] || code=1; }
	done
	if $started_openstack; then
		"$here/openstack/openstack.sh" stop || code=1
	fi
	[ "$code" -eq 0 ] || [ "$code" -ge 129 ] || echo "The demo failed." >&2
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
	printf '%s$ %s%s\n' "$bold" "$*" "$plain"
	case $1 in
	dragoman) "$dragoman" "${@:2}" ;;
	openstack) openstack "${@:2}" ;;
	*) "$@" ;;
	esac
}

# Debian's openstack command, with Debian's Python whatever else the machine has.
openstack() { PATH=/usr/bin:/bin command /usr/bin/openstack "$@"; }

fail() {
	echo "$*" >&2
	exit 1
}

# serve NAME PORT CONFIG: a dragoman of its own, in the background, until it is ready.
serve() {
	local name=$1 url=http://127.0.0.1:$2 pid
	mkdir "$state/$name"
	printf '%s\n' "$3" >"$state/$name/dragoman.yaml"
	(
		cd "$state/$name"
		DRAGOMAN_LISTEN=127.0.0.1:$2 DRAGOMAN_BOOTSTRAP_KEY=$DRAGOMAN_KEY exec "$dragoman" serve --config dragoman.yaml
	) >"$state/$name/log" 2>&1 &
	pid=$!
	pids+=("$pid")
	for _ in $(seq 150); do
		if curl -fsS -o /dev/null -m 2 "$url/readyz" 2>/dev/null && kill -0 "$pid" 2>/dev/null; then
			return
		fi
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.2
	done
	if kill -0 "$pid" 2>/dev/null; then
		echo "The dragoman at $url runs, but $url/readyz did not answer within 30 s. Its log:" >&2
	else
		echo "The dragoman at $url ended at once; is its port taken (DEMO_PORT)? Its log:" >&2
	fi
	tail -n 20 "$state/$name/log" >&2
	exit 1
}

need_openstack_command() {
	if [ -x /usr/bin/openstack ] && command -v curl >/dev/null; then return; fi
	[ "$(id -u)" -eq 0 ] || fail "The openstack command is missing; as root: apt-get install python3-openstackclient curl"
	say "Installing the openstack command (Debian's python3-openstackclient)."
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-openstackclient curl >/dev/null
}

# The OpenStack of `make test` is used when it runs; one that is started here is
# stopped at the end.
need_openstack() {
	if ! "$here/openstack/openstack.sh" status >/dev/null 2>&1; then
		say "Starting a real OpenStack on loopback: under a minute, and some minutes more where its Debian packages are missing."
		"$here/openstack/openstack.sh" install
		started_openstack=true
		"$here/openstack/openstack.sh" start
	fi
}

# at URL: which cloud the openstack command speaks to. Nothing else ever changes.
at() {
	export OS_AUTH_URL=$1
	printf '%s$ export OS_AUTH_URL=%s%s\n' "$bold" "$1" "$plain"
}

# with_status NAME STATUS: waits until the openstack command shows the server so.
with_status() {
	local status=
	for _ in $(seq 60); do
		status=$(openstack server show "$1" -f value -c status)
		[ "$status" != "$2" ] || return 0
	done
	fail "Server $1 is $status; it should be $2."
}

# openstack_life FLAVOR NETWORK: a server's life by the openstack command.
openstack_life() {
	say "A server, made the way it is made on any OpenStack."
	show openstack server create --flavor "$1" --image cirros --network "$2" --wait --format value --column name --column status shop
	show openstack server list
	say "Stopped, started, renamed, deleted."
	show openstack server stop shop
	with_status shop SHUTOFF
	show openstack server list
	show openstack server start shop
	with_status shop ACTIVE
	show openstack server set --name store shop
	show openstack server show store --column name --column status --column addresses --column flavor --column image
	show openstack server delete --wait store
	show openstack server list
	[ -z "$(openstack server list --name '^(shop|store)$' --format value --column ID)" ] || fail "The deleted server is still listed."
}

# own_life FLAVOR NETWORK: a server's life by dragoman's own API and command.
own_life() {
	say "Programs speak HTTP and JSON. Long work can be waited for (Prefer: wait), or followed as an operation."
	show curl -fsS -o "$state/made.json" -w 'status %{http_code}\n' -H "Authorization: Bearer $DRAGOMAN_KEY" -H 'Content-Type: application/json' -H 'Prefer: wait=100' \
		-d '{"name": "web", "flavor": "'"$1"'", "image": "cirros", "networks": [{"network": "'"$2"'"}]}' "$DRAGOMAN_ENDPOINT/v1/servers"
	show curl -fsS -o "$state/list.json" -w 'status %{http_code}\n' -H "Authorization: Bearer $DRAGOMAN_KEY" "$DRAGOMAN_ENDPOINT/v1/servers?name=web&status=running"
	grep -q '"name":"web"' "$state/list.json" || fail "The new server is not in the list: $(cat "$state/list.json")"
	printf 'It holds: %s...\n' "$(head -c 240 "$state/list.json")"
	say "People have the dragoman command. It is made from the same declarations as the API."
	show dragoman server list
	show dragoman server stop web --wait
	show dragoman server start web --wait
	show dragoman server update web --name www --output yaml | sed -n '1,8p'
}

own_end() {
	show dragoman server delete www --wait
	show dragoman server list
	"$dragoman" server list --name www --output json | grep -q '"items": \[\]' || fail "The deleted server is still listed."
}

memory_url=http://127.0.0.1:$port
need_openstack_command
if [ "$cloud" = openstack ]; then
	need_openstack
	keystone=$(sed -n 's/.*"auth_url": "\(.*\)".*/\1/p' "$openstack_dir/peer.json")
	memory_url=http://127.0.0.1:$((port + 1))

	part "(a) dragoman's own API and command, on a real OpenStack"
	say "The OpenStack at $keystone gets a user '$user' with a project of her own."
	(
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
	say "A dragoman starts before it. Its key has the same name and secret, so that all of ${user}'s settings below fit both."
	config="clouds:
  - name: os1
    dialect: nova
    shared: true
    endpoint: $keystone
    region: RegionOne
    auth: {username: $user, password: $secret, project: bootstrap, user_domain: Default, project_domain: Default}"
	printf '%s\n' "$config"
	serve real "$port" "$config"
	export DRAGOMAN_ENDPOINT=http://127.0.0.1:$port
	say "What is there: everything has an id that begins with its cloud."
	show dragoman cloud list
	show dragoman flavor list
	own_life m1.tiny net1
else
	part "(a) dragoman's own API and command, on a cloud in memory"
fi

say "A dragoman starts before a cloud in memory, which is what it has without a configuration."
serve memory "${memory_url##*:}" 'clouds: [{name: memory, dialect: memory, shared: true}]'
if [ "$cloud" != openstack ]; then
	export DRAGOMAN_ENDPOINT=$memory_url
	show dragoman cloud list
	show dragoman flavor list
	own_life small private
fi

part "(b) the unmodified openstack command"
export OS_IDENTITY_API_VERSION=3 OS_USERNAME=$user OS_PASSWORD=$secret OS_PROJECT_NAME=bootstrap
export OS_USER_DOMAIN_NAME=Default OS_PROJECT_DOMAIN_NAME=Default
env | grep '^OS_' | sort | sed 's/^/export /'
if [ "$cloud" = openstack ]; then
	say "Straight to the OpenStack: the server that was made through dragoman is there."
	at "$keystone"
	show openstack server list
	[ "$(openstack server list --name '^www$' --format value --column Status)" = ACTIVE ] || fail "The OpenStack does not hold the server."
	say "The same command, to the same OpenStack, through dragoman."
	at "http://127.0.0.1:$port/identity/v3"
	show openstack server list
	openstack_life m1.tiny net1
fi
say "The same command, to a cloud that is no OpenStack at all."
at "$memory_url/identity/v3"
show openstack flavor list
openstack_life small private

say "The end of the first server."
own_end

part "That was all: one dragoman speaks to both, and both sides are the same table of calls, read in two directions."
if [ "${CI:-}" = true ]; then
	exit 0
fi
cat <<END

Still serving, until Ctrl-C. In another shell:

  export DRAGOMAN_ENDPOINT=$DRAGOMAN_ENDPOINT DRAGOMAN_KEY=$DRAGOMAN_KEY
  $dragoman server list
$(env | grep '^OS_' | sort | sed 's/^/  export /')
  openstack server list

  $DRAGOMAN_ENDPOINT/docs describes the API.
END
wait "${pids[@]}"
