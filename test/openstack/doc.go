// Package openstack gives integration tests the OpenStack control plane that
// openstack.sh in this directory starts.
//
// A test that needs it begins with
//
//	peer := openstack.Require(t)
//
// and is skipped where no OpenStack was provided. See README.md.
package openstack
