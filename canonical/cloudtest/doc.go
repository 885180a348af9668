// Package cloudtest is the conformance suite that every canonical.Cloud passes. It
// asks Support and tests both sides: what is offered works as the contract says, and
// what is not offered is refused as Unsupported with the reason that Support gives.
//
// The suite makes things with names of its own and removes them; it can be run
// against a cloud that is in use. Where servers are costly (Harness.Costly) tests that
// only read share a few of them, tests of states share one, and large products are
// sampled.
//
// # Reading order
//
//   - harness.go: how a cloud is given to the suite, and the list of its tests.
//   - check.go: what tests are written with.
//   - state.go: which action is allowed from which state.
//   - one file for each other matter: list, server, concurrency, cancel, errors...
package cloudtest
