package native

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/netip"
	"slices"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/adapters/native/kvm"
	"github.com/dragoman-cloud/dragoman/adapters/native/seed"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// Limits of what servers may be described with, after Nova.
const (
	maxMetadata = 128
	maxTags     = 50
)

// plan is what a create comes to: the same for all of its servers.
type plan struct {
	request canonical.ServerCreate
	shape   canonical.ServerFlavor
	image   kvm.ImageRef
	making  making
	demand  demand
}

// createServer places the servers, notes them with what they claim, and leaves the
// making to a job.
func (c *Cloud) createServer(ctx context.Context, r canonical.ServerCreate) (out canonical.TypedReply[canonical.ServersCreated], err error) {
	if r.AdminPassword == "" {
		r.AdminPassword = rand.Text()[:12]
	}
	p, err := c.plan(ctx, r)
	if err != nil {
		return out, err
	}
	ids := make([]string, r.HowMany())
	for i := range ids {
		ids[i] = uuid.NewString()
	}
	var claims []store.Claim
	c.await(ctx)
	hosts := c.candidates(ctx)
	if err := c.opts.Store.Claim(ctx, c.opts.Name, func(taken []store.Claim) ([]store.Claim, error) {
		claims, err = place(hosts, usage(taken), p.demand, ids)
		return claims, err
	}); err != nil {
		return out, err
	}
	j := job{Operation: canonical.CreateServer.Spec().Name}
	for i, claim := range claims {
		rec, err := c.begin(ctx, p, claim, i)
		if err != nil {
			c.abandon(p.image.ID, ids)
			return out, err
		}
		j.Resources = append(j.Resources, canonical.Resource{Type: "server", ID: canonical.ID(rec.ID)})
		out.Result.Servers = append(out.Result.Servers, canonical.ServerWithPassword{Server: c.show(rec, nil), AdminPassword: &r.AdminPassword})
	}
	if out.Task, err = c.work(ctx, j); err != nil {
		c.abandon(p.image.ID, ids)
		return out, err
	}
	c.tellAll(j)
	return out, nil
}

// begin notes one server that is to be made.
func (c *Cloud) begin(ctx context.Context, p plan, claim store.Claim, i int) (record, error) {
	r := p.request
	sealed, err := c.seal(claim.Server, p.making)
	if err != nil {
		return record{}, err
	}
	rec := record{
		Host: claim.Host, Making: sealed, UpdatedAt: now(),
		Record: kvm.Record{
			ID: claim.Server, Tenant: canonical.CallerOf(ctx).Tenant, Name: r.NameOf(i), Description: r.Description, Flavor: p.shape,
			Image: p.image, Keypair: string(r.Keypair), Metadata: r.Metadata, Tags: r.Tags, AvailabilityZone: zoneOf(c.hostNamed(claim.Host)), CreatedAt: now(),
			AccessIPv4: r.AccessIPv4, AccessIPv6: r.AccessIPv6,
		},
	}
	if err := c.images.Use(p.image.ID, rec.ID); err != nil {
		return record{}, err
	}
	return rec, c.opts.Store.AddObject(ctx, c.object(serverKind, rec.ID), rec)
}

// abandon forgets servers of which nothing was made yet.
func (c *Cloud) abandon(image canonical.ID, ids []string) {
	for _, id := range ids {
		err := c.opts.Store.DeleteObject(c.ctx, c.object(serverKind, id))
		if canonical.CodeOf(err) == canonical.NotFound {
			err = nil
		}
		c.note("forget a server", errors.Join(err, c.images.Release(image, id)))
	}
	c.note("give back what servers claimed", c.opts.Store.Unclaim(c.ctx, c.opts.Name, ids...))
}

// plan finds all that a create points to; what is not there, or cannot be, is refused
// by its field.
func (c *Cloud) plan(ctx context.Context, r canonical.ServerCreate) (p plan, err error) {
	if err := unoffered(r); err != nil {
		return p, err
	}
	p.request, p.making = r, making{Password: r.AdminPassword, UserData: r.UserData, Files: r.Files}
	for _, find := range []func(context.Context, canonical.ServerCreate) error{p.limits, c.planFlavor(&p), c.planImage(&p), c.planKey(&p), c.planNetworks(&p), c.planPlace(&p)} {
		if err := find(ctx, r); err != nil {
			return p, err
		}
	}
	// What the seed refuses is told now rather than by a failed job.
	_, err = seed.Build(p.making.seed(uuid.NewString(), r.Name))
	return p, err
}

