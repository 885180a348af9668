// Package dragoman is another dragoman as a Cloud: the canonical API over HTTP. It
// is the Go client, what the command line speaks, and how brokers cascade.
//
// It performs every declared operation from its declaration alone: the route, and
// the path, query and json tags of the request. Its native ids are the remote's
// full ids.
//
// The remote is not trusted: answers are bounded in size and time, redirects are
// never followed, and an answer that is not of the contract is UpstreamError.
package dragoman
