package translate

import (
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Env is what a codec may know beside the message.
type Env struct {
	Bases   map[string]string // base URL of each service, without a slash at its end
	Project string            // the caller's project on that side
	// ProjectOf is the project by which the dialect's clients know a tenant of
	// dragoman, northwards; nil: they know tenants by their names.
	ProjectOf func(tenant string) string
	// Clouds says, northwards, whether names of zones may begin with that of a cloud; nil:
	// they do not.
	Clouds    func(name string) bool
	User      string         // the caller's user on that side
	Version   Version        // negotiated for this call
	Dialect   string         // of the row, where dialects share codecs: see Route.Dialect
	Role      canonical.Role // north: what the caller may
	Native    bool           // fill native fields of results
	Wire      *Request       // the dialect's request, once there is one
	Asked     any            // the canonical request, once there is one
	RequestID string         // north: as dragoman logs it
	Facts     map[string]any // what the row's Needs found
}

func (e *Env) form() form { return form{e.Version, e.Dialect} }

// Owner is whom a thing of this tenant belongs to, as the dialect's clients know it;
// "": nobody.
func (e *Env) Owner(tenant *string) string {
	switch {
	case tenant == nil:
		return ""
	case e.ProjectOf != nil:
		return e.ProjectOf(*tenant)
	default:
		return *tenant
	}
}

// Place takes apart where a server is wanted: zone, zone:host or zone:host:node, where
// the zone may begin with the name of a cloud and a colon.
func (e *Env) Place(text string) (zone canonical.Ref, host string) {
	first, rest, more := strings.Cut(text, ":")
	if more && e.Clouds != nil && e.Clouds(first) {
		zone, host, _ := strings.Cut(rest, ":")
		return canonical.Ref(canonical.MakeID(first, zone)), host
	}
	return canonical.Ref(first), rest
}

// Base is the base URL of a service, without a slash at its end.
func (e *Env) Base(service string) string { return e.Bases[service] }

// Fact is what the Need of that name found; ok is false where it found nothing.
func Fact[T any](e *Env, name string) (T, bool) {
	v, ok := e.Facts[name].(T)
	return v, ok
}

// Need is something that a row must know before its codec runs: an engine asks the
// cloud on its side, by a canonical call.
type Need struct {
	Fact string
	// Say makes the question from the canonical request, southwards; Hear makes it
	// from the dialect's request, northwards. Either may be nil, or answer false:
	// nothing is needed.
	Say  func(req any) (canonical.Call, bool)
	Hear func(req *Request) (canonical.Call, bool)
	// Pick makes the fact from the result of that call; nil is no fact.
	Pick func(result any, env *Env) any
	// Fresh: what is asked for changes with every call, so it is asked each time.
	Fresh bool
	// Unshown: northwards the ids in the fact are those of the cloud behind, not the
	// ones that clients are shown (a place in a list, which only that cloud reads).
	Unshown bool
}

// Question is the call of op for a Need.
func Question[Req, Res any](op canonical.Op[Req, Res], req Req) canonical.Call {
	return canonical.Call{Op: op.Spec(), Request: req}
}
