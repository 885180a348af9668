# shellcheck shell=bash
# Daemons without an init system: each has a pid file and a log in $DIR.

# started_at PID prints when a process started, in clock ticks since boot. The
# pid file holds it too, because the pid alone may have passed to a stranger.
started_at() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	# The second field, the name, may hold spaces: count from behind it.
	local -a fields
	read -ra fields <<<"${stat##*) }"
	[[ ${fields[0]} != Z ]] || return 1
	echo "${fields[19]}"
}

# service_pid NAME prints the pid of a service that runs, or fails.
service_pid() {
	local pid start
	read -r pid start 2>/dev/null <"$DIR/run/$1.pid" || return 1
	[[ $(started_at "$pid") == "$start" ]] || return 1
	echo "$pid"
}

# service_start NAME COMMAND... does nothing when the service runs already.
service_start() {
	local name=$1 log="$DIR/log/$1.log" pid
	shift
	if service_pid "$name" >/dev/null; then
		return
	fi
	if [[ -e $log && $(stat -c %s "$log") -gt 20000000 ]]; then
		mv -f "$log" "$log.1"
	fi
	# A session of its own keeps a terminal's hangup away. Descriptor 9 is the
	# lock of this script, which must not outlive it.
	setsid "$@" </dev/null >>"$log" 2>&1 9>&- &
	pid=$!
	disown "$pid"
	echo "$pid $(started_at "$pid" || echo 0)" >"$DIR/run/$name.pid"
}

# service_stop NAME [SECONDS] asks, waits, and then insists.
service_stop() {
	local name=$1 patience=${2:-20} pid i
	if pid=$(service_pid "$name"); then
		kill -TERM "$pid" 2>/dev/null || true
		for ((i = 0; i < patience * 10; i++)); do
			service_pid "$name" >/dev/null || break
			sleep 0.1
		done
		if service_pid "$name" >/dev/null; then
			say "$name did not stop within $patience s: killing it"
		fi
		# setsid made the pid a group of its own, so this reaches the workers
		# that a parent may have left behind, and nobody else.
		kill -KILL -- "-$pid" 2>/dev/null || true
	fi
	rm -f "$DIR/run/$name.pid"
}

# service_failed NAME WHY shows the end of the log and gives up.
service_failed() {
	say "$1: $2; the end of $DIR/log/$1.log:"
	tail -n 30 "$DIR/log/$1.log" | cut -c 1-400 >&2 || true
	die "$1: $2"
}

# service_wait NAME SECONDS COMMAND... waits until the command succeeds.
service_wait() {
	local name=$1 deadline=$((SECONDS + $2))
	shift 2
	until "$@" >/dev/null 2>&1; do
		service_pid "$name" >/dev/null || service_failed "$name" "died while starting"
		((SECONDS < deadline)) || service_failed "$name" "is not ready in time"
		sleep 0.3
	done
}

port_open() {
	# A subshell, so that the connection closes again.
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# port_free NAME PORT refuses a port that somebody else serves.
port_free() {
	if ! service_pid "$1" >/dev/null && port_open "$2"; then
		die "port $2, wanted by $1, is in use; set DRAGOMAN_OPENSTACK_PORT to move"
	fi
}

http_answers() {
	curl -s -o /dev/null --noproxy '*' --max-time 10 "http://127.0.0.1:$1/"
}
