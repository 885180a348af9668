package native

import (
	"context"
	"encoding/json"
	"maps"
	"net"
	"reflect"
	"slices"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/native/kvm"
	"github.com/dragoman-cloud/dragoman/adapters/native/seed"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// The tasks that jobs do to servers.
const (
	building  = "building"
	starting  = "starting"
	stopping  = "stopping"
	rebooting = "rebooting"
	deleting  = "deleting"
	pausing   = "pausing"
	unpausing = "unpausing"
	saving    = "suspending"
	resuming  = "resuming"
	resizing  = "resizing"
	verifying = "confirming the resize"
	reverting = "reverting the resize"
)

// record is what the store keeps of a server. Its host keeps the kvm.Record too.
type record struct {
	kvm.Record
	Host       string
	Built      bool             // it has been started once, or its making has failed
	Fault      *canonical.Fault // why its making failed
	Making     []byte           // the sealed making, until it is built: it holds secrets
	UpdatedAt  time.Time
	LaunchedAt *time.Time
}

func (c *Cloud) record(ctx context.Context, id canonical.ID) (r record, err error) {
	return r, c.opts.Store.GetObject(ctx, c.object(serverKind, string(id)), &r)
}

// told says whether the host's record has what may be changed of this one.
func (r record) told(k kvm.Record) bool {
	return k.Name == r.Name && k.Description == r.Description && slices.Equal(k.Tags, r.Tags) && maps.Equal(k.Metadata, r.Metadata) &&
		k.AccessIPv4 == r.AccessIPv4 && k.AccessIPv6 == r.AccessIPv6 && k.Locked == r.Locked && k.LockReason == r.LockReason &&
		reflect.DeepEqual(k.Former, r.Former)
}

// tellTo writes into the host's record what may be changed of this one.
func (r record) tellTo(k *kvm.Record) {
	k.Name, k.Description, k.Tags, k.Metadata = r.Name, r.Description, r.Tags, r.Metadata
	k.AccessIPv4, k.AccessIPv6, k.Locked, k.LockReason, k.Former = r.AccessIPv4, r.AccessIPv6, r.Locked, r.LockReason, r.Former
}

// change changes a record with nobody between.
func (c *Cloud) change(ctx context.Context, id canonical.ID, f func(*record) error) (r record, err error) {
	err = c.opts.Store.ChangeObject(ctx, c.object(serverKind, string(id)), &r, func() error {
		r.UpdatedAt = now()
		return f(&r)
	})
	return r, err
}

// making is what is needed to make a server, beside its record.
type making struct {
	Password string
	UserData string
	Files    []canonical.File
	Keys     []string
	NICs     []kvm.NICSpec
}

func (c *Cloud) seal(id string, m making) ([]byte, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, canonical.Errorf(canonical.Internal, "keep what makes a server: %w", err)
	}
	return c.opts.Box.Seal(text, []byte("create "+id)), nil
}

func (c *Cloud) unseal(r record) (m making, err error) {
	text, err := c.opts.Box.Open(r.Making, []byte("create "+r.ID))
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return m, canonical.Errorf(canonical.Internal, "what makes server %s: %w", r.ID, err)
	}
	return m, nil
}

// seed is what the server's operating system is told.
func (m making) seed(id, name string) seed.Server {
	s := seed.Server{
		ID: canonical.ID(id), Hostname: seed.Hostname(name, "server"), PublicKeys: m.Keys,
		AdminPassword: m.Password, UserData: m.UserData, Files: m.Files,
	}
	for i := range m.NICs {
		if mac, err := net.ParseMAC(kvm.MAC(id, i)); err == nil { // kvm.MAC makes no others
			s.NICs = append(s.NICs, seed.NIC{MAC: mac})
		}
	}
	return s
}

// server is a server as it is now.
func (c *Cloud) server(ctx context.Context, id canonical.ID) (canonical.Server, error) {
	r, err := c.record(ctx, id)
	if err != nil {
		return canonical.Server{}, err
	}
	return c.now(ctx, r)
}

// now is the server of a record as it is now, or NotFound. One that its host has lost
// may have been deleted after its record was read: then the record is gone too.
func (c *Cloud) now(ctx context.Context, r record) (canonical.Server, error) {
	s := c.show(r, c.live(r))
	if s.NativeStatus != lost {
		return s, nil
	}
	_, err := c.record(ctx, s.ID)
	return s, err
}

// lost is the native status of a server that its host does not have any more.
const lost = "lost"

// live is the server as its host has it; nil: the host does not have it, or has never
// been heard.
func (c *Cloud) live(r record) *kvm.Server {
	h := c.hostNamed(r.Host)
	if h == nil {
		return nil
	}
	s, err := h.Get(r.ID)
	if err != nil {
		return nil
	}
	return &s
}

