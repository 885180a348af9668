package native

import (
	"context"
	"io"
	"maps"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/digitalocean/go-libvirt"

	"github.com/dragoman-cloud/dragoman/adapters/native/kvm"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// fakeHost is a host that does at once what it is told, and outlives the clouds that
// manage it, as real ones do.
type fakeHost struct {
	name, zone string
	facts      kvm.Facts
	networks   []kvm.Network

	mu      sync.Mutex
	servers map[string]kvm.Server
	bases   map[canonical.ID]bool
	orphans map[string]bool // ids with files but no domain
	watch   map[int]func(kvm.Event)
	watched int
	calls   []string
	up      chan struct{} // closed while it is connected
	// before is asked before each step: "base", "define", "start", "stop", "update",
	// "delete", "console". Its error is the step's.
	before func(ctx context.Context, step, id string) error
}

var _ host = (*fakeHost)(nil)

func newFakeHost(name, zone string) *fakeHost {
	h := &fakeHost{
		name: name, zone: zone, facts: kvm.Facts{CPUs: 100, RAMMiB: 1 << 20, DiskGiB: 1 << 20, Virt: kvm.VirtQEMU, Hypervisor: "8.0.0"},
		networks: []kvm.Network{{Name: "default", Mode: "nat", Active: true, Subnets: []kvm.Subnet{{CIDR: netip.MustParsePrefix("10.0.0.1/24")}}}},
		servers:  map[string]kvm.Server{}, bases: map[canonical.ID]bool{}, watch: map[int]func(kvm.Event){}, up: make(chan struct{}),
	}
	close(h.up)
	return h
}

// connect says whether the host is connected.
func (h *fakeHost) connect(up bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.up:
		if !up {
			h.up = make(chan struct{})
		}
	default:
		if up {
			close(h.up)
		}
	}
}

// stepping sets what is asked before each step; nil: nothing.
func (h *fakeHost) stepping(f func(ctx context.Context, step, id string) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.before = f
}

// outside changes a server as somebody else might; the zero Server: it is gone.
func (h *fakeHost) outside(id string, change func(*kvm.Server)) {
	h.mu.Lock()
	s, ok := h.servers[id]
	kind := kvm.Changed
	if ok {
		change(&s)
	}
	if s.ID == "" {
		delete(h.servers, id)
		kind = kvm.Gone
	} else {
		h.servers[id] = s
	}
	watchers := slices.Collect(maps.Values(h.watch))
	h.mu.Unlock()
	for _, f := range watchers {
		f(kvm.Event{Kind: kind, ID: id, Server: s})
	}
}

func (h *fakeHost) step(ctx context.Context, step, id string) error {
	h.mu.Lock()
	h.calls = append(h.calls, step)
	before := h.before
	h.mu.Unlock()
	if before != nil {
		if err := before(ctx, step, id); err != nil {
			return err
		}
	}
	if !h.Health().Connected {
		return errAway
	}
	return nil
}

var errAway = &canonical.Error{Code: canonical.Unavailable, Detail: "host cannot be reached"}

func (h *fakeHost) called(step string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, c := range h.calls {
		if c == step {
			n++
		}
	}
	return n
}

func (h *fakeHost) Name() string { return h.name }
func (h *fakeHost) Zone() string { return h.zone }

func (h *fakeHost) link() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.up
}

func (h *fakeHost) Health() kvm.Health {
	select {
	case <-h.link():
		return kvm.Health{Connected: true}
	default:
		return kvm.Health{Err: errAway}
	}
}

func (h *fakeHost) Ready(ctx context.Context) error {
	select {
	case <-h.link():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *fakeHost) Facts(context.Context) (kvm.Facts, error)        { return h.facts, nil }
func (h *fakeHost) Networks(context.Context) ([]kvm.Network, error) { return h.networks, nil }

func (h *fakeHost) EnsureBase(ctx context.Context, id canonical.ID, src kvm.BaseSource) (*kvm.Base, error) {
	if err := h.step(ctx, "base", string(id)); err != nil {
		return nil, err
	}
	r, err := src.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it was only read
	n, err := io.Copy(io.Discard, r)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bases[id] = true
	return &kvm.Base{ImageID: id, Bytes: uint64(n)}, err
}

func (h *fakeHost) EvictBase(_ context.Context, id canonical.ID) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.bases, id)
	return nil
}

