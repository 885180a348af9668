// Package libvirt gives integration tests the libvirtd that libvirt.sh in this
// directory starts.
//
// A test that needs it begins with
//
//	host := libvirt.Require(t)
//
// and is skipped where none was provided. See README.md.
package libvirt