func (plan) limits(_ context.Context, r canonical.ServerCreate) error {
	switch {
	case len(r.Metadata) > maxMetadata:
		return canonical.Invalid("metadata", "has more than %d items", maxMetadata)
	case len(r.Tags) > maxTags:
		return canonical.Invalid("tags", "are more than %d", maxTags)
	default:
		return nil
	}
}

// unoffered refuses by name what this cloud cannot do for a create.
func unoffered(r canonical.ServerCreate) error {
	switch {
	case len(r.Volumes) > 0:
		return lacks("volumes", "there are no volumes here")
	case r.ServerGroup != "":
		return lacks("server_group", "there are no server groups here")
	case len(r.SchedulerHints) > 0:
		return lacks("scheduler_hints", "there are no hints here")
	case len(r.Native) > 0:
		return lacks("native", "there are no fields beyond the canonical ones here")
	case slices.ContainsFunc(r.SecurityGroups, func(g canonical.Ref) bool { return g != "default" }):
		return lacks("security_groups", "there are no security groups here")
	default:
		return nil
	}
}

func (c *Cloud) planFlavor(p *plan) func(context.Context, canonical.ServerCreate) error {
	return func(ctx context.Context, r canonical.ServerCreate) error {
		all, err := c.flavors(ctx)
		if err != nil {
			return err
		}
		f, ok := pick(all, string(r.Flavor))
		if !ok {
			return canonical.Invalid("flavor", "there is no flavor %q", r.Flavor)
		}
		disk := f.DiskGiB
		if r.RootDiskGiB > 0 {
			disk = r.RootDiskGiB
		}
		p.shape = canonical.ServerFlavor{ID: &f.ID, Name: &f.Name, VCPUs: &f.VCPUs, RAMMiB: &f.RAMMiB, DiskGiB: &disk, EphemeralGiB: new(int), SwapMiB: new(int), ExtraSpecs: f.ExtraSpecs}
		p.demand.claim = store.Claim{VCPUs: f.VCPUs, RAMMiB: f.RAMMiB, DiskGiB: disk}
		return nil
	}
}

func (c *Cloud) planImage(p *plan) func(context.Context, canonical.ServerCreate) error {
	return func(_ context.Context, r canonical.ServerCreate) error {
		var all []canonical.Image
		for _, i := range c.images.List() {
			all = append(all, i.Image)
		}
		i, ok := pick(all, string(r.Image))
		disk := *p.shape.DiskGiB
		switch {
		case !ok:
			return canonical.Invalid("image", "there is no image %q", r.Image)
		case i.Status != canonical.ImageActive:
			return canonical.Invalid("image", "is %s", i.Status)
		case *p.shape.RAMMiB < i.MinRAMMiB || disk > 0 && disk < i.MinDiskGiB:
			return canonical.Invalid("flavor", "is too small for the image, which wants %d MiB of memory and %d GiB of disk", i.MinRAMMiB, i.MinDiskGiB)
		case disk == 0:
			p.demand.claim.DiskGiB = i.MinDiskGiB
		}
		p.image = kvm.ImageRef{ID: i.ID, Name: i.Name}
		return nil
	}
}

func (c *Cloud) planKey(p *plan) func(context.Context, canonical.ServerCreate) error {
	return func(ctx context.Context, r canonical.ServerCreate) error {
		if r.Keypair == "" {
			return nil
		}
		k, err := c.getKeypair(ctx, canonical.KeypairGet{ID: canonical.ID(r.Keypair)})
		if canonical.CodeOf(err) == canonical.NotFound {
			return canonical.Invalid("keypair", "there is no keypair %q", r.Keypair)
		}
		p.making.Keys = []string{k.PublicKey}
		return err
	}
}

