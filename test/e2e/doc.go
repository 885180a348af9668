// Package e2e tries the dragoman program as its users do: it starts the built binary
// and drives it by HTTP, by its own command and by the unmodified openstack command,
// with a cloud in memory and with a real OpenStack behind. Each step looks at what
// was printed and at what the cloud then holds.
//
// Tests are skipped, with the reason, under -short and where a peer is missing.
package e2e
