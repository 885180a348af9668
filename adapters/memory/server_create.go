package memory

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func (c *Cloud) createServer(r canonical.ServerCreate) (canonical.TypedReply[canonical.ServersCreated], error) {
	p, err := c.plan(r)
	if err != nil {
		return refuse[canonical.ServersCreated](err)
	}
	if err := c.planDisks(&p, r); err != nil {
		return refuse[canonical.ServersCreated](err)
	}
	homes, err := c.allocate(r)
	if err != nil {
		return refuse[canonical.ServersCreated](err)
	}
	var out canonical.ServersCreated
	var task *canonical.Task
	for i := range r.HowMany() {
		s := c.build(r, p, r.NameOf(i))
		if s.Host == nil {
			out.Servers = append(out.Servers, canonical.ServerWithPassword{Server: s.copy()})
			task = joined(task, canonical.WaitStatus(s.ID, canonical.ServerRunning))
			continue
		}
		c.settleIn(s, homes[i])
		c.giveDisks(s, p.disks)
		if c.begin(canonical.CreateServer.Spec(), s, "spawning", func() { s.launched() }) {
			task = joined(task, canonical.WaitStatus(s.ID, canonical.ServerRunning))
		}
		password := r.AdminPassword
		if password == "" {
			password = newPassword()
		}
		out.Servers = append(out.Servers, canonical.ServerWithPassword{Server: s.copy(), AdminPassword: &password})
	}
	return reply(out, task)
}

// joined is one task that waits for the servers of both.
func joined(all, one *canonical.Task) *canonical.Task {
	if all == nil {
		return one
	}
	all.Resources = append(all.Resources, one.Resources...)
	return all
}

func (s *server) launched() {
	s.rest(canonical.ServerRunning, canonical.PowerOn)
	s.LaunchedAt = own(s.UpdatedAt)
	s.boot()
}

// plan is what a create points to.
type plan struct {
	flavor canonical.Flavor
	group  *canonical.ServerGroup
	image  canonical.Image // none where it boots from a volume
	zone   string
	disks  []disk
}

func (c *Cloud) plan(r canonical.ServerCreate) (plan, error) {
	if err := lacks(r); err != nil {
		return plan{}, err
	}
	p := plan{zone: c.zones[0].Name}
	f, ok := pick(c.flavors, string(r.Flavor))
	if !ok {
		return p, canonical.Invalid("flavor", "there is no flavor %q", r.Flavor)
	}
	p.flavor = f
	if r.Image != "" {
		image, err := c.imageFor(r.Image, shapeOf(f))
		if err != nil {
			return p, err
		}
		p.image = image
	}
	if r.AvailabilityZone != "" {
		if _, ok := pick(c.zones, string(r.AvailabilityZone)); !ok {
			return p, canonical.Invalid("availability_zone", "there is no zone %q", r.AvailabilityZone)
		}
		p.zone = string(r.AvailabilityZone)
	}
	if _, ok := c.keypairs[string(r.Keypair)]; r.Keypair != "" && !ok {
		return p, canonical.Invalid("keypair", "there is no keypair %q", r.Keypair)
	}
	group, err := c.serverGroupOf(r)
	if err != nil {
		return p, err
	}
	p.group = group
	if err := c.mayDescribe(len(r.Metadata)); err != nil {
		return p, err
	}
	return p, c.fits(f, r.HowMany())
}

// link points to the image; nil where there is none.
func (p plan) link() *canonical.Link {
	if p.image.ID == "" {
		return nil
	}
	return &canonical.Link{ID: p.image.ID, Name: &p.image.Name}
}

// lacks refuses by name what this cloud cannot do for a create.
func lacks(r canonical.ServerCreate) error {
	var field string
	switch {
	case r.RootDiskGiB > 0:
		field = "root_disk_gib"
	case len(r.Native) > 0:
		field = "native"
	case r.Host != "" && !slices.Contains(hosts, r.Host):
		return canonical.Invalid("host", "there is no host %q", r.Host)
	default:
		return nil
	}
	return lacksField(field)
}

func lacksField(field string) error {
	const reason = "the memory cloud has no such thing"
	return &canonical.Error{
		Code: canonical.Unsupported, Detail: field + ": " + reason,
		Fields: []canonical.FieldError{{Field: field, Reason: reason}},
	}
}

