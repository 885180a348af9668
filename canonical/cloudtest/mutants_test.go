package cloudtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// next is the sound cloud behind a mutant.
type next func(context.Context, canonical.Call) (canonical.Reply, error)

// mutant is a sound cloud with one fault. Both functions may be nil.
type mutant struct {
	canonical.Cloud
	do      func(context.Context, canonical.Call, next) (canonical.Reply, error)
	support func(*canonical.Spec, canonical.Support) canonical.Support
}

func (m *mutant) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	if m.do == nil {
		return m.Cloud.Do(ctx, call)
	}
	return m.do(ctx, call, m.Cloud.Do)
}

func (m *mutant) Support(ctx context.Context, op *canonical.Spec) canonical.Support {
	s := m.Cloud.Support(ctx, op)
	if m.support != nil {
		s = m.support(op, s)
	}
	return s
}

type doer = func(context.Context, canonical.Call, next) (canonical.Reply, error)

// asked is a fault in what the cloud is asked.
func asked[Req any](change func(*Req)) doer {
	return func(ctx context.Context, call canonical.Call, next next) (canonical.Reply, error) {
		if r, ok := call.Request.(Req); ok {
			change(&r)
			call.Request = r
		}
		return next(ctx, call)
	}
}

// told is a fault in what the cloud answers.
func told[Res any](change func(*Res)) doer {
	return func(ctx context.Context, call canonical.Call, next next) (canonical.Reply, error) {
		reply, err := next(ctx, call)
		if r, ok := reply.Result.(Res); ok && err == nil {
			change(&r)
			reply.Result = r
		}
		return reply, err
	}
}

// failing is a fault in an error of one operation.
func failing(op *canonical.Spec, change func(*canonical.Error) error) doer {
	return func(ctx context.Context, call canonical.Call, next next) (canonical.Reply, error) {
		reply, err := next(ctx, call)
		if err != nil && call.Op == op {
			e := *canonical.AsError(err)
			err = change(&e)
		}
		return reply, err
	}
}

type servers = canonical.Page[canonical.Server]

var (
	deletes = canonical.DeleteServer.Spec()
	creates = canonical.CreateServer.Spec()
)

// offsets are cursors that count items, as many clouds' own do.
func offsets() doer {
	return func(ctx context.Context, call canonical.Call, next next) (canonical.Reply, error) {
		r, ok := call.Request.(canonical.ServerList)
		if !ok {
			return next(ctx, call)
		}
		skip, limit := 0, r.OrDefault().Limit
		if r.Cursor != "" {
			c, err := canonical.ParseCursor(r.Cursor)
			if err != nil {
				return canonical.Reply{}, err
			}
			if skip, err = strconv.Atoi(c.After[""].Key); err != nil {
				return canonical.Reply{}, canonical.Invalid("cursor", "is none")
			}
		}
		r.Cursor, r.Limit = "", canonical.MaxLimit
		call.Request = r
		reply, err := next(ctx, call)
		if err != nil {
			return reply, err
		}
		page, _ := reply.Result.(servers)
		end := min(skip+limit, len(page.Items))
		if end < len(page.Items) {
			page.NextCursor = canonical.Cursor{Sort: r.OrDefault().Sort, After: map[string]canonical.Position{"": {Key: strconv.Itoa(end)}}}.String()
		}
		page.Items = page.Items[min(skip, end):end]
		reply.Result = page
		return reply, nil
	}
}

// twice answers the second of two equal concurrent creates with the first's server.
func twice() doer {
	var mu sync.Mutex
	var last *canonical.Reply
	return func(ctx context.Context, call canonical.Call, next next) (canonical.Reply, error) {
		if call.Op != creates {
			return next(ctx, call)
		}
		mu.Lock()
		defer mu.Unlock()
		if last != nil {
			reply := *last
			last = nil
			return reply, nil
		}
		reply, err := next(ctx, call)
		last = &reply
		return reply, err
	}
}

// deaf ignores the end of contexts.
func deaf(ctx context.Context, call canonical.Call, next next) (canonical.Reply, error) {
	return next(context.WithoutCancel(ctx), call)
}

