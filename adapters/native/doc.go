// Package native is a cloud that dragoman runs itself, on KVM hosts that have nothing
// but libvirt: it keeps images, flavors and keypairs, places servers on hosts, makes
// their disks and seeds, and follows what becomes of them.
//
// Sub-packages do the work: kvm speaks to one host, image keeps images, seed makes
// the disk from which a server learns who it is.
//
// # What is kept where
//
// The store holds flavors, keypairs, the records of servers with what they claim of
// their hosts, and jobs; the data directory holds images; a host holds its servers,
// each with a record of its own in its domain, from which Recover rebuilds the store's.
// The data directory is locked, so one process at a time runs a native cloud.
//
// # Long work
//
// Making, starting, stopping, rebooting, pausing, suspending, resizing and deleting
// servers, and what undoes these, and importing images, are jobs:
// rows of the store, asked about with operation.get. A job that a crash cuts short is
// taken up by the next process: its steps can be repeated.
package native