func (c *Cloud) planPlace(p *plan) func(context.Context, canonical.ServerCreate) error {
	return func(_ context.Context, r canonical.ServerCreate) error {
		known := func(has func(host) bool) bool { return slices.ContainsFunc(c.hosts, has) }
		if r.AvailabilityZone != "" && !known(func(h host) bool { return zoneOf(h) == string(r.AvailabilityZone) }) {
			return canonical.Invalid("availability_zone", "there is no zone %q", r.AvailabilityZone)
		}
		if r.Host != "" && !known(func(h host) bool { return h.Name() == r.Host }) {
			return canonical.Invalid("host", "there is no host %q", r.Host)
		}
		p.demand.zone, p.demand.host = string(r.AvailabilityZone), r.Host
		return nil
	}
}

// planNetworks finds the networks. Automatically a server joins the one that is called
// default, else the only one there is, else none.
func (c *Cloud) planNetworks(p *plan) func(context.Context, canonical.ServerCreate) error {
	return func(ctx context.Context, r canonical.ServerCreate) error {
		if r.Networks.Mode == canonical.NetworksNone {
			return nil
		}
		all, err := c.networks(ctx)
		if err != nil {
			return err
		}
		if r.Networks.Mode != canonical.NetworksList {
			return p.autoNetwork(all)
		}
		for i, choice := range r.Networks.List {
			if err := p.join(all, canonicalPath("networks", i), choice); err != nil {
				return err
			}
		}
		return nil
	}
}

func (p *plan) autoNetwork(all []canonical.Network) error {
	n, ok := pick(all, "default")
	if !ok && len(all) == 1 {
		n, ok = all[0], true
	}
	switch {
	case ok:
		return p.join(all, "networks", canonical.NetworkChoice{Network: canonical.Ref(n.ID)})
	case len(all) > 1:
		return canonical.Invalid("networks", "there are several, and none is called default: name one")
	default:
		return nil
	}
}

func (p *plan) join(all []canonical.Network, path string, choice canonical.NetworkChoice) error {
	switch {
	case choice.Interface != "":
		return lacks(path+".interface", "there are no interfaces here")
	case choice.Subnet != "":
		return lacks(path+".subnet", "there are no subnets here")
	case len(choice.SecurityGroups) > 0:
		return lacks(path+".security_groups", "there are no security groups here")
	}
	n, ok := pick(all, string(choice.Network))
	if !ok {
		return canonical.Invalid(path+".network", "there is no network %q", choice.Network)
	}
	nic := kvm.NICSpec{Network: n.Name}
	if choice.IP != "" {
		if p.request.HowMany() > 1 {
			return canonical.Invalid(path+".ip", "cannot be of %d servers", p.request.HowMany())
		}
		ip, err := netip.ParseAddr(choice.IP)
		if err != nil || !slices.ContainsFunc(n.CIDRs, func(s string) bool { return netip.MustParsePrefix(s).Contains(ip) }) {
			return canonical.Invalid(path+".ip", "is not an address of the network")
		}
		nic.IP = ip
	}
	p.making.NICs, p.demand.networks = append(p.making.NICs, nic), append(p.demand.networks, n.Name)
	return nil
}

// buildsAtOnce is how many servers of one create are made at the same time.
const buildsAtOnce = 4

// buildAll makes the servers of a create that are not made yet.
func (c *Cloud) buildAll(ctx context.Context, all []canonical.Resource) error {
	slots := make(chan struct{}, buildsAtOnce)
	failures := make(chan error, len(all))
	for _, r := range all {
		slots <- struct{}{}
		c.wg.Go(func() {
			defer func() { <-slots }()
			failures <- c.build(ctx, r.ID)
		})
	}
	var errs []error
	for range all {
		errs = append(errs, <-failures)
	}
	return errors.Join(errs...)
}

// attempt is the making of a server under way.
type attempt struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// attempting notes that a server is being made, with which it is busy until end; the
// context ends when it is given up.
func (c *Cloud) attempting(ctx context.Context, id canonical.ID) (_ context.Context, end func()) {
	ctx, cancel := context.WithCancel(ctx)
	a := attempt{cancel, make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attempts[id] = a
	return ctx, func() {
		cancel()
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.attempts, id)
		if c.busy[id] == building { // the others of its create may take longer
			delete(c.busy, id)
			delete(c.jobs, id)
		}
		close(a.done)
	}
}

