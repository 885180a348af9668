package nova

import (
	"context"
	"net/http"
	"net/url"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// getLimits joins the limits of compute and, where there are these, of the volume service
// and of the networks.
func (c *Cloud) getLimits(ctx context.Context, r canonical.LimitsGet) (canonical.TypedReply[canonical.Limits], error) {
	all, err := canonical.GetLimits.Do(ctx, c.Rows(), r)
	if err != nil {
		return all, err
	}
	if c.Support(ctx, canonical.ListVolumes.Spec()).Level != canonical.No {
		err = c.addVolumeLimits(ctx, &all.Result)
	}
	if err == nil && c.Support(ctx, canonical.ListNetworks.Spec()).Level != canonical.No {
		err = c.addNetworkLimits(ctx, &all.Result)
	}
	if err != nil {
		return canonical.TypedReply[canonical.Limits]{}, err
	}
	return all, nil
}

func (c *Cloud) addVolumeLimits(ctx context.Context, l *canonical.Limits) error {
	of, err := c.limitsOf(ctx, "cinder.limits.show", "volume", "/limits")
	if err != nil {
		return err
	}
	l.Volumes, l.VolumeSnapshots, l.VolumeGiB = of.Volumes, of.VolumeSnapshots, of.VolumeGiB
	l.VolumesUsed, l.VolumeSnapshotsUsed, l.VolumeUsedGiB = of.VolumesUsed, of.VolumeSnapshotsUsed, of.VolumeUsedGiB
	return nil
}

// addNetworkLimits leaves them unknown where Neutron tells none: its quotas with their use
// are an extension.
func (c *Cloud) addNetworkLimits(ctx context.Context, l *canonical.Limits) error {
	s, err := c.conn.Session(ctx, "network")
	if err != nil {
		return err
	}
	of, err := c.limitsOf(ctx, "neutron.quota.details_json", "network", "/v2.0/quotas/"+url.PathEscape(s.Project)+"/details.json")
	if canonical.CodeOf(err) == canonical.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	l.Networks, l.Subnets, l.Ports, l.Routers, l.FloatingIPs = of.Networks, of.Subnets, of.Ports, of.Routers, of.FloatingIPs
	l.NetworksUsed, l.SubnetsUsed, l.PortsUsed, l.RoutersUsed, l.FloatingIPsUsed = of.NetworksUsed, of.SubnetsUsed, of.PortsUsed, of.RoutersUsed, of.FloatingIPsUsed
	l.SecurityGroups, l.SecurityGroupRules = of.SecurityGroups, of.SecurityGroupRules
	l.SecurityGroupsUsed, l.SecurityGroupRulesUsed = of.SecurityGroupsUsed, of.SecurityGroupRulesUsed
	return nil
}

// limitsOf is what a service tells of its limits, read by a row that only hears.
func (c *Cloud) limitsOf(ctx context.Context, id, service, path string) (l canonical.Limits, err error) {
	resp, err := c.sendPlain(ctx, &translate.Request{Service: service, Method: http.MethodGet, Path: path, Header: http.Header{}})
	if err != nil {
		return l, err
	}
	for i := range c.table.Rows {
		if c.table.Rows[i].ID != id {
			continue
		}
		reply, err := c.table.Rows[i].HearReply(resp, &translate.Env{})
		if err != nil {
			return l, err
		}
		l, _ = reply.Result.(canonical.Limits)
		return l, nil
	}
	return l, canonical.Errorf(canonical.Internal, "there is no row %s", id)
}
