# shellcheck shell=bash
# shellcheck disable=SC2153 # the variables come from common.sh
# What the stack consists of, and the order of its parts.

# In the order in which they start; they stop in reverse.
SERVICES=(epmd rabbitmq mariadb memcached keystone placement glance neutron
	nova-conductor nova-scheduler nova-api cinder-scheduler cinder-volume cinder-api "${COMPUTE_HOSTS[@]/#/nova-}")

declare -A SERVICE_PORT=(
	[epmd]=$EPMD_PORT
	[rabbitmq]=$AMQP_PORT
	[mariadb]=$MARIADB_PORT
	[memcached]=$MEMCACHED_PORT
	[keystone]=$KEYSTONE_PORT
	[placement]=$PLACEMENT_PORT
	[glance]=$GLANCE_PORT
	[neutron]=$NEUTRON_PORT
	[nova-api]=$NOVA_PORT
	[cinder-api]=$CINDER_PORT
)

stack_lock() {
	mkdir -p "$DIR"
	exec 9>"$DIR/lock"
	flock -w 600 9 || die "another start or stop holds $DIR/lock for too long"
}

stack_configure() {
	mkdir -p "$DIR"/{etc/conf.d,etc/policy-none.d,run,log,tmp,locks,cache,home} \
		"$DIR"/{mariadb,rabbitmq,glance/images,glance/staging,glance/tasks,glance/cache} \
		"$DIR"/{keystone,neutron,nova/provider_config,cinder}
	local name
	for name in my.cnf init.sql rabbitmq.conf keystone.conf placement.conf glance.conf neutron.conf \
		cinder.conf nova.conf nova-database.conf; do
		render "$name" "$DIR/etc/$name"
	done
	for name in "${COMPUTE_HOSTS[@]}"; do
		render nova-compute.conf "$DIR/etc/nova-$name.conf" "HOST=$name"
	done
	echo '{}' >"$DIR/etc/policy-none.yaml"
	install -m 644 /etc/cinder/resource_filters.json "$DIR/etc/cinder-filters.json"
	echo '[].' >"$DIR/etc/rabbitmq-plugins"
}

# The environment of every process of the stack. The proxy settings of the
# machine would send loopback traffic away, and stevedore keeps its cache of
# entry points below XDG_CACHE_HOME.
stack_environment() {
	unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
	unset "${!OS_@}"
	# Debian's Python has the packages; a python3 of pyenv or the like has not.
	export PATH=/usr/sbin:/usr/bin:/sbin:/bin
	export HOME="$DIR/home" XDG_CACHE_HOME="$DIR/cache" TMPDIR="$DIR/tmp"
	export PYTHONPATH="$HERE/lib/python" PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore
	# Python and glibc would keep an arena per thread, for nothing.
	export MALLOC_ARENA_MAX=2
	export LC_ALL=C.UTF-8
	export OS_KEYSTONE_CONFIG_FILES="$DIR/etc/keystone.conf"
	export OS_PLACEMENT_CONFIG_DIR="$DIR/etc"
	# The tools that come with Erlang and RabbitMQ find the node by these.
	export ERL_EPMD_PORT=$EPMD_PORT ERL_EPMD_ADDRESS=127.0.0.1
	cd "$DIR" || return
}

# python_service NAME MODULE:FUNCTION CONFIG... runs one of OpenStack's daemons.
python_service() {
	local name=$1 entry=$2 file
	shift 2
	local -a arguments=()
	for file in "$@"; do
		arguments+=(--config-file "$DIR/etc/$file")
	done
	# Without a directory of their own they would read /etc/nova/nova.conf.d.
	service_start "$name" python3 -m dragoman_stack.run "$name" "$entry" \
		"${arguments[@]}" --config-dir "$DIR/etc/conf.d" --log-file "$DIR/log/$name.log"
}

# wsgi_service NAME PORT MODULE:FUNCTION serves what has no server of its own.
wsgi_service() {
	service_start "$1" python3 -m dragoman_stack.wsgi "$2" "$3"
}

