#!/usr/bin/env bash
# A server's life on the in-memory cloud, by the command line. Then keeps serving
# until it is stopped; with CI=true it ends by itself, non-zero on failure.
set -euo pipefail

dragoman=$(realpath "${1:-bin/dragoman}")
listen=${DEMO_LISTEN:-127.0.0.1:18080}
state=$(mktemp -d)
pid=

finish() {
	local code=$?
	trap - EXIT
	if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
		kill "$pid"
		wait "$pid" || code=${code/#0/1}
	fi
	[ "$code" -eq 0 ] || { echo "demo failed ($code); the server's log:"; cat "$state/log"; } >&2
	rm -rf "$state"
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# random N: N hexadecimal digits.
random() { od -An -N"$(($1 / 2))" -tx1 /dev/urandom | tr -d ' \n'; }

# A working directory of its own: no dragoman.yaml there, so the embedded defaults hold.
cd "$state"
export DRAGOMAN_KEY="demo.$(random 32)"
export DRAGOMAN_ENDPOINT="http://$listen"
DRAGOMAN_BOOTSTRAP_KEY=$DRAGOMAN_KEY DRAGOMAN_LISTEN=$listen "$dragoman" serve >"$state/log" 2>&1 &
pid=$!
for _ in $(seq 100); do
	curl -fsS -o /dev/null "$DRAGOMAN_ENDPOINT/readyz" 2>/dev/null && break
	kill -0 "$pid" 2>/dev/null || exit 1
	sleep 0.1
done

# show COMMAND...: says the command, then runs it.
show() {
	printf '\n$ dragoman %s\n' "$*"
	"$dragoman" "$@"
}

show cloud list
show flavor list
show image list
flavor=$("$dragoman" flavor list -o json | grep -m1 -o '"id": "[^"]*"' | cut -d'"' -f4)
image=$("$dragoman" image list -o json | grep -m1 -o '"id": "[^"]*"' | cut -d'"' -f4)
show server create --name web --flavor "$flavor" --image "$image" --wait
id=$("$dragoman" server list --name web -o json | grep -m1 -o '"id": "[^"]*"' | cut -d'"' -f4)
show server stop "$id" --wait
show server list
show server start "$id" --wait
show server update "$id" --name www
show server list
show server delete "$id" --wait
show server list
"$dragoman" server list --name www -o json | grep -q '"items": \[\]'
printf '\nThe whole life of a server, on a cloud in memory.\n'

if [ "${CI:-}" = true ]; then
	exit 0
fi
cat <<END
Serving on $DRAGOMAN_ENDPOINT (API under /v1, documentation at /docs). In another shell:

  export DRAGOMAN_ENDPOINT=$DRAGOMAN_ENDPOINT DRAGOMAN_KEY=$DRAGOMAN_KEY
  $dragoman server list

Ctrl-C stops it.
END
wait "$pid"