// show is the record as the canonical API has servers; live is what its host says.
func (c *Cloud) show(r record, live *kvm.Server) canonical.Server {
	created, updated, instance := r.CreatedAt, r.UpdatedAt, c.prefix()+"-"+r.ID
	hostID := c.stableID("host", r.Host)
	s := canonical.Server{
		ID: canonical.ID(r.ID), Name: r.Name, Description: optional(r.Description), Kind: canonical.VM,
		Status: canonical.ServerBuilding, Power: canonical.PowerUnknown, Fault: r.Fault, Flavor: r.Flavor,
		Addresses: c.addresses(r), Volumes: []canonical.ServerVolume{}, SecurityGroups: []canonical.Link{},
		AccessIPv4: optional(r.AccessIPv4), AccessIPv6: optional(r.AccessIPv6),
		Keypair: optional(r.Keypair), Metadata: notNil(r.Metadata), Tags: append([]string{}, r.Tags...), ConfigDrive: true,
		AvailabilityZone: optional(r.AvailabilityZone), Tenant: optional(r.Tenant),
		Host: optional(r.Host), HypervisorHostname: optional(r.Host), HostStatus: optional(c.hostStatus(r.Host)), InstanceName: &instance, HostID: &hostID,
		CreatedAt: &created, UpdatedAt: &updated, LaunchedAt: r.LaunchedAt,
	}
	s.Locked, s.LockReason = r.Locked, optional(r.LockReason)
	s.Flavor.ExtraSpecs = notNil(s.Flavor.ExtraSpecs)
	if r.Image.ID != "" {
		s.Image = &canonical.Link{ID: r.Image.ID, Name: optional(r.Image.Name)}
	}
	c.showState(&s, r, live)
	if task := c.busyWith(s.ID); task != "" {
		s.Task = &task
	}
	return s
}

func (c *Cloud) prefix() string {
	if c.opts.Prefix != "" {
		return c.opts.Prefix
	}
	return "dragoman"
}

func (c *Cloud) hostStatus(name string) string {
	if h := c.hostNamed(name); h != nil && h.Health().Connected {
		return "up"
	}
	return "down"
}

// showState says what state a server is in. What its host has never shown us is not
// known; what a host that we hear does not have is lost.
func (c *Cloud) showState(s *canonical.Server, r record, live *kvm.Server) {
	switch {
	case r.Fault != nil:
		s.Status, s.NativeStatus = canonical.ServerError, "failed"
	case !r.Built:
		s.NativeStatus = building
	case c.busyWith(s.ID) == rebooting:
		s.Status, s.Power, s.NativeStatus = canonical.ServerRebooting, canonical.PowerUnknown, rebooting
		if live != nil {
			s.Power = live.Power
		}
	case c.busyWith(s.ID) == resizing:
		s.Status, s.NativeStatus = canonical.ServerResizing, resizing
	case c.busyWith(s.ID) == reverting:
		s.Status, s.NativeStatus = canonical.ServerReverting, reverting
	case live != nil:
		s.Status, s.Power, s.NativeStatus, s.Progress = live.Status, live.Power, live.State.Native(), 100
		if fault := live.State.Fault(); live.Status == canonical.ServerError {
			s.Fault = &canonical.Fault{Code: 500, Message: fault}
		} else if r.Former != nil {
			s.Status = canonical.ServerVerifyResize
		}
	case c.hostStatus(r.Host) == "up" && c.busyWith(s.ID) == deleting:
		s.Status, s.NativeStatus = canonical.ServerDeleted, "gone"
	case c.hostStatus(r.Host) == "up":
		s.Status, s.NativeStatus = canonical.ServerError, lost
		s.Fault = &canonical.Fault{Code: 500, Message: "its host does not have it any more"}
	default:
		s.Status, s.NativeStatus = canonical.ServerUnknown, "unknown"
	}
	if live != nil && r.Fault != nil {
		s.Power = live.Power
	}
}

func (c *Cloud) addresses(r record) []canonical.Address {
	all := []canonical.Address{}
	for _, n := range r.Networks {
		if !n.IP.IsValid() {
			continue // somebody else's DHCP gives it one
		}
		version := 4
		if n.IP.Is6() {
			version = 6
		}
		network, mac := canonical.ID(c.stableID("network", n.Network)), n.MAC
		all = append(all, canonical.Address{
			Network: n.Network, NetworkID: &network, IP: n.IP.String(), Version: version, MAC: &mac, Kind: canonical.FixedAddress,
		})
	}
	return all
}

func (c *Cloud) listServers(ctx context.Context, r canonical.ServerList) (canonical.Page[canonical.Server], error) {
	records, err := store.Objects[record](ctx, c.opts.Store, c.opts.Name, serverKind)
	if err != nil {
		return canonical.Page[canonical.Server]{}, err
	}
	all := make([]canonical.Server, 0, len(records))
	for _, rec := range records {
		switch s, err := c.now(ctx, rec); canonical.CodeOf(err) { //nolint:exhaustive // every other code is a failure
		case "":
			all = append(all, s)
		case canonical.NotFound: // since the list was read
		default:
			return canonical.Page[canonical.Server]{}, err
		}
	}
	return those(all, r.Match, r.ListOptions)
}

func (c *Cloud) getServer(ctx context.Context, r canonical.ServerGet) (canonical.Server, error) {
	return c.server(ctx, r.ID)
}

// updateServer writes the store's record and then the host's, which is only needed to
// recover the former; a host that is away gets it with the next change.
func (c *Cloud) updateServer(ctx context.Context, r canonical.ServerUpdate) (canonical.Server, error) {
	if tags, ok := r.Tags.Get(); ok && len(tags) > maxTags {
		return canonical.Server{}, canonical.Invalid("tags", "are more than %d", maxTags)
	}
	rec, err := c.change(ctx, r.ID, func(rec *record) error {
		merge(&rec.Name, r.Name)
		merge(&rec.Description, r.Description)
		merge(&rec.Tags, r.Tags)
		merge(&rec.AccessIPv4, r.AccessIPv4)
		merge(&rec.AccessIPv6, r.AccessIPv6)
		if rec.Metadata = patched(rec.Metadata, r.Metadata); len(rec.Metadata) > maxMetadata {
			return canonical.Invalid("metadata", "has more than %d items", maxMetadata)
		}
		return nil
	})
	if err != nil {
		return canonical.Server{}, err
	}
	c.informIdle(ctx, rec)
	c.tell(r.ID)
	return c.show(rec, c.live(rec)), nil
}
