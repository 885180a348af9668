# shellcheck shell=bash
# The daemons. The paths of qemu:///system are compiled into libvirtd, so each
# daemon gets a mount namespace in which they lead into $DIR (enter.sh).

daemon_start() {
	local tool
	((EUID == 0)) || die "start needs root: namespaces, bridges, and the user libvirt-qemu"
	for tool in libvirtd virtlogd virsh qemu-system-x86_64 unshare; do
		command -v "$tool" >/dev/null || die "$tool is missing: run '$0 install'"
	done
	daemon_directories
	daemon_config
	exec 9>"$DIR/lock"
	flock 9
	service_start virtlogd bash "$HERE/lib/enter.sh" "$DIR" virtlogd --pid-file "$DIR/run/virtlogd.own-pid"
	service_wait virtlogd 10 test -S "$DIR/run/virtlogd-sock"
	service_start libvirtd bash "$HERE/lib/enter.sh" "$DIR" libvirtd --config "$DIR/etc/libvirtd.conf" --pid-file "$DIR/run/libvirtd.own-pid"
	service_wait libvirtd 30 client version
	network_start
	say "ready: export DRAGOMAN_TEST_LIBVIRT='$URI'"
}

daemon_directories() {
	mkdir -p "$DIR"/{etc,lib,cache,run,log/libvirt}
	# Guests run as libvirt-qemu, which has to reach its disks.
	chmod 755 "$DIR" "$DIR/lib"
	mkdir -p /etc/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt /run/libvirt
}

daemon_config() {
	cat >"$DIR/etc/libvirtd.conf" <<-TEXT
		# Whoever may open the socket may do everything: there is no polkit here.
		auth_unix_rw = "none"
		unix_sock_rw_perms = "0770"
		log_outputs = "3:stderr"
	TEXT
	cat >"$DIR/etc/qemu.conf" <<-TEXT
		security_driver = "none"
		# A namespace per guest needs a devtmpfs that containers lack.
		namespaces = []
	TEXT
	cat >"$DIR/etc/virtlogd.conf" <<-TEXT
		log_outputs = "3:stderr"
	TEXT
}

# network_start makes the network: with NAT, or where there is no iptables, as in some
# containers, without rules; its servers then reach the host alone. Where bridges are out
# of reach too it says so: tests that need it skip, others do without.
network_start() {
	local mode
	client net-list --name | grep -x "$NETWORK" >/dev/null && return
	for mode in nat open; do
		network_define "$mode"
		if client net-start "$NETWORK" >/dev/null; then
			return
		fi
	done
	client net-undefine "$NETWORK" >/dev/null
	say "no network: $NETWORK does not start (bridges, iptables and dnsmasq are needed)"
}

# network_define MODE: defines it, also over one of another mode.
network_define() {
	local uuid
	uuid=$(client net-uuid "$NETWORK" 2>/dev/null || true)
	client net-define /dev/stdin >/dev/null <<-XML
		<network>
		  <name>$NETWORK</name>
		  ${uuid:+<uuid>$uuid</uuid>}
		  <forward mode='$1'/>
		  <bridge name='$BRIDGE' stp='off' delay='0'/>
		  <ip address='$SUBNET.1' netmask='255.255.255.0'>
		    <dhcp><range start='$SUBNET.100' end='$SUBNET.199'/></dhcp>
		  </ip>
		</network>
	XML
}

daemon_stop() {
	local name
	# What a libvirtd that crashed left running, only a libvirtd can end.
	if ! client version >/dev/null 2>&1 && [[ -e $DIR/run/network/$NETWORK.pid ]]; then
		daemon_start
	fi
	if client version >/dev/null 2>&1; then
		while read -r name; do
			[[ -z $name ]] || client destroy "$name" >/dev/null || true
		done < <(client list --name)
		while read -r name; do
			[[ -z $name ]] || client net-destroy "$name" >/dev/null || true
		done < <(client net-list --name)
	fi
	service_stop libvirtd
	service_stop virtlogd
}

daemon_kill() {
	local pid
	pid=$(service_pid libvirtd) || die "libvirtd does not run"
	kill -KILL "$pid"
	rm -f "$DIR/run/libvirtd.pid"
}

daemon_status() {
	local name failed=0
	for name in virtlogd libvirtd; do
		if service_pid "$name" >/dev/null; then
			say "$name runs"
		else
			say "$name does not run"
			failed=1
		fi
	done
	((failed == 0)) && client version && client net-list --all && client list --all
}
