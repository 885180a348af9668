package memory

import (
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

var shelvable = states{canonical.ServerRunning, canonical.ServerStopped, canonical.ServerPaused, canonical.ServerSuspended}

func (c *Cloud) shelveServer(r canonical.ServerShelve) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.ready(r.ID, "shelve", shelvable)
	switch {
	case err != nil:
		return refuse[canonical.Server](err)
	case c.opts.KeepShelved:
		return c.shelve(s, canonical.ServerShelved, func() {})
	default:
		return c.shelve(s, canonical.ServerShelvedOffloaded, func() { c.leave(s) })
	}
}

// shelve keeps the disk of a server in an image, which goes when the server comes back
// or is deleted. A server on volumes needs none.
func (c *Cloud) shelve(s *server, to canonical.ServerStatus, also func()) (canonical.TypedReply[canonical.Server], error) {
	if s.Image != nil {
		i := c.imageOf(s, canonical.ServerCreateImage{Name: s.Name + "-shelved"})
		c.images, s.shelved = append(c.images, i), i.ID
	}
	return c.act(canonical.ShelveServer.Spec(), s, "shelving", to, func() {
		c.saved(s.shelved)
		also()
	})
}

// unkeep takes away the image of a server that was shelved.
func (c *Cloud) unkeep(s *server) {
	c.images = slices.DeleteFunc(c.images, func(i canonical.Image) bool { return i.ID == s.shelved })
	s.shelved = ""
}

func (c *Cloud) shelveOffloadServer(r canonical.ServerShelveOffload) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.ready(r.ID, "offload", states{canonical.ServerShelved})
	if err != nil {
		return refuse[canonical.Server](err)
	}
	return c.act(canonical.ShelveOffloadServer.Spec(), s, "shelving_offloading", canonical.ServerShelvedOffloaded, func() { c.leave(s) })
}

func (c *Cloud) unshelveServer(r canonical.ServerUnshelve) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.ready(r.ID, "unshelve", states{canonical.ServerShelved, canonical.ServerShelvedOffloaded})
	if err == nil {
		err = c.canUnshelve(r, s)
	}
	if err != nil {
		return refuse[canonical.Server](err)
	}
	if zone, given := r.AvailabilityZone.Get(); given {
		s.AvailabilityZone = optional(string(zone))
	}
	return c.act(canonical.UnshelveServer.Spec(), s, "unshelving", canonical.ServerRunning, func() {
		if s.Host == nil {
			c.settleOn(s, c.host(r.Host))
		}
		c.unkeep(s)
		s.boot()
	})
}

// canUnshelve refuses a place where there is none, or where it was not left.
func (c *Cloud) canUnshelve(r canonical.ServerUnshelve, s *server) error {
	zone, given := r.AvailabilityZone.Get()
	_, known := pick(c.zones, string(zone))
	switch {
	case s.Status == canonical.ServerShelved && (!r.AvailabilityZone.IsZero() || r.Host != ""):
		return canonical.Hindered("move", &s.Server, canonical.ServerShelvedOffloaded)
	case given && !known:
		return canonical.Invalid("availability_zone", "there is no zone %q", zone)
	case r.Host != "" && !slices.Contains(hosts, r.Host):
		return canonical.Invalid("host", "there is no host %q", r.Host)
	default:
		return nil
	}
}

// leave takes the server off its host, where it has one.
func (c *Cloud) leave(s *server) {
	if s.Host == nil {
		return
	}
	c.load[*s.Host]--
	s.Host, s.HostStatus, s.HypervisorHostname, s.HostID = nil, nil, nil, nil
}

// settleOn puts the server on a host.
func (c *Cloud) settleOn(s *server, host string) {
	c.leave(s)
	c.load[host]++
	s.Host, s.HypervisorHostname = &host, own(&host)
	s.HostStatus, s.HostID = optional("up"), optional(c.stableID("host", host))
}
