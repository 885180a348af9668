// Package cloudtest is the conformance suite that every canonical.Cloud passes. It
// asks Support and tests both sides: what is offered works as the contract says, and
// what is not offered is refused as Unsupported with a reason.
//
// The suite makes things with names of its own and removes them; it can be run
// against a cloud that is in use.
package cloudtest
