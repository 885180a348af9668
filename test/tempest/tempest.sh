#!/usr/bin/env bash
# Installs Tempest, OpenStack's own test suite, from Debian's packages (as root).
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../openstack" && pwd)
# shellcheck source-path=SCRIPTDIR/../openstack
source "$HERE/lib/common.sh"
# shellcheck source-path=SCRIPTDIR/../openstack
source "$HERE/lib/packages.sh"

# shellcheck disable=SC2034 # packages_install reads it
PACKAGES=(tempest python3-stestr python3-subunit subunit)

case ${1:-} in
install) packages_install ;;
*)
	echo "usage: tempest.sh install" >&2
	exit 2
	;;
esac
