# shellcheck shell=bash
# The Debian packages. The libraries and the -common packages are enough: the
# packages named after a daemon add nothing but its init script, and that of
# nova-compute would bring in libvirt and a hypervisor.

PACKAGES=(
	cinder-common
	curl
	glance-common
	mariadb-server
	memcached
	neutron-common
	nova-common
	python3-cinder
	python3-glance
	python3-gunicorn
	python3-keystone
	python3-memcache
	python3-neutron
	python3-nova
	python3-openstackclient
	python3-placement
	rabbitmq-server
)

packages_missing() {
	local package
	for package in "${PACKAGES[@]}"; do
		if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
			echo "$package"
		fi
	done
}

packages_install() {
	local -a missing
	mapfile -t missing < <(packages_missing)
	if ((${#missing[@]} == 0)); then
		say "all packages are installed"
		return
	fi
	((EUID == 0)) || die "install needs root, to install: ${missing[*]}"
	say "installing ${#missing[@]} packages and what they need: ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	if apt_lists_stale; then
		apt_get update || say "the package lists stay as they are"
	fi
	deny_daemons
	trap allow_daemons EXIT
	if ! apt_get install -y --no-install-recommends "${missing[@]}"; then
		# Lists that look fresh may still name versions the mirror has dropped.
		apt_get update
		apt_get install -y --no-install-recommends "${missing[@]}"
	fi
	trap - EXIT
	allow_daemons
	say "installed"
}

apt_get() {
	# The configuration files of the packages stay as they are, and the
	# questions of dbconfig-common (whether to make a database) get a no.
	apt-get -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=600 \
		-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" >&2
}

apt_lists_stale() {
	local fresh
	fresh=$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -ctime -1 -print -quit 2>/dev/null)
	[[ -z $fresh ]]
}

POLICY=/usr/sbin/policy-rc.d

# Debian starts a daemon as soon as its package is installed, on the default
# port, unless this script says 101.
deny_daemons() {
	if [[ -e $POLICY && ! -e $POLICY.dragoman-saved ]]; then
		mv "$POLICY" "$POLICY.dragoman-saved"
	fi
	printf '#!/bin/sh\nexit 101\n' >"$POLICY"
	chmod 755 "$POLICY"
	if command -v debconf-set-selections >/dev/null; then
		echo 'dbconfig-common dbconfig-common/dbconfig-install boolean false' | debconf-set-selections
	fi
}

allow_daemons() {
	rm -f "$POLICY"
	if [[ -e $POLICY.dragoman-saved ]]; then
		mv "$POLICY.dragoman-saved" "$POLICY"
	fi
}