// imageFor is the image of that id or name, if it fits the shape.
func (c *Cloud) imageFor(ref canonical.Ref, f canonical.ServerFlavor) (canonical.Image, error) {
	i, ok := pick(c.images, string(ref))
	switch {
	case !ok:
		return i, canonical.Invalid("image", "there is no image %q", ref)
	case i.Status != canonical.ImageActive:
		return i, canonical.Invalid("image", "is %s", i.Status)
	case tooSmall(f, i):
		return i, canonical.Invalid("flavor", "is too small for the image")
	default:
		return i, nil
	}
}

func tooSmall(f canonical.ServerFlavor, i canonical.Image) bool {
	return *f.RAMMiB < i.MinRAMMiB || *f.DiskGiB > 0 && *f.DiskGiB < i.MinDiskGiB
}

// fits says whether n more servers of that flavor keep within the capacity.
func (c *Cloud) fits(f canonical.Flavor, n int) error {
	return c.fit(n, f.VCPUs*n, f.RAMMiB*n)
}

// fitsInstead says whether the server with another flavor keeps within the capacity.
func (c *Cloud) fitsInstead(f canonical.Flavor, s *server) error {
	return c.fit(0, f.VCPUs-*s.Flavor.VCPUs, f.RAMMiB-*s.Flavor.RAMMiB)
}

// fit says whether so much more keeps within the capacity.
func (c *Cloud) fit(moreServers, moreVCPUs, moreRAM int) error {
	servers, vcpus, ram := c.usage()
	for _, l := range []struct {
		name       string
		used, more int
		most       *int
	}{
		{"servers", servers, moreServers, c.quota.servers},
		{"vcpus", vcpus, moreVCPUs, c.quota.vcpus},
		{"ram_mib", ram, moreRAM, c.quota.ramMiB},
	} {
		if l.more > 0 && over(l.used+l.more, l.most) {
			return canonical.Errorf(canonical.QuotaExceeded, "quota exceeded for %s: %d of %d", l.name, l.used+l.more, *l.most)
		}
	}
	return nil
}

func (c *Cloud) build(r canonical.ServerCreate, p plan, name string) *server {
	now, id := c.now(), canonical.ID(uuid.NewString())
	instance := "instance-" + string(id[:8])
	s := &server{tags: map[canonical.ID]string{}, Server: canonical.Server{
		ID: id, Name: name, Description: optional(r.Description), Kind: canonical.VM,
		Flavor: shapeOf(p.flavor), Image: p.link(),
		AccessIPv4: shortest(optional(r.AccessIPv4)), AccessIPv6: shortest(optional(r.AccessIPv6)),
		Volumes: []canonical.ServerVolume{}, Keypair: optional(string(r.Keypair)),
		Metadata: notNil(maps.Clone(r.Metadata)), Tags: distinct(r.Tags),
		ConfigDrive: r.ConfigDrive != nil && *r.ConfigDrive, AvailabilityZone: &p.zone,
		InstanceName: &instance, CreatedAt: &now, UpdatedAt: &now,
	}}
	s.rest(canonical.ServerBuilding, canonical.PowerUnknown)
	_, _, s.created = s.Server.ListKeys()
	c.servers[id] = s
	host := c.homeIn(p.group, r.Host)
	if p.group != nil {
		p.group.Members = append(p.group.Members, id)
	}
	if host == "" {
		s.Fault = &canonical.Fault{Code: 500, Message: "No valid host was found. There are not enough hosts available.", At: &now}
		s.rest(canonical.ServerError, canonical.PowerUnknown)
		return s
	}
	c.settleOn(s, host)
	return s
}

func shapeOf(f canonical.Flavor) canonical.ServerFlavor {
	return copyShape(canonical.ServerFlavor{
		ID: &f.ID, Name: &f.Name, VCPUs: &f.VCPUs, RAMMiB: &f.RAMMiB, DiskGiB: &f.DiskGiB,
		EphemeralGiB: &f.EphemeralGiB, SwapMiB: &f.SwapMiB, ExtraSpecs: f.ExtraSpecs,
	})
}

// shortest is an address in its usual form; what is none stays as it is.
func shortest(text *string) *string {
	if text == nil {
		return nil
	}
	ip, err := netip.ParseAddr(*text)
	if err != nil {
		return text
	}
	short := ip.String()
	return &short
}

// optional is a pointer to s, nil where it is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