# rabbitmq_service keeps the node to itself: own name, ports, cookie and files.
rabbitmq_service() {
	service_start rabbitmq env \
		RABBITMQ_NODENAME=dragoman@localhost \
		RABBITMQ_CONF_ENV_FILE=/dev/null \
		RABBITMQ_CONFIG_FILE="$DIR/etc/rabbitmq.conf" \
		RABBITMQ_ADVANCED_CONFIG_FILE="$DIR/etc/rabbitmq-advanced.config" \
		RABBITMQ_ENABLED_PLUGINS_FILE="$DIR/etc/rabbitmq-plugins" \
		RABBITMQ_MNESIA_BASE="$DIR/rabbitmq" \
		RABBITMQ_LOG_BASE="$DIR/log" RABBITMQ_LOGS=- \
		RABBITMQ_PID_FILE="$DIR/run/rabbitmq.node-pid" \
		RABBITMQ_DIST_PORT="$ERLANG_PORT" \
		RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}" \
		RUNNING_UNDER_SYSTEMD=true \
		/usr/lib/rabbitmq/bin/rabbitmq-server
}

infrastructure_start() {
	local -a user=()
	# mariadbd and memcached refuse to be root without being told to.
	((EUID != 0)) || user=(--user=root)
	if [[ ! -d $DIR/mariadb/mysql ]]; then
		say "making the database's directory"
		mariadb-install-db --no-defaults --datadir="$DIR/mariadb" "${user[@]}" \
			--auth-root-authentication-method=normal --skip-test-db \
			--innodb-use-native-aio=0 --innodb-flush-method=nosync \
			>"$DIR/log/mariadb-install.log" 2>&1 ||
			die "mariadb-install-db failed, see $DIR/log/mariadb-install.log"
	fi
	service_start mariadb mariadbd --defaults-file="$DIR/etc/my.cnf" "${user[@]}"
	service_start memcached memcached -l 127.0.0.1 -p "$MEMCACHED_PORT" -U 0 -m 64 -t 2 "${user[@]/#--user=/-u}"
}

# once NAME COMMAND... runs a step of the first start only; a step that was
# interrupted runs again, which all of them can stand.
once() {
	local name=$1
	shift
	[[ ! -e $DIR/run/done-$name ]] || return 0
	"$@" >>"$DIR/log/setup-$name.log" 2>&1 || {
		say "setting up $name failed; the end of $DIR/log/setup-$name.log:"
		tail -n 30 "$DIR/log/setup-$name.log" | cut -c 1-400 >&2
		return 1
	}
	touch "$DIR/run/done-$name"
}

setup_keystone() {
	local manage="keystone-manage --config-file $DIR/etc/keystone.conf --config-dir $DIR/etc/conf.d"
	local url="http://127.0.0.1:$KEYSTONE_PORT/v3"
	local -a owner=()
	((EUID != 0)) || owner=(--keystone-user root --keystone-group root)
	$manage fernet_setup "${owner[@]}" &&
		$manage credential_setup "${owner[@]}" &&
		$manage db_sync &&
		$manage bootstrap --bootstrap-password "$PASSWORD" \
			--bootstrap-username admin --bootstrap-project-name admin \
			--bootstrap-region-id RegionOne --bootstrap-public-url "$url" \
			--bootstrap-internal-url "$url" --bootstrap-admin-url "$url"
}

setup_placement() {
	placement-manage --config-file "$DIR/etc/placement.conf" --config-dir "$DIR/etc/conf.d" db sync
}

setup_glance() {
	glance-manage --config-file "$DIR/etc/glance.conf" --config-dir "$DIR/etc/conf.d" db_sync
}

setup_neutron() {
	neutron-db-manage --config-file "$DIR/etc/neutron.conf" --config-dir "$DIR/etc/conf.d" upgrade heads
}

