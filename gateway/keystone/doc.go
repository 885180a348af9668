// Package keystone is the identity service that OpenStack clients log in to: the
// Keystone v3 calls that they make, over dragoman's own keys. A key's id is the
// user (or an application credential of itself), its secret the password, its tenant
// the project. Application credentials that a user makes are keys made of theirs. Tokens are signed and stateless, so that every replica that shares the
// secret accepts them.
//
// # Quirks
//
//   - A login without a scope gets the key's tenant: a key has only one.
//   - A wrong application credential is 401 whether its id exists or not; Keystone
//     answers 404 to an unknown id.
//   - Application credentials are restricted, and without access rules: a client that
//     asks for another is refused. They end with the key that they were made of.
//   - A token that is revoked is known to every replica until it would have expired.
//   - Users, projects, roles and the like are keys, tenants and dragoman's own roles;
//     they are read here, and changed by dragoman's API.
//   - Domains are all "default", by id or by the name "Default".
//   - A key that is revoked ends its tokens at once: each use asks for the key.
package keystone
