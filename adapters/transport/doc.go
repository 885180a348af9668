// Package transport is the http.RoundTripper that every adapter of a remote cloud
// sends through: what makes one cloud's trouble that cloud's alone. It knows no
// dialect.
//
// New builds the chain in one place. From the outside in: a deadline for the call,
// a bounded retry of what may be repeated, a circuit breaker, limits of rate and
// concurrency, and the single try, which has a deadline of its own and reads the
// whole answer into memory, bounded. Whoever gets a response thus holds no
// connection, and a connection that breaks in the middle of an answer is a failed
// try, not a half-read list.
//
// Where there is no answer the error is a *canonical.Error: Timeout for what took
// too long, Unavailable for what could not be reached or may not be asked now,
// UpstreamError for answers that cannot be ones of an API. Of a write, Unavailable
// says that the cloud has not begun it; with Timeout, Canceled and UpstreamError it
// may have, and who wants to know must look. http.Client wraps it;
// canonical.AsError finds it.
package transport
