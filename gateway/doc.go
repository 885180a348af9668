// Package gateway serves the canonical API over HTTP: every declared operation at
// its route, in one loop over canonical.Ops. It reads requests strictly, hands
// them to the one Cloud behind it, and writes results, problems and operations.
//
// It holds no handler of a single operation, decides nothing about who may do what
// (policy does) and knows no cloud (the broker does). North-bound dialects are
// handlers of their own, mounted by path prefix.
//
// # Oddities
//
//   - Routing is on the escaped path, so that an id may hold an escaped slash.
//   - The checks of bodies are huma's, by the schemas that the OpenAPI document
//     shows; huma's own answers (422) are not used, because the contract says 400.
//   - Answers are made whole before they are written, so that a repeated
//     Idempotency-Key can be given the same one.
package gateway
