package memory

import (
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// newServices are the one service of each host.
func (c *Cloud) newServices() []canonical.ComputeService {
	out := make([]canonical.ComputeService, len(hosts))
	for i, host := range hosts {
		now := c.now()
		out[i] = canonical.ComputeService{
			ID: canonical.ID(c.stableID("service", host)), Name: "memory-compute", Host: host, Zone: optional(zoneName),
			State: "up", Status: "enabled", UpdatedAt: &now,
		}
	}
	return out
}

func copyService(s canonical.ComputeService) canonical.ComputeService {
	s.Zone, s.DisabledReason, s.UpdatedAt = own(s.Zone), own(s.DisabledReason), own(s.UpdatedAt)
	return s
}

func (c *Cloud) listServices(r canonical.ComputeServiceList) (canonical.TypedReply[canonical.Page[canonical.ComputeService]], error) {
	return arrange(those(c.services, r.Match), r.ListOptions, copyService)
}

func (c *Cloud) changeService(id canonical.ID, with func(s *canonical.ComputeService)) (canonical.TypedReply[canonical.ComputeService], error) {
	i := slices.IndexFunc(c.services, func(s canonical.ComputeService) bool { return s.ID == id })
	if i < 0 {
		return refuse[canonical.ComputeService](canonical.Errorf(canonical.NotFound, "Compute service %s could not be found.", id))
	}
	now := c.now()
	with(&c.services[i])
	c.services[i].UpdatedAt = &now
	return reply(copyService(c.services[i]), nil)
}

func (c *Cloud) enableService(r canonical.ComputeServiceEnable) (canonical.TypedReply[canonical.ComputeService], error) {
	return c.changeService(r.ID, func(s *canonical.ComputeService) { s.Status, s.DisabledReason = "enabled", nil })
}

func (c *Cloud) disableService(r canonical.ComputeServiceDisable) (canonical.TypedReply[canonical.ComputeService], error) {
	return c.changeService(r.ID, func(s *canonical.ComputeService) { s.Status, s.DisabledReason = "disabled", optional(r.Reason) })
}

func (c *Cloud) updateService(r canonical.ComputeServiceUpdate) (canonical.TypedReply[canonical.ComputeService], error) {
	return c.changeService(r.ID, func(s *canonical.ComputeService) {
		if r.ForcedDown.IsZero() {
			return
		}
		if s.ForcedDown = r.ForcedDown.Or(false); s.ForcedDown {
			s.State = "down"
		} else {
			s.State = "up"
		}
	})
}

// serves says whether new servers may go to a host.
func (c *Cloud) serves(host string) bool {
	return !slices.ContainsFunc(c.services, func(s canonical.ComputeService) bool {
		return s.Host == host && (s.Status == "disabled" || s.State == "down")
	})
}

func (c *Cloud) listHosts(r canonical.HostList) (canonical.TypedReply[canonical.Page[canonical.Host]], error) {
	all := make([]canonical.Host, 0, len(c.services))
	for _, s := range c.services {
		h := canonical.Host{ID: canonical.ID(s.Host), Name: s.Host, Service: s.Name, Zone: own(s.Zone)}
		if r.Match(&h) {
			all = append(all, h)
		}
	}
	return arrange(all, r.ListOptions, func(h canonical.Host) canonical.Host { return h })
}
