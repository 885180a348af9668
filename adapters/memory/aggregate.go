package memory

import (
	"maps"
	"slices"
	"strconv"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func copyAggregate(a canonical.Aggregate) canonical.Aggregate {
	a.AvailabilityZone, a.Hosts, a.Metadata = own(a.AvailabilityZone), slices.Clone(a.Hosts), maps.Clone(a.Metadata)
	a.CreatedAt, a.UpdatedAt = own(a.CreatedAt), own(a.UpdatedAt)
	return a
}

func (c *Cloud) handleHosts() {
	handle(c, canonical.ListAggregates, func(r canonical.AggregateList) (canonical.TypedReply[canonical.Page[canonical.Aggregate]], error) {
		return arrange(those(c.aggregates, r.Match), r.ListOptions, copyAggregate)
	})
	handle(c, canonical.GetAggregate, func(r canonical.AggregateGet) (canonical.TypedReply[canonical.Aggregate], error) {
		return byID(c.aggregates, "aggregate", r.ID, copyAggregate)
	})
	handle(c, canonical.CreateAggregate, c.createAggregate)
	handle(c, canonical.UpdateAggregate, c.updateAggregate)
	handle(c, canonical.DeleteAggregate, c.deleteAggregate)
	handle(c, canonical.AddAggregateHost, c.addAggregateHost)
	handle(c, canonical.RemoveAggregateHost, c.removeAggregateHost)
	handle(c, canonical.SetAggregateMetadata, c.setAggregateMetadata)
	handle(c, canonical.ListComputeServices, c.listServices)
	handle(c, canonical.EnableComputeService, c.enableService)
	handle(c, canonical.DisableComputeService, c.disableService)
	handle(c, canonical.UpdateComputeService, c.updateService)
	handle(c, canonical.ListHosts, c.listHosts)
}

func (c *Cloud) createAggregate(r canonical.AggregateCreate) (canonical.TypedReply[canonical.Aggregate], error) {
	if c.aggregateNamed(r.Name) {
		return refuse[canonical.Aggregate](taken(r.Name))
	}
	c.lastAggregate++
	now := c.now()
	a := canonical.Aggregate{
		ID: canonical.ID(strconv.Itoa(c.lastAggregate)), Name: r.Name, AvailabilityZone: optional(string(r.AvailabilityZone)),
		Hosts: []string{}, Metadata: map[string]string{}, CreatedAt: &now,
	}
	if r.AvailabilityZone != "" {
		a.Metadata[zoneKey] = string(r.AvailabilityZone)
	}
	c.aggregates = append(c.aggregates, a)
	return reply(copyAggregate(a), nil)
}

// zoneKey is the item of the metadata that says the zone.
const zoneKey = "availability_zone"

func (c *Cloud) aggregateNamed(name string) bool {
	return slices.ContainsFunc(c.aggregates, func(a canonical.Aggregate) bool { return a.Name == name })
}

func taken(name string) error {
	return canonical.Errorf(canonical.AlreadyExists, "Aggregate %s already exists.", name)
}

// reshape performs a change of an aggregate that may be refused.
func (c *Cloud) reshape(id canonical.ID, with func(a *canonical.Aggregate) error) (canonical.TypedReply[canonical.Aggregate], error) {
	i := slices.IndexFunc(c.aggregates, func(a canonical.Aggregate) bool { return a.ID == id })
	if i < 0 {
		return refuse[canonical.Aggregate](canonical.Errorf(canonical.NotFound, "Aggregate %s could not be found.", id))
	}
	a := copyAggregate(c.aggregates[i])
	if err := with(&a); err != nil {
		return refuse[canonical.Aggregate](err)
	}
	now := c.now()
	a.AvailabilityZone, a.UpdatedAt = optional(a.Metadata[zoneKey]), &now
	c.aggregates[i] = a
	return reply(copyAggregate(a), nil)
}

func (c *Cloud) updateAggregate(r canonical.AggregateUpdate) (canonical.TypedReply[canonical.Aggregate], error) {
	return c.reshape(r.ID, func(a *canonical.Aggregate) error {
		name := r.Name.Or(a.Name)
		if name != a.Name && c.aggregateNamed(name) {
			return taken(name)
		}
		a.Name = name
		if !r.AvailabilityZone.IsZero() {
			zone := canonical.Null[string]()
			if name, given := r.AvailabilityZone.Get(); given {
				zone = canonical.Some(string(name))
			}
			a.Metadata = mergedMap(a.Metadata, canonical.Some(map[string]canonical.Opt[string]{zoneKey: zone}))
		}
		return nil
	})
}

func (c *Cloud) setAggregateMetadata(r canonical.AggregateSetMetadata) (canonical.TypedReply[canonical.Aggregate], error) {
	return c.reshape(r.ID, func(a *canonical.Aggregate) error {
		a.Metadata = mergedMap(a.Metadata, canonical.Some(r.Metadata))
		return nil
	})
}

func (c *Cloud) addAggregateHost(r canonical.AggregateAddHost) (canonical.TypedReply[canonical.Aggregate], error) {
	return c.reshape(r.ID, func(a *canonical.Aggregate) error {
		switch {
		case !slices.Contains(hosts, r.Host):
			return canonical.Errorf(canonical.NotFound, "Compute host %s could not be found.", r.Host)
		case slices.Contains(a.Hosts, r.Host):
			return canonical.Errorf(canonical.AlreadyExists, "Aggregate %s already has host %s.", r.ID, r.Host)
		}
		a.Hosts = append(a.Hosts, r.Host)
		return nil
	})
}

func (c *Cloud) removeAggregateHost(r canonical.AggregateRemoveHost) (canonical.TypedReply[canonical.Aggregate], error) {
	return c.reshape(r.ID, func(a *canonical.Aggregate) error {
		if !slices.Contains(a.Hosts, r.Host) {
			return canonical.Errorf(canonical.NotFound, "Aggregate %s has no host %s.", r.ID, r.Host)
		}
		a.Hosts = slices.DeleteFunc(a.Hosts, func(h string) bool { return h == r.Host })
		return nil
	})
}

func (c *Cloud) deleteAggregate(r canonical.AggregateDelete) (canonical.TypedReply[canonical.None], error) {
	_, err := c.reshape(r.ID, func(a *canonical.Aggregate) error {
		if len(a.Hosts) > 0 {
			return canonical.Errorf(canonical.FailedPrecondition, "Cannot remove host aggregate %s: it is not empty", r.ID)
		}
		return nil
	})
	if err != nil {
		return refuse[canonical.None](err)
	}
	c.aggregates = slices.DeleteFunc(c.aggregates, func(a canonical.Aggregate) bool { return a.ID == r.ID })
	return reply(canonical.None{}, nil)
}