setup_cinder() {
	cinder-manage --config-file "$DIR/etc/cinder.conf" --config-dir "$DIR/etc/conf.d" db sync
}

nova_manage() {
	nova-manage --config-file "$DIR/etc/nova.conf" --config-file "$DIR/etc/nova-database.conf" \
		--config-dir "$DIR/etc/conf.d" "$@"
}

setup_nova() {
	local database="mysql+pymysql://openstack:$PASSWORD@127.0.0.1:$MARIADB_PORT"
	nova_manage api_db sync &&
		nova_manage cell_v2 map_cell0 --database_connection "$database/nova_cell0?charset=utf8" &&
		nova_manage db sync &&
		{ # 2 says that the cell is there already.
			nova_manage cell_v2 create_cell --name cell1 || (($? == 2))
		}
}

setup_hosts() {
	nova_manage cell_v2 discover_hosts --by-service
}

seed() {
	python3 -m dragoman_stack.seed "$@" --dir "$DIR" \
		--keystone "$KEYSTONE_PORT" --glance "$GLANCE_PORT" --placement "$PLACEMENT_PORT" \
		--neutron "$NEUTRON_PORT" --nova "$NOVA_PORT" --cinder "$CINDER_PORT" --password "$PASSWORD"
}

# identity_start brings Keystone up and fills it, while others set up.
identity_start() {
	once keystone setup_keystone || return 1
	wsgi_service keystone "$KEYSTONE_PORT" 'keystone.server.wsgi:initialize_public_application'
	service_wait keystone 60 http_answers "$KEYSTONE_PORT"
	# Named for what came last: a stack that is older gets it at its next start.
	once identity-volumes seed identity
}

# image_setup does three in a row: together they are no slower than Neutron's,
# and there are two processors only.
image_setup() {
	once glance setup_glance && once placement setup_placement && once cinder setup_cinder
}

