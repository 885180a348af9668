package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"regexp"
)

// traceParent is the header of W3C Trace Context, level 1: version, trace, parent and
// flags.
var traceParent = regexp.MustCompile(`^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$`)

const (
	noTrace  = "00000000000000000000000000000000"
	noParent = "0000000000000000"
)

// continued is the traceparent of the calls that a request causes: its trace with a
// parent of our own. "": the request is of no trace.
func continued(h http.Header) string {
	m := traceParent.FindStringSubmatch(h.Get("Traceparent"))
	if m == nil || m[1] == noTrace || m[2] == noParent {
		return ""
	}
	var parent [8]byte
	_, _ = rand.Read(parent[:]) // crypto/rand.Read never fails
	return "00-" + m[1] + "-" + hex.EncodeToString(parent[:]) + "-" + m[3]
}

// TraceParent is what calls that the request of ctx causes carry, for mounted
// handlers; "": it is of no trace.
func TraceParent(ctx context.Context) string { return recordOf(ctx).trace }
