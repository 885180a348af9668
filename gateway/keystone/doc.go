// Package keystone is the identity service that OpenStack clients log in to: the
// Keystone v3 calls that they make, over dragoman's own keys. A key's id is the
// user (or the application credential), its secret the password, its tenant the
// project. Tokens are signed and stateless, so that every replica that shares the
// secret accepts them.
//
// # Quirks
//
//   - A login without a scope gets the key's tenant: a key has only one.
//   - A wrong application credential is 401 whether its id exists or not; Keystone
//     answers 404 to an unknown id.
//   - Tokens are not revoked one by one (501); their key is.
//   - Domains are all "default", by id or by the name "Default".
//   - A key that is revoked ends its tokens at once: each use asks for the key.
package keystone
