// Package bench measures the facade of OpenStack's compute API before a server that
// speaks it: what dragoman adds to each request, beside nginx as a reverse proxy.
// docs/performance.md holds results.
package bench
