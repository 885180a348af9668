package memory

import "github.com/dragoman-cloud/dragoman/canonical"

// quota is what all projects may use together: this cloud tells none apart.
type quota struct {
	servers, vcpus, ramMiB, keypairs, groups, members, items *int
}

func (c *Cloud) defaultQuota() quota {
	groups, members, items := maxServerGroups, maxServerGroups, maxItems
	return quota{
		servers: atMost(c.opts.Capacity.Servers), vcpus: atMost(c.opts.Capacity.VCPUs), ramMiB: atMost(c.opts.Capacity.RAMMiB),
		groups: &groups, members: &members, items: &items,
	}
}

func (q quota) told(project canonical.Project) canonical.Quota {
	return canonical.Quota{
		ID: canonical.ID(project), Servers: own(q.servers), VCPUs: own(q.vcpus), RAMMiB: own(q.ramMiB), Keypairs: own(q.keypairs),
		ServerGroups: own(q.groups), ServerGroupMembers: own(q.members), MetadataItems: own(q.items),
	}
}

func (c *Cloud) handleQuotas() {
	handle(c, canonical.GetQuota, c.getQuota)
	handle(c, canonical.GetQuotaDefaults, func(r canonical.QuotaDefaultsGet) (canonical.TypedReply[canonical.Quota], error) {
		return reply(c.defaults.told(r.Project), nil)
	})
	handle(c, canonical.UpdateQuotaDefaults, c.updateQuotaDefaults)
	handle(c, canonical.UpdateQuota, c.updateQuota)
	handle(c, canonical.ResetQuota, func(canonical.QuotaReset) (canonical.TypedReply[canonical.None], error) {
		c.quota = c.defaults
		return reply(canonical.None{}, nil)
	})
}

func (c *Cloud) getQuota(r canonical.QuotaGet) (canonical.TypedReply[canonical.Quota], error) {
	servers, vcpus, ram := c.usage()
	groups := len(c.serverGroups)
	q := c.quota.told(r.Project)
	q.ServersUsed, q.VCPUsUsed, q.RAMUsedMiB, q.ServerGroupsUsed = &servers, &vcpus, &ram, &groups
	return reply(q, nil)
}

// limitChange is the change of one limit, of which some is used.
type limitChange struct {
	name string
	to   **int
	o    canonical.Opt[int]
	used int
}

// changes are those that r makes to q.
func (c *Cloud) changes(q *quota, r canonical.QuotaUpdate) []limitChange {
	servers, vcpus, ram := c.usage()
	return []limitChange{
		{"servers", &q.servers, r.Servers, servers},
		{"vcpus", &q.vcpus, r.VCPUs, vcpus},
		{"ram_mib", &q.ramMiB, r.RAMMiB, ram},
		{"keypairs", &q.keypairs, r.Keypairs, len(c.keypairs)},
		{"server_groups", &q.groups, r.ServerGroups, len(c.serverGroups)},
		{"server_group_members", &q.members, r.ServerGroupMembers, 0},
		{"metadata_items", &q.items, r.MetadataItems, 0},
	}
}

// updateQuotaDefaults changes the defaults, and the limits that are what they were.
func (c *Cloud) updateQuotaDefaults(r canonical.QuotaDefaultsUpdate) (canonical.TypedReply[canonical.Quota], error) {
	defaults, now := c.changes(&c.defaults, r.Limits()), c.changes(&c.quota, r.Limits())
	for i, l := range defaults {
		if l.o.IsZero() {
			continue
		}
		var to *int
		if n, set := l.o.Get(); set {
			to = &n
		}
		if is := *now[i].to; (is == nil) == (*l.to == nil) && (is == nil || *is == **l.to) {
			*now[i].to = to
		}
		*l.to = to
	}
	return reply(c.defaults.told(r.Project), nil)
}

func (c *Cloud) updateQuota(r canonical.QuotaUpdate) (canonical.TypedReply[canonical.Quota], error) {
	next := c.quota
	for _, l := range c.changes(&next, r) {
		n, set := l.o.Get()
		switch {
		case l.o.IsNull():
			*l.to = nil
		case set && n < l.used && !r.Force:
			return refuse[canonical.Quota](canonical.Invalid(l.name, "Quota limit %d for %s must be greater than or equal to already used and reserved %d.", n, l.name, l.used))
		case set:
			*l.to = &n
		}
	}
	c.quota = next
	return c.getQuota(canonical.QuotaGet{Project: r.Project})
}

// over says whether n is more than a limit, which is none where it is nil.
func over(n int, limit *int) bool { return limit != nil && n > *limit }
