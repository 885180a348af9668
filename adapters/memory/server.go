package memory

import (
	"maps"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// server is a server with what only this cloud knows.
type server struct {
	canonical.Server
	created string // creation time as lists sort it
	turn    int
	boots   int
	before  *shape                  // what a resize or a migration can go back to
	console []string                // lines
	tags    map[canonical.ID]string // of its volumes
	nics    []canonical.ID          // its ports
	shelved canonical.ID            // the image that keeps its disk meanwhile
	// migration is the last one, if there was one.
	migration *canonical.ServerMigration
}

// ListKeys implements canonical.Listed without formatting the time each time.
func (s *server) ListKeys() (canonical.ID, string, string) { return s.ID, s.Name, s.created }

// rest puts the server into a state.
func (s *server) rest(status canonical.ServerStatus, power canonical.Power) {
	s.Status, s.NativeStatus, s.Power = status, string(status), power
}

// copy is the server for a caller, who may change all of it.
func (s *server) copy() canonical.Server {
	out := s.Server
	for _, p := range []**string{
		&out.Description, &out.Task, &out.LockReason, &out.AccessIPv4, &out.AccessIPv6, &out.Keypair, &out.AvailabilityZone,
		&out.Host, &out.HostStatus, &out.HypervisorHostname, &out.InstanceName, &out.HostID,
	} {
		*p = own(*p)
	}
	out.CreatedAt, out.UpdatedAt, out.LaunchedAt = own(s.CreatedAt), own(s.UpdatedAt), own(s.LaunchedAt)
	out.DeletedAt, out.PurgeAt = own(s.DeletedAt), own(s.PurgeAt)
	if s.Fault != nil {
		f := *s.Fault
		f.Details, f.At = own(f.Details), own(f.At)
		out.Fault = &f
	}
	out.Flavor = copyShape(s.Flavor)
	if s.Image != nil {
		out.Image = &canonical.Link{ID: s.Image.ID, Name: own(s.Image.Name)}
	}
	out.Addresses = slices.Clone(s.Addresses)
	for i := range out.Addresses {
		a := &out.Addresses[i]
		a.NetworkID, a.MAC, a.InterfaceID = own(a.NetworkID), own(a.MAC), own(a.InterfaceID)
	}
	out.Volumes = slices.Clone(s.Volumes)
	for i := range out.Volumes {
		v := &out.Volumes[i]
		v.Device, v.BootIndex, v.DeleteWithServer = own(v.Device), own(v.BootIndex), own(v.DeleteWithServer)
	}
	out.SecurityGroups = slices.Clone(s.SecurityGroups)
	for i := range out.SecurityGroups {
		out.SecurityGroups[i].Name = own(out.SecurityGroups[i].Name)
	}
	out.Metadata, out.Tags = maps.Clone(s.Metadata), slices.Clone(s.Tags)
	return out
}

func copyShape(f canonical.ServerFlavor) canonical.ServerFlavor {
	f.ID, f.Name = own(f.ID), own(f.Name)
	f.VCPUs, f.RAMMiB, f.DiskGiB = own(f.VCPUs), own(f.RAMMiB), own(f.DiskGiB)
	f.EphemeralGiB, f.SwapMiB, f.ExtraSpecs = own(f.EphemeralGiB), own(f.SwapMiB), maps.Clone(f.ExtraSpecs)
	return f
}

// own is a pointer to a copy of *p, nil for nil.
func own[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

func (c *Cloud) find(id canonical.ID) (*server, error) {
	if s, ok := c.servers[id]; ok {
		return s, nil
	}
	return nil, canonical.Errorf(canonical.NotFound, "there is no server %s", id)
}

func (c *Cloud) getServer(r canonical.ServerGet) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.Server](err)
	}
	return reply(s.copy(), nil)
}

func (c *Cloud) listServers(r canonical.ServerList) (canonical.TypedReply[canonical.Page[canonical.Server]], error) {
	found := make([]*server, 0, len(c.servers))
	for _, s := range c.servers {
		if r.Match(&s.Server) {
			found = append(found, s)
		}
	}
	for _, s := range c.graves {
		if r.Match(&s.Server) {
			found = append(found, s)
		}
	}
	return arrange(found, r.ListOptions, (*server).copy)
}

// arrange is the page of found that o asks for, as copies.
func arrange[T canonical.Listed, R any](found []T, o canonical.ListOptions, copied func(T) R) (canonical.TypedReply[canonical.Page[R]], error) {
	p, err := canonical.Arrange(found, o)
	if err != nil {
		return refuse[canonical.Page[R]](err)
	}
	out := canonical.Page[R]{
		Items: make([]R, len(p.Items)), NextCursor: p.NextCursor, AsOf: p.AsOf, Unreachable: p.Unreachable,
	}
	for i, item := range p.Items {
		out.Items[i] = copied(item)
	}
	return reply(out, nil)
}

func (c *Cloud) updateServer(r canonical.ServerUpdate) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.Server](err)
	}
	if err := c.describe(s, mergedMap(s.Metadata, r.Metadata)); err != nil {
		return refuse[canonical.Server](err)
	}
	s.Name = r.Name.Or(s.Name)
	s.Description = merged(s.Description, r.Description)
	s.AccessIPv4 = shortest(merged(s.AccessIPv4, r.AccessIPv4))
	s.AccessIPv6 = shortest(merged(s.AccessIPv6, r.AccessIPv6))
	if !r.Tags.IsZero() {
		s.Tags = distinct(r.Tags.Or(nil))
	}
	return reply(s.copy(), nil)
}

// merged is old after an update by the rules of JSON merge patch.
func merged[T ~string](old *string, o canonical.Opt[T]) *string {
	if o.IsZero() {
		return old
	}
	if v, ok := o.Get(); ok {
		text := string(v)
		return &text
	}
	return nil
}

func mergedMap(old map[string]string, o canonical.Opt[map[string]canonical.Opt[string]]) map[string]string {
	if o.IsNull() {
		return map[string]string{}
	}
	out := maps.Clone(old)
	changes, _ := o.Get()
	for k, change := range changes {
		if v, ok := change.Get(); ok {
			out[k] = v
		} else {
			delete(out, k)
		}
	}
	return out
}