// doubtful makes a server again when it was told to stop.
func doubtful(ctx context.Context, call canonical.Call, next next) (canonical.Reply, error) {
	reply, err := next(context.WithoutCancel(ctx), call)
	if call.Op != creates || err != nil {
		return reply, err
	}
	if _, err := next(context.WithoutCancel(ctx), call); err != nil {
		return canonical.Reply{}, err
	}
	<-ctx.Done()
	return canonical.Reply{}, ctx.Err()
}

// mutants are the faults, by what they are, with the test that must see each.
var mutants = map[string]struct {
	seenBy string
	do     doer
}{
	"a delete that does nothing": {"server/lifecycle", func(ctx context.Context, call canonical.Call, next next) (canonical.Reply, error) {
		if call.Op == deletes {
			return canonical.Reply{Result: canonical.None{}}, nil
		}
		return next(ctx, call)
	}},
	"a start of a running server": {"state/running/start", func(ctx context.Context, call canonical.Call, next next) (canonical.Reply, error) {
		reply, err := next(ctx, call)
		if call.Op == canonical.StartServer.Spec() && canonical.CodeOf(err) == canonical.FailedPrecondition {
			return canonical.Reply{Result: canonical.Server{}}, nil
		}
		return reply, err
	}},
	"a refusal of another code": {"state/stopped/stop", failing(canonical.StopServer.Spec(), func(e *canonical.Error) error { e.Code = canonical.Conflict; return e })},
	"a stop that reboots": {"state/running/stop", func(ctx context.Context, call canonical.Call, next next) (canonical.Reply, error) {
		if r, ok := call.Request.(canonical.ServerStop); ok {
			call = canonical.Call{Op: canonical.RebootServer.Spec(), Request: canonical.ServerReboot{ID: r.ID}}
		}
		return next(ctx, call)
	}},
	"reboots that are all hard": {"state/stopped/reboot_soft", asked(func(r *canonical.ServerReboot) { r.Kind = canonical.RebootHard })},
	"a limit that is ignored":   {"server/pages", asked(func(r *canonical.ServerList) { r.Limit = 0 })},
	"a cursor that is ignored":  {"server/pages", asked(func(r *canonical.ServerList) { r.Cursor = "" })},
	"cursors that count":        {"server/stability", offsets()},
	"a sort that is ignored": {"server/pages", asked(func(r *canonical.ServerList) {
		if r.Cursor == "" {
			r.Sort = ""
		}
	})},
	"a sort that is the wrong way": {"server/pages", told(func(p *servers) { slices.Reverse(p.Items) })},
	"a list that leaves one out":   {"server/pages", told(func(p *servers) { p.Items = p.Items[:max(0, len(p.Items)-1)] })},
	"a name that is a prefix":      {"server/filters", asked(func(r *canonical.ServerList) { r.NamePrefix, r.Name = r.NamePrefix+r.Name, "" })},
	"a prefix that is ignored":     {"server/filters", asked(func(r *canonical.ServerList) { r.NamePrefix = "" })},
	"a time of change ignored":     {"server/filters", asked(func(r *canonical.ServerList) { r.ChangedSince = nil })},
	"an id that is ignored":        {"server/filters", asked(func(r *canonical.ServerList) { r.ID = "" })},
	"the deleted told to all":      {"server/changed-since", asked(func(r *canonical.ServerList) { r.ChangedSince = &time.Time{} })},
	"the deleted told as they were": {"server/changed-since", told(func(p *servers) {
		for i := range p.Items {
			p.Items[i].Status = running
		}
	})},
	"a status that is ignored": {"server/filters", asked(func(r *canonical.ServerList) { r.Status = "" })},
	"a zone that is ignored":   {"server/filters", asked(func(r *canonical.ServerList) { r.AvailabilityZone = "" })},
	"names of 63 bytes": {"server/names", told(func(s *canonical.Server) {
		s.Name = s.Name[:min(63, len(s.Name))]
	})},
	"names in ASCII": {"server/names", asked(func(u *canonical.ServerUpdate) {
		if name, ok := u.Name.Get(); ok {
			u.Name = canonical.Some(strings.ToValidUTF8(strings.Map(func(r rune) rune { return min(r, '~') }, name), "?"))
		}
	})},
	"names that are trimmed": {"server/names", asked(func(u *canonical.ServerUpdate) {
		u.Name = canonical.Some(strings.TrimSpace(u.Name.Or("x")))
	})},
	"an update that forgets": {"server/update", asked(func(u *canonical.ServerUpdate) {
		if !u.Name.IsZero() {
			u.Metadata = canonical.Null[map[string]canonical.Opt[string]]()
		}
	})},
	"a merge that replaces": {"server/update", func(ctx context.Context, call canonical.Call, next next) (canonical.Reply, error) {
		if r, ok := call.Request.(canonical.ServerUpdate); ok && !r.Metadata.IsZero() {
			wipe := canonical.ServerUpdate{ID: r.ID, Metadata: canonical.Null[map[string]canonical.Opt[string]]()}
			if _, err := next(ctx, canonical.Call{Op: call.Op, Request: wipe}); err != nil {
				return canonical.Reply{}, err
			}
		}
		return next(ctx, call)
	}},
	"metadata that are cut": {"server/metadata", told(func(s *canonical.Server) {
		for k, v := range s.Metadata {
			s.Metadata[k] = v[:min(64, len(v))]
		}
	})},
	"lists that are nil":      {"server/lifecycle", told(func(s *canonical.Server) { s.Tags = nil })},
	"a list of items nil":     {"server/filters", told(func(p *servers) { p.Items = slices.Clip(append([]canonical.Server(nil), p.Items...)) })},
	"times in a zone":         {"server/lifecycle", told(func(s *canonical.Server) { at := s.CreatedAt.In(time.FixedZone("x", 3600)); s.CreatedAt = &at })},
	"a status of its own":     {"server/lifecycle", told(func(s *canonical.Server) { s.Status = "ACTIVE" })},
	"a server that changes":   {"idempotency/reads", told(func(s *canonical.Server) { now := time.Now().UTC(); s.UpdatedAt = &now })},
	"names that count from 0": {"server/count", told(func(s *canonical.Server) { s.Name = strings.TrimSuffix(s.Name, "1") + "0" })},
	"one server too few":      {"server/count", asked(func(r *canonical.ServerCreate) { r.Count = max(0, r.Count-1) })},
	"a server made for two":   {"concurrency/creates", twice()},
	"a second delete that is an error": {"idempotency/delete", failing(deletes, func(e *canonical.Error) error {
		e.Code = canonical.Internal
		return e
	})},
	"a second delete that is forbidden": {"concurrency/deletes", failing(deletes, func(e *canonical.Error) error {
		e.Code = canonical.Forbidden
		return e
	})},
	"late actions that are internal": {"concurrency/actions", failing(canonical.StopServer.Spec(), func(e *canonical.Error) error {
		e.Code = canonical.Internal
		return e
	})},
	"contexts that are ignored":    {"cancellation/before", deaf},
	"a canceled create made twice": {"cancellation/create", doubtful},
	"an error without its field":   {"errors/create", failing(creates, func(e *canonical.Error) error { e.Fields = nil; return e })},
	"an error of the wrong field":  {"errors/create", failing(creates, func(e *canonical.Error) error { e.Fields = canonical.Invalid("body", "x").Fields; return e })},
	"a flavor that is not found":   {"errors/create", failing(creates, func(e *canonical.Error) error { e.Code = canonical.NotFound; return e })},
	"a refused create that creates": {"errors/create", func(ctx context.Context, call canonical.Call, next next) (canonical.Reply, error) {
		reply, err := next(ctx, call)
		if r, ok := call.Request.(canonical.ServerCreate); ok && err != nil {
			r.Flavor, r.Image, r.Networks, r.Keypair, r.AvailabilityZone = "small", "cirros", canonical.Networks{}, "", ""
			if _, err := next(ctx, canonical.Call{Op: call.Op, Request: r}); err != nil {
				return canonical.Reply{}, err
			}
		}
		return reply, err
	}},
	"what is not there is invalid": {"errors/unknown", failing(canonical.GetServer.Spec(), func(e *canonical.Error) error { e.Code = canonical.InvalidRequest; return e })},
	"a private key told twice": {"keypair/generated", told(func(p *canonical.Page[canonical.Keypair]) {
		for i := range p.Items {
			key := "PRIVATE KEY"
			p.Items[i].PrivateKey = &key
		}
	})},
	"a keypair that is replaced": {"keypair/lifecycle", func(ctx context.Context, call canonical.Call, next next) (canonical.Reply, error) {
		if r, ok := call.Request.(canonical.KeypairCreate); ok {
			_, _ = next(ctx, canonical.Call{Op: canonical.DeleteKeypair.Spec(), Request: canonical.KeypairDelete{ID: canonical.ID(r.Name)}})
		}
		return next(ctx, call)
	}},
	"an upload that is cut": {"image/content", asked(func(r *canonical.ImageUpload) {
		r.Content = &canonical.Content{ReadCloser: io.NopCloser(io.LimitReader(r.Content, 64<<10)), Size: -1}
	})},
	"an image of half its bytes": {"image/uploads", func(ctx context.Context, call canonical.Call, next next) (canonical.Reply, error) {
		if r, ok := call.Request.(canonical.ImageUpload); ok {
			b, _ := io.ReadAll(r.Content) // what came is taken for all
			r.Content = &canonical.Content{ReadCloser: io.NopCloser(bytes.NewReader(b)), Size: int64(len(b))}
			call.Request = r
		}
		return next(ctx, call)
	}},
	"a download with another checksum": {"image/content", told(func(r *canonical.ImageContent) { sum := "0"; r.Checksum = &sum })},
	"an image that is made anew": {"image/uploads", func(ctx context.Context, call canonical.Call, next next) (canonical.Reply, error) {
		reply, err := next(ctx, call)
		if _, ok := call.Request.(canonical.ImageUpload); ok && canonical.CodeOf(err) == canonical.FailedPrecondition {
			return canonical.Reply{Result: canonical.Image{Properties: map[string]string{}, Tags: []string{}, Status: canonical.ImageActive}}, nil
		}
		return reply, err
	}},
	"properties that are replaced": {"image/lifecycle", asked(func(r *canonical.ImageUpdate) {
		if !r.Name.IsZero() {
			r.Properties = canonical.Null[map[string]canonical.Opt[string]]()
		}
	})},
	"a protection that is none": {"image/protected", asked(func(r *canonical.ImageCreate) { r.Protected = false })},
	"a flavor without its id":   {"flavor/lifecycle", asked(func(r *canonical.FlavorCreate) { r.ID = "" })},
	"a flavor made twice": {"flavor/lifecycle", failing(canonical.CreateFlavor.Spec(), func(e *canonical.Error) error {
		e.Code = canonical.Conflict
		return e
	})},
	"a console of all lines":                      {"server/console", asked(func(r *canonical.ConsoleOutputGet) { r.Lines = max(r.Lines, 0) / 10_000 })},
	"a volume of another size":                    {"volume/lifecycle", asked(func(r *canonical.VolumeCreate) { r.SizeGiB++ })},
	"metadata that are not merged":                {"volume/lifecycle", asked(func(r *canonical.VolumeUpdate) { r.Metadata = canonical.Opt[map[string]canonical.Opt[string]]{} })},
	"a volume that forgets its source":            {"volume/sources", told(func(v *canonical.Volume) { v.Source = nil })},
	"an attachment that the volume does not show": {"volume/attach", told(func(v *canonical.Volume) { v.Attachments = nil })},
	"a volume that stays attached": {"volume/attach", func(ctx context.Context, call canonical.Call, next next) (canonical.Reply, error) {
		if call.Op == canonical.DetachVolume.Spec() {
			return canonical.Reply{Result: canonical.None{}}, nil
		}
		return next(ctx, call)
	}},
	"a root disk that is left behind": {"volume/boot", asked(func(r *canonical.ServerCreate) {
		for i := range r.Volumes {
			r.Volumes[i].DeleteWithServer = false
		}
	})},
	"a volume in use that is deleted": {"volume/in_use", failing(canonical.DeleteVolume.Spec(), func(*canonical.Error) error { return nil })},
	"a snapshot of another volume":    {"volume/snapshots", told(func(s *canonical.VolumeSnapshot) { s.Volume = "other" })},
	"limits that count nothing":       {"limits", told(func(l *canonical.Limits) { none := 0; l.ServersUsed = &none })},
	"a hypervisor that is maybe": {"catalogue/hypervisors", told(func(p *canonical.Page[canonical.Hypervisor]) {
		for i := range p.Items {
			p.Items[i].State = "maybe"
		}
	})},
	"a flavor of no size":              {"catalogue/flavors", told(func(f *canonical.Flavor) { f.VCPUs = 0 })},
	"an image list without its filter": {"catalogue/images", asked(func(r *canonical.ImageList) { r.Name = "" })},
}