// giveUp ends the making of a server, if it is under way.
func (c *Cloud) giveUp(ctx context.Context, id canonical.ID) error {
	c.mu.Lock()
	a, found := c.attempts[id]
	c.mu.Unlock()
	if !found {
		return nil
	}
	a.cancel()
	select {
	case <-a.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// build makes one server, or notes why it cannot be made; then nothing of it is left on
// the host.
func (c *Cloud) build(ctx context.Context, id canonical.ID) error {
	defer c.tell(id)
	attempt, end := c.attempting(ctx, id)
	defer end()
	r, err := c.record(ctx, id)
	switch {
	case canonical.CodeOf(err) == canonical.NotFound: // deleted, maybe by a process that a crash has ended
		return errors.Join(err, c.sweep(ctx, string(id)))
	case err != nil || r.Built:
		return err
	case c.busyWith(id) == deleting:
		return errDeleted
	}
	h, err := c.hostOf(r)
	var live kvm.Server
	if err == nil {
		err = insist(attempt, h, func() (err error) { live, err = c.make(attempt, h, r); return err })
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err() // the next process goes on
	case attempt.Err() != nil:
		return errDeleted
	case err != nil && h != nil:
		c.note("clean up after a server that cannot be made", h.Delete(ctx, r.ID))
	}
	r, noted := c.change(ctx, id, func(r *record) error {
		r.built(live, err)
		return nil
	})
	if err == nil && noted == nil {
		c.inform(ctx, h, r) // of what was changed meanwhile
	}
	return errors.Join(err, noted)
}

var errDeleted = canonical.Errorf(canonical.Conflict, "the server was deleted while it was made")

// built notes that the server was made, or why not.
func (r *record) built(live kvm.Server, why error) {
	at := now()
	r.Built, r.Making = true, nil
	if why == nil {
		r.LaunchedAt, r.Networks = &at, live.Networks
		return
	}
	e := canonical.AsError(why)
	r.Fault = &canonical.Fault{Code: e.HTTPStatus(), Message: e.Detail, At: &at}
}

// sweep removes what the hosts may have of a server that has no record.
func (c *Cloud) sweep(ctx context.Context, id string) error {
	var errs []error
	for _, h := range c.hosts {
		errs = append(errs, insist(ctx, h, func() error { return h.Delete(ctx, id) }))
	}
	return errors.Join(errs...)
}

// make brings the image to the host, defines the server and starts it. It can be
// repeated.
func (c *Cloud) make(ctx context.Context, h host, r record) (kvm.Server, error) {
	m, err := c.unseal(r)
	if err != nil {
		return kvm.Server{}, err
	}
	iso, err := seed.Build(m.seed(r.ID, r.Name))
	if err != nil {
		return kvm.Server{}, err
	}
	base, err := c.base(ctx, h, r.Image.ID)
	if err != nil {
		return kvm.Server{}, err
	}
	defer base.Release()
	_, err = h.Define(ctx, kvm.ServerSpec{
		ID: r.ID, Tenant: r.Tenant, Name: r.Name, Description: r.Description, Flavor: r.Flavor, ImageName: r.Image.Name, Base: base,
		Seed: kvm.Seed{SizeBytes: int64(len(iso)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(iso)), nil }},
		NICs: m.NICs, Keypair: r.Keypair, Metadata: r.Metadata, Tags: r.Tags, AvailabilityZone: r.AvailabilityZone, CreatedAt: r.CreatedAt,
	})
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return kvm.Server{}, err
	}
	return h.Start(c.ctx, r.ID) // which is not given up halfway
}

func (c *Cloud) base(ctx context.Context, h host, id canonical.ID) (*kvm.Base, error) {
	i, err := c.images.Get(id)
	if err != nil {
		return nil, err
	}
	format := "qcow2"
	if i.DiskFormat != nil && *i.DiskFormat != format {
		format = "raw" // raw disks and ISO images, byte for byte
	}
	return h.EnsureBase(ctx, id, kvm.BaseSource{
		Format: format, SizeBytes: *i.SizeBytes,
		Open: func(context.Context) (io.ReadCloser, error) {
			f, _, err := c.images.Open(id)
			return f, err
		},
	})
}
