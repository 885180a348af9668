// Package canonical is the vocabulary of dragoman: every operation that it
// offers, the types that operations carry, the errors they end with, and the one
// port, Cloud, that whatever performs operations implements.
//
// It imports the standard library only and does no I/O, so that dialect tables,
// adapters, the broker and clients can all depend on it.
//
// # Reading order
//
//   - op.go: how an operation is declared and called.
//   - cloud.go: what a Cloud owes its caller, and what a Reply says.
//   - server.go and one file for each other resource: the operations and shapes.
//   - error.go, task.go, page.go, opt.go, id.go: what all operations share.
//
// # Names
//
// An operation is named resource.verb as in the contract (server.create). Types
// of requests are named resource first (ServerCreate), so that documentation
// groups them; variables of operations are named verb first (CreateServer), so
// that calls read as sentences.
package canonical
