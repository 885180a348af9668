#!/usr/bin/env bash
# Builds the test guest, a bootable qcow2, from Debian's kernel, busybox and
# syslinux, and prints its path. See README.md.
#
# The image lies in $DRAGOMAN_GUEST_DIR (/var/tmp/dragoman-guest) under a name made
# from the versions and sources it was built of, and is built once.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${DRAGOMAN_GUEST_DIR:-/var/tmp/dragoman-guest}

# What the build and the tests run. What goes into the guest is downloaded and
# unpacked, never installed.
TOOLS=(cpio genisoimage kmod mtools qemu-system-x86 qemu-utils syslinux zstd binutils)
CONTENTS=(busybox-static syslinux-common)

# Loaded at boot, after what they depend on.
MODULES=(virtio_pci virtio_blk virtio_net virtio_scsi sr_mod sd_mod isofs vfat
	nls_cp437 nls_ascii evdev button)

# Quiet, and free of what only costs time under emulation. no_timer_check: a busy
# machine may starve the emulated timer long enough for the kernel to give up.
CMDLINE="console=ttyS0 quiet loglevel=3 panic=-1 no_timer_check tsc=reliable mitigations=off nokaslr cryptomgr.notests random.trust_cpu=on net.ifnames=0 i8042.noaux raid=noautodetect"

SIZE_MIB=40 # of the disk: kernel, initramfs and a little room

say() { printf 'guest: %s\n' "$*" >&2; }

apt_get() { apt-get -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=600 "$@" >&2; }

# with_fresh_lists COMMAND...: lists that look fine may name what the mirror has
# dropped.
with_fresh_lists() { "$@" || { apt_get update && "$@"; }; }

POLICY=/usr/sbin/policy-rc.d

# Debian starts a daemon as soon as its package is installed, unless this script
# says 101. One that is there already stays.
deny_daemons() {
	[[ -e $POLICY ]] && return
	printf '#!/bin/sh\nexit 101\n' >"$POLICY"
	chmod 755 "$POLICY"
	trap 'rm -f "$POLICY"' EXIT
}