func open(do doer) *mutant {
	return &mutant{Cloud: canonical.Qualify("m", memory.New(memory.Options{})), do: do}
}

// verdicts are the failures of the tests of those names; no names: of all.
func verdicts(c canonical.Cloud, names ...string) map[string][]string {
	s := &suite{h: Harness{Timeout: 5 * time.Second}.orDefault(), cloud: c}
	out := map[string][]string{}
	for _, tt := range s.h.tests() {
		if len(names) > 0 && !slices.Contains(names, tt.name) {
			continue
		}
		if failures, _ := s.run(tt); len(failures) > 0 {
			out[tt.name] = failures
		}
	}
	return out
}

func TestASoundCloudPasses(t *testing.T) {
	for name, failures := range verdicts(open(nil)) {
		t.Errorf("%s: %v", name, failures)
	}
}

func TestMutantsAreSeen(t *testing.T) {
	for name, m := range mutants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := verdicts(open(m.do), m.seenBy)
			if len(seen[m.seenBy]) == 0 {
				t.Errorf("the test %s does not see it", m.seenBy)
			}
			t.Log(seen)
		})
	}
}

// TestFalseSupportIsSeen: what Support says is held against what Do does.
func TestFalseSupportIsSeen(t *testing.T) {
	no := canonical.Unsupportedf("not here")
	refusing := func(code canonical.Code, reason string) doer {
		return func(ctx context.Context, call canonical.Call, next next) (canonical.Reply, error) {
			if call.Op == canonical.RebootServer.Spec() {
				return canonical.Reply{}, canonical.Errorf(code, "%s", reason)
			}
			return next(ctx, call)
		}
	}
	flicker := 0
	for name, tt := range map[string]struct {
		support canonical.Support
		do      doer
		seenBy  string // "": by nobody, for all is well
	}{
		"refused as declared":       {no, refusing(canonical.Unsupported, "not here"), ""},
		"declared, and done":        {no, nil, "support"},
		"refused for other reasons": {no, refusing(canonical.Unsupported, "whatever"), "support"},
		"refused with other codes":  {no, refusing(canonical.Forbidden, "not here"), "support"},
		"no reason":                 {canonical.Support{Level: canonical.No}, refusing(canonical.Unsupported, ""), "support"},
		"nobody declared it":        {canonical.Support{}, nil, "support"},
		"an unknown level":          {canonical.Support{Level: "perhaps"}, nil, "support"},
		"emulated without a reason": {canonical.Support{Level: canonical.Emulated}, nil, "support"},
		"emulated with a reason":    {canonical.Support{Level: canonical.Emulated, Reason: "slow"}, nil, ""},
		"offered, and refused":      {canonical.Support{Level: canonical.Native}, refusing(canonical.Unsupported, "not here"), "state/running/reboot_hard"},
		"changing":                  {canonical.Support{Level: "flicker"}, nil, "support"},
	} {
		c := open(tt.do)
		c.support = func(op *canonical.Spec, s canonical.Support) canonical.Support {
			switch {
			case op != canonical.RebootServer.Spec():
				return s
			case tt.support.Level == "flicker":
				flicker++
				return canonical.Support{Level: canonical.Emulated, Reason: fmt.Sprint(flicker)}
			default:
				return tt.support
			}
		}
		seen := verdicts(c)
		if tt.seenBy == "" && len(seen) > 0 || tt.seenBy != "" && len(seen[tt.seenBy]) == 0 {
			t.Errorf("%s: %v", name, seen)
		}
	}
}