func (h *fakeHost) Define(ctx context.Context, s kvm.ServerSpec) (kvm.Server, error) {
	if err := h.step(ctx, "define", s.ID); err != nil {
		return kvm.Server{}, err
	}
	if had, err := h.Get(s.ID); err == nil {
		return had, nil
	}
	var nics []kvm.NIC
	for i, n := range s.NICs {
		if !n.IP.IsValid() {
			n.IP = netip.AddrFrom4([4]byte{10, 0, 0, byte(100 + i)})
		}
		nics = append(nics, kvm.NIC{Network: n.Network, MAC: kvm.MAC(s.ID, i), IP: n.IP})
	}
	live := kvm.Server{Record: kvm.Record{
		ID: s.ID, Tenant: s.Tenant, Name: s.Name, Description: s.Description, Flavor: s.Flavor,
		Image: kvm.ImageRef{ID: s.Base.ImageID, Name: s.ImageName}, Keypair: s.Keypair, Metadata: s.Metadata, Tags: s.Tags,
		AvailabilityZone: s.AvailabilityZone, Networks: nics, CreatedAt: s.CreatedAt, Intent: kvm.IntendBuild,
	}}
	return h.put(live, libvirt.DomainShutoff), nil
}

// put writes a server in a state and tells of it.
func (h *fakeHost) put(s kvm.Server, st libvirt.DomainState) kvm.Server {
	s.State = kvm.State{Code: int32(st)}
	s.Status, s.Power = s.State.Status(), s.State.Power()
	h.mu.Lock()
	h.servers[s.ID] = s
	h.mu.Unlock()
	h.outside(s.ID, func(*kvm.Server) {})
	return s
}

// turn brings a server that is there to a state.
func (h *fakeHost) turn(ctx context.Context, step, id string, intent kvm.Intent, to libvirt.DomainState) (kvm.Server, error) {
	if err := h.step(ctx, step, id); err != nil {
		return kvm.Server{}, err
	}
	s, err := h.Get(id)
	if err != nil {
		return s, err
	}
	s.Intent = intent
	return h.put(s, to), nil
}

func (h *fakeHost) Start(ctx context.Context, id string) (kvm.Server, error) {
	return h.turn(ctx, "start", id, kvm.IntendRun, libvirt.DomainRunning)
}

func (h *fakeHost) Stop(ctx context.Context, id string, _ bool) (kvm.Server, error) {
	return h.turn(ctx, "stop", id, kvm.IntendStop, libvirt.DomainShutoff)
}

func (h *fakeHost) Pause(ctx context.Context, id string) (kvm.Server, error) {
	return h.turn(ctx, "pause", id, kvm.IntendRun, libvirt.DomainPaused)
}

func (h *fakeHost) Unpause(ctx context.Context, id string) (kvm.Server, error) {
	return h.turn(ctx, "unpause", id, kvm.IntendRun, libvirt.DomainRunning)
}

func (h *fakeHost) Suspend(ctx context.Context, id string) (kvm.Server, error) {
	return h.turn(ctx, "suspend", id, kvm.IntendRun, libvirt.DomainPmsuspended)
}

func (h *fakeHost) Reshape(ctx context.Context, id string, to canonical.ServerFlavor) (kvm.Server, error) {
	return h.noted(ctx, "reshape", id, func(r *kvm.Record) { r.Flavor = to })
}

func (h *fakeHost) Grow(ctx context.Context, id string, _ uint64) (kvm.Server, error) {
	return h.noted(ctx, "grow", id, func(*kvm.Record) {})
}

func (h *fakeHost) Update(ctx context.Context, id string, change func(*kvm.Record)) (kvm.Server, error) {
	return h.noted(ctx, "update", id, change)
}

func (h *fakeHost) noted(ctx context.Context, step, id string, change func(*kvm.Record)) (kvm.Server, error) {
	if err := h.step(ctx, step, id); err != nil {
		return kvm.Server{}, err
	}
	s, err := h.Get(id)
	if err != nil {
		return s, err
	}
	change(&s.Record)
	h.mu.Lock()
	h.servers[id] = s
	h.mu.Unlock()
	return s, nil
}

