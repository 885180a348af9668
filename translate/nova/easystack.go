package nova

import (
	"slices"
	"strconv"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// What dialects that are made of this one add to its bodies. Their fields stand in the
// wire structs, under the tag only or always; their tables stand in packages of their own.

// easyStack is the Route.Dialect of package translate/easystack.
const easyStack = "easystack"

// hearBin hears of the recycle bin: what is deleted and has a time to be purged can be
// restored, though it may be called DELETED.
func hearBin(w server, s *canonical.Server) {
	s.DeletedAt, s.PurgeAt = words.Time(w.Deleted.Or("")), words.Time(w.PurgeAt.Or(""))
	if s.Status == canonical.ServerDeleted && s.PurgeAt != nil {
		s.Status = canonical.ServerSoftDeleted
	}
}

func sayBin(w *server, s canonical.Server) {
	w.Deleted, w.PurgeAt = canonical.Some(words.Stamp(s.DeletedAt, zoned)), canonical.Some("")
	if s.Status == canonical.ServerSoftDeleted {
		w.PurgeAt = canonical.Some(words.Stamp(s.PurgeAt, zoned))
	}
	if share := kept(s.Native, "share_network", ""); share != "" {
		w.ShareNetwork = canonical.Some(share)
	}
}

// macs are the hardware addresses in order, each once.
func macs(all []canonical.Address) []string {
	out := []string{}
	for _, a := range all {
		if a.MAC != nil && *a.MAC != "" && !slices.Contains(out, *a.MAC) {
			out = append(out, *a.MAC)
		}
	}
	slices.Sort(out)
	return out
}

// InBin says whether a request asks for the servers in the recycle bin.
func InBin(req any) bool {
	r, ok := req.(canonical.ServerList)
	return ok && r.Status == canonical.ServerSoftDeleted
}

// AskBin asks for servers where deleted=True means those in the recycle bin, and is for
// everyone.
var AskBin = translate.Ask[canonical.ServerList, translate.NoBody]{
	Say: func(r canonical.ServerList, env *translate.Env, to *translate.Request) (translate.NoBody, error) {
		w, err := askServers.Say(r, env, to)
		if InBin(r) {
			to.Query.Del("status")
			to.Query.Set("deleted", "True")
		}
		return w, err
	},
	Hear: func(w translate.NoBody, from *translate.Request, env *translate.Env) (canonical.ServerList, error) {
		r, err := askServers.Hear(w, from, env)
		if Deleted(from, env) {
			r.Status = canonical.ServerSoftDeleted
		}
		return r, err
	},
}

// Deleted says whether a list is to be of deleted servers.
func Deleted(req *translate.Request, _ *translate.Env) bool {
	deleted, err := strconv.ParseBool(req.Query.Get("deleted"))
	return err == nil && deleted
}

// LiveResize is resize without a stop; a row of its own.
func LiveResize(id string) translate.Route {
	return action(id, "live_resize", translate.Route{
		Op: canonical.ResizeServer.Spec(), Needs: []translate.Need{needFlavors(always)}, Answer: accepted(canonical.ServerResizing),
		Can: live,
		Ask: translate.Ask[canonical.ServerResize, resize]{
			Say: func(r canonical.ServerResize, env *translate.Env, to *translate.Request) (resize, error) {
				r.Live = false
				return sayResize(r, env, to)
			},
			Hear: func(w resize, from *translate.Request, env *translate.Env) (canonical.ServerResize, error) {
				r, err := hearResize(w, from, env)
				r.Live = true
				return r, err
			},
		},
		Done: wait(canonical.ServerRunning),
	})
}

// NotLive says whether a request is not for a resize without a stop.
func NotLive(req any) bool { return !live(req) }

func live(req any) bool {
	r, ok := req.(canonical.ServerResize)
	return ok && r.Live
}

// Detailed are the whole flavors, for tables that tell them where Nova tells names alone.
var Detailed translate.Answerer = flavorsAnswer

// Settles is a Done for moves that may end confirmed, where a cloud confirms by itself.
var Settles = wait(canonical.ServerVerifyResize, canonical.ServerRunning, canonical.ServerStopped)
