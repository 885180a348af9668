#!/usr/bin/env bash
# enter.sh DIR COMMAND... becomes the command, in a mount namespace in which the
# paths that are compiled into libvirt lead into DIR.
set -euo pipefail
# shellcheck disable=SC2016 # the inner shell expands it
exec unshare --mount --propagation private bash -c '
	set -e
	dir=$1
	shift
	mount --bind "$dir/etc" /etc/libvirt
	mount --bind "$dir/lib" /var/lib/libvirt
	mount --bind "$dir/cache" /var/cache/libvirt
	mount --bind "$dir/log/libvirt" /var/log/libvirt
	mount --bind "$dir/run" /run/libvirt
	exec "$@"' bash "$@"
