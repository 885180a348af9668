// Package keystone is the identity service that OpenStack clients log in to: the
// Keystone v3 calls that they make, over dragoman's own keys. A key's id is the
// user (or the application credential), its secret the password, its tenant the
// project. Tokens are signed and stateless, so that every replica that shares the
// secret accepts them.
//
// # Quirks
//
//   - A login without a scope gets the key's tenant: a key has only one.
//   - Domains are all "default", by id or by the name "Default".
//   - A key that is revoked ends its tokens at once: each use asks for the key.
package keystone