func (h *fakeHost) Delete(ctx context.Context, id string) error {
	if err := h.step(ctx, "delete", id); err != nil {
		return err
	}
	h.outside(id, func(s *kvm.Server) { *s = kvm.Server{} })
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.orphans, id)
	return nil
}

func (h *fakeHost) Console(ctx context.Context, id string, _ int) ([]byte, error) {
	if _, err := h.Get(id); err != nil {
		return nil, err
	}
	return []byte("one\ntwo\nthree\n"), h.step(ctx, "console", id)
}

func (h *fakeHost) Get(id string) (kvm.Server, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.servers[id]
	if !ok {
		return s, canonical.Errorf(canonical.NotFound, "host %s has no server %s", h.name, id)
	}
	return s, nil
}

func (h *fakeHost) List() []kvm.Server {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Values(h.servers))
}

func (h *fakeHost) Orphans(context.Context) ([]string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.orphans)), nil
}

func (h *fakeHost) Watch(f func(kvm.Event)) (stop func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watched++
	n := h.watched
	h.watch[n] = f
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.watch, n)
	}
}

// Close lets go of the host, which goes on.
func (h *fakeHost) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.watch)
}

// fakeOptions are for a cloud of these hosts.
func fakeOptions(t testing.TB, hosts ...*fakeHost) Options {
	t.Helper()
	o := Options{
		Name: "kvm1", Dir: t.TempDir(), Overcommit: Overcommit{VCPUs: 1},
		Store: testStore(t, filepath.Join(t.TempDir(), "store.db")), Box: testBox(t), Log: testLog(t),
	}
	for _, h := range hosts {
		o.Hosts = append(o.Hosts, HostOptions{Name: h.name, Zone: h.zone})
	}
	o.open = func(k kvm.Options) (host, error) {
		return hosts[slices.IndexFunc(hosts, func(h *fakeHost) bool { return h.name == k.Name })], nil
	}
	return o
}

// fakeCloud is a cloud of one host with the image "image" and the network "default".
func fakeCloud(t testing.TB) (*Cloud, *fakeHost, Options) {
	t.Helper()
	h := newFakeHost("h1", "az1")
	o := fakeOptions(t, h)
	c := openCloud(t, o)
	addRaw(t, c)
	return c, h, o
}

// addRaw adds the image "image", 1 MiB of zeros.
func addRaw(t testing.TB, c *Cloud) canonical.Image {
	t.Helper()
	if _, err := exec.LookPath("qemu-img"); err != nil {
		t.Skip("needs qemu-img (Debian: qemu-utils)")
	}
	return addImage(t, c, "image", "raw", file(t, t.TempDir(), "disk", make([]byte, 1<<20)))
}

// a is the create of a server by that name.
func a(name string) canonical.ServerCreate {
	return canonical.ServerCreate{Name: name, Flavor: "tiny", Image: "image"}
}

// create makes a server and waits until it runs.
func create(t testing.TB, c canonical.Cloud, r canonical.ServerCreate) canonical.ServerWithPassword {
	t.Helper()
	return do(t, c, canonical.CreateServer, r).Servers[0]
}

func get(t testing.TB, c *Cloud, id canonical.ID) canonical.Server {
	t.Helper()
	return do(t, c, canonical.GetServer, canonical.ServerGet{ID: id})
}

// begin begins something without waiting for its end.
func begin[Req, Res any](t testing.TB, c canonical.Cloud, op canonical.Op[Req, Res], r Req) canonical.TypedReply[Res] {
	t.Helper()
	out, err := op.Do(caller(t.Context()), c, r)
	if err != nil {
		t.Fatalf("%s: %v", op.Spec().Name, err)
	}
	return out
}

// gate holds steps of a host until it is opened.
type gate struct {
	reached chan string // the ids that wait
	open    chan struct{}
}

func holdAt(h *fakeHost, step string) gate {
	g := gate{make(chan string, 1000), make(chan struct{})}
	h.stepping(func(ctx context.Context, s, id string) error {
		if s != step {
			return nil
		}
		g.reached <- id
		select {
		case <-g.open:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	return g
}

func (g gate) await(t testing.TB) string {
	t.Helper()
	select {
	case id := <-g.reached:
		return id
	case <-time.After(jobTime):
		t.Fatal("the step is not reached")
		return ""
	}
}
