// Package kill holds the tests that kill dragoman at every step of its work and see
// that nothing is lost and nothing is done twice.
package kill
