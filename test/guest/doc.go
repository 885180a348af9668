// Package guest gives tests a small real guest: a bootable qcow2 of Debian's kernel
// and busybox that build.sh in this directory makes, and plain QEMU to boot it with.
//
// A test that needs the image begins with
//
//	path := guest.Image(t)
//
// and is skipped in short mode and where the image cannot be built. What the guest
// does and prints is told in README.md.
package guest