stack_start() {
	local started=$SECONDS name job failed
	local -a missing jobs
	mapfile -t missing < <(packages_missing)
	((${#missing[@]} == 0)) || die "run 'openstack.sh install' first; missing: ${missing[*]}"
	stack_lock
	if [[ -e $DIR/run/ready ]] && stack_healthy; then
		say "already running; peer: $DIR/peer.json"
		return
	fi
	rm -f "$DIR/run/ready"
	for name in "${!SERVICE_PORT[@]}"; do
		[[ ! -d $DIR/run ]] || port_free "$name" "${SERVICE_PORT[$name]}"
	done
	stack_configure
	stack_environment
	date +%s >"$DIR/run/since"

	say "starting the database and the message queue"
	service_start epmd epmd -port "$EPMD_PORT" -address 127.0.0.1
	service_wait epmd 20 port_open "$EPMD_PORT"
	rabbitmq_service
	infrastructure_start
	service_wait mariadb 60 port_open "$MARIADB_PORT"
	service_wait memcached 20 port_open "$MEMCACHED_PORT"

	say "setting up databases, where missing, and the identity service"
	jobs=()
	(once neutron setup_neutron) &
	jobs+=($!)
	(identity_start) &
	jobs+=($!)
	(once nova setup_nova) &
	jobs+=($!)
	(image_setup) &
	jobs+=($!)
	service_wait rabbitmq 90 port_open "$AMQP_PORT"
	# All of them end before this gives up, so that nothing works on behind it.
	failed=0
	for job in "${jobs[@]}"; do
		wait "$job" || failed=1
	done
	((failed == 0)) || die "the setup failed"

	say "starting the other services"
	wsgi_service placement "$PLACEMENT_PORT" 'placement.wsgi:init_application'
	python_service nova-conductor nova.cmd.conductor:main nova.conf nova-database.conf
	for name in "${COMPUTE_HOSTS[@]}"; do
		python_service "nova-$name" dragoman_stack.compute:main nova.conf "nova-$name.conf"
	done
	python_service neutron neutron.cmd.eventlet.server:main neutron.conf
	python_service nova-api nova.cmd.api_os_compute:main nova.conf nova-database.conf
	python_service nova-scheduler nova.cmd.scheduler:main nova.conf nova-database.conf
	python_service glance glance.cmd.api:main glance.conf
	python_service cinder-scheduler cinder.cmd.scheduler:main cinder.conf
	python_service cinder-volume cinder.cmd.volume:main cinder.conf
	python_service cinder-api cinder.cmd.api:main cinder.conf
	for name in placement glance neutron nova-api cinder-api; do
		service_wait "$name" 120 http_answers "${SERVICE_PORT[$name]}"
	done

	say "waiting for the compute services"
	for name in "${COMPUTE_HOSTS[@]}"; do
		service_wait "nova-$name" 120 compute_up "$name"
	done
	once hosts setup_hosts || die "the setup failed"
	once resources seed resources || die "the setup failed"
	seed probe >>"$DIR/log/setup-probe.log" 2>&1 || {
		tail -n 30 "$DIR/log/setup-probe.log" >&2
		die "no server could be made; see the logs in $DIR/log"
	}
	stack_healthy || die "a service died; see 'openstack.sh status'"
	touch "$DIR/run/ready"
	say "ready after $((SECONDS - started)) s; peer: $DIR/peer.json"
}

# compute_up NAME tells whether the service reported in after this start: the
# record of an earlier run looks alive for minutes.
compute_up() {
	local since
	since=$(<"$DIR/run/since")
	[[ $(mariadb --no-defaults -h 127.0.0.1 -P "$MARIADB_PORT" -u openstack "-p$PASSWORD" -N nova -e \
		"SET time_zone = '+00:00'; SELECT COUNT(*) FROM services WHERE host = '$1'
		 AND deleted = 0 AND last_seen_up >= FROM_UNIXTIME($since)") == 1 ]]
}

stack_stop() {
	local i
	if [[ ! -d $DIR/run ]]; then
		say "nothing to stop"
		return
	fi
	stack_lock
	rm -f "$DIR/run/ready"
	for ((i = ${#SERVICES[@]} - 1; i >= 4; i--)); do
		service_stop "${SERVICES[i]}" 15 &
	done
	wait
	for ((i = 3; i >= 0; i--)); do
		service_stop "${SERVICES[i]}" 30
	done
	say "stopped; the state stays in $DIR"
}

# stack_healthy tells whether all runs and answers, without a word.
stack_healthy() {
	local name
	for name in "${SERVICES[@]}"; do
		service_pid "$name" >/dev/null || return 1
	done
	for name in keystone placement glance neutron nova-api cinder-api; do
		http_answers "${SERVICE_PORT[$name]}" || return 1
	done
	port_open "$AMQP_PORT" && port_open "$MARIADB_PORT"
}

stack_status() {
	local name pid port state good=true
	for name in "${SERVICES[@]}"; do
		port=${SERVICE_PORT[$name]:-}
		if ! pid=$(service_pid "$name"); then
			state="not running"
			good=false
		elif [[ -n $port ]] && ! port_open "$port"; then
			state="runs as $pid, but does not listen"
			good=false
		else
			state="runs as $pid"
		fi
		printf '%-16s %-6s %s\n' "$name" "$port" "$state"
	done
	if [[ -e $DIR/run/ready ]] && $good; then
		echo "usable; peer: $DIR/peer.json"
	else
		echo "not usable; logs: $DIR/log"
		return 1
	fi
}

stack_env() {
	local file=$DIR/$1-openrc
	[[ $1 != admin ]] || file=$DIR/openrc
	[[ -e $file ]] || die "there is no $file; run 'openstack.sh start' first"
	cat "$file"
}

stack_logs() {
	if [[ -n $1 ]]; then
		[[ -e $DIR/log/$1.log ]] || die "no such log; there are: $(cd "$DIR/log" && ls)"
		exec tail -n 100 -f "$DIR/log/$1.log"
	fi
	tail -n 10 "$DIR"/log/*.log
}