install_tools() {
	local -a missing=()
	local package
	for package in "${TOOLS[@]}"; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
	done
	((${#missing[@]})) || return 0
	((EUID == 0)) || { say "needs root, to install: ${missing[*]}"; return 1; }
	say "installing ${missing[*]}"
	(
		deny_daemons
		export DEBIAN_FRONTEND=noninteractive
		with_fresh_lists apt_get install -y --no-install-recommends "${missing[@]}"
	)
}

candidate() { apt-cache policy "$1" | awk '/Candidate:/ {print $2}'; }

kernel_package() {
	apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-/ {print $2; exit}'
}

# key hashes all that the image is made of.
key() {
	{
		local package
		for package in linux-image-cloud-amd64 "${CONTENTS[@]}"; do
			echo "$package $(candidate "$package")"
		done
		cd "$HERE"
		find agent rootfs build.sh -type f ! -name '*_test.go' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
	} | sha256sum | cut -c1-16
}

# download DIR unpacks the packages into DIR/root.
download() {
	local kernel
	kernel=$(kernel_package)
	say "downloading $kernel ${CONTENTS[*]}"
	(cd "$1" && with_fresh_lists apt_get download "$kernel" "${CONTENTS[@]}" 2>/dev/null)
	local deb
	for deb in "$1"/*.deb; do dpkg-deb -x "$deb" "$1/root"; done
}

# modules DIR TREE copies the modules and writes the order to load them in.
modules() {
	local release name path
	release=$(basename "$1"/root/lib/modules/*)
	depmod -b "$1/root" "$release"
	mkdir -p "$2/lib/modules"
	for name in "${MODULES[@]}"; do
		modprobe -d "$1/root" -S "$release" --show-depends "$name" | awk '/^insmod/ {print $2}'
	done | awk '!seen[$0]++' | while read -r path; do
		strip --strip-unneeded -o "$2/lib/modules/$(basename "$path")" "$path"
		basename "$path" >>"$2/lib/modules/order"
	done
}

# initramfs DIR makes DIR/initrd.
initramfs() {
	local tree=$1/tree applet
	mkdir -p "$tree"/{bin,sbin,proc,sys,dev,run,boot,root,tmp}
	cp -r "$HERE/rootfs/." "$tree"
	cp "$1/root/bin/busybox" "$tree/bin/busybox"
	for applet in $("$tree/bin/busybox" --list); do
		[[ $applet == busybox ]] || ln -sf /bin/busybox "$tree/bin/$applet"
	done
	for applet in init getty reboot poweroff; do ln -s /bin/busybox "$tree/sbin/$applet"; done
	ln -s /bin/busybox "$tree/init"
	(cd "$HERE/agent" && CGO_ENABLED=0 GOOS=linux GOARCH=amd64 go build -trimpath -ldflags '-s -w' -o "$tree/sbin/agent" .)
	modules "$1" "$tree"
	(cd "$tree" && find . -print0 | LC_ALL=C sort -z | cpio -o -0 -H newc -R 0:0 --quiet | zstd -q -19 -o "$1/initrd")
}

# le32 NUMBER prints four bytes, the least first, for printf.
le32() { printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)); }

# disk DIR makes DIR/disk.raw: a boot record and one FAT partition that holds
# syslinux, kernel and initramfs.
disk() {
	local start=2048 sectors=$((SIZE_MIB * 2048 - 2048)) raw=$1/disk.raw
	truncate -s "${SIZE_MIB}M" "$raw"
	dd if="$1/root/usr/lib/syslinux/mbr/mbr.bin" of="$raw" conv=notrunc status=none
	# One entry: active, type 0e (FAT16, LBA), no geometry.
	printf '%b' "\\x80\\xfe\\xff\\xff\\x0e\\xfe\\xff\\xff$(le32 $start)$(le32 $sectors)" |
		dd of="$raw" bs=1 seek=446 conv=notrunc status=none
	printf '\x55\xaa' | dd of="$raw" bs=1 seek=510 conv=notrunc status=none
	mformat -i "$raw@@1M" -T $sectors -h 16 -s 63 -H $start -N 64726167 ::
	syslinux --install --offset $((start * 512)) "$raw"
	printf 'DEFAULT guest\nPROMPT 0\nTIMEOUT 0\nLABEL guest\n  LINUX /vmlinuz\n  INITRD /initrd\n  APPEND %s\n' "$CMDLINE" >"$1/syslinux.cfg"
	mcopy -i "$raw@@1M" "$1"/root/boot/vmlinuz-* ::/vmlinuz
	mcopy -i "$raw@@1M" "$1/initrd" "$1/syslinux.cfg" ::/
}

build() {
	local target=$1 dir
	dir=$(mktemp -d "$CACHE/build.XXXXXX")
	# shellcheck disable=SC2064 # the directory of now
	trap "rm -rf '$dir'" EXIT
	download "$dir"
	initramfs "$dir"
	disk "$dir"
	qemu-img convert -q -f raw -O qcow2 -c "$dir/disk.raw" "$dir/disk.qcow2"
	chmod 644 "$dir/disk.qcow2"
	mv "$dir/disk.qcow2" "$target"
	say "built $target ($(du -h "$target" | cut -f1))"
}

main() {
	export PATH=$PATH:/usr/sbin:/sbin
	[[ $(uname -m) == x86_64 ]] || { say "needs an amd64 machine"; exit 1; }
	mkdir -p "$CACHE"
	exec 9>"$CACHE/lock"
	flock 9 # two packages' tests may want the image at the same time
	install_tools
	local target
	target=$CACHE/guest-$(key).qcow2
	if [[ ! -s $target ]]; then
		find "$CACHE" -name 'guest-*.qcow2' -mtime +30 -delete
		(build "$target")
	fi
	echo "$target"
}

main "$@"
