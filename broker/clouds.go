package broker

import (
	"context"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// info is the cloud as the tenant's account shows it. Asking what it offers may ask
// the cloud itself, once, and so has the time of one call.
func (v *view) info(ctx context.Context) canonical.CloudInfo {
	ctx, cancel := v.deadline(ctx)
	defer cancel()
	i := canonical.CloudInfo{
		ID: canonical.ID(v.m.Name), Name: v.m.Name, Dialect: v.m.Dialect, Region: v.m.Region, Labels: v.m.Labels,
		Capabilities: map[string]canonical.Support{},
	}
	if i.Labels == nil {
		i.Labels = map[string]string{}
	}
	for _, op := range canonical.Ops() {
		if s := v.cloud.Support(ctx, op); s.Level != canonical.Undeclared {
			i.Capabilities[op.Name] = s
		}
	}
	h := canonical.HealthOf(v.cloud)
	i.Status, i.Breaker, i.Versions = h.Status, h.Breaker, h.Versions
	if h.Latency > 0 {
		ms := float64(h.Latency.Microseconds()) / 1000
		i.LatencyMS = &ms
	}
	return i
}

func (b *Broker) listClouds(ctx context.Context, r canonical.CloudList) (out canonical.TypedReply[canonical.Page[canonical.CloudInfo]], err error) {
	views, err := b.views(ctx)
	if err != nil {
		return out, err
	}
	all := each(views, func(v *view) canonical.CloudInfo { return v.info(ctx) })
	all = slices.DeleteFunc(all, func(i canonical.CloudInfo) bool { return !r.Match(&i) })
	out.Result, err = canonical.Arrange(all, r.ListOptions)
	return out, err
}

func (b *Broker) getCloud(ctx context.Context, r canonical.CloudGet) (out canonical.TypedReply[canonical.CloudInfo], err error) {
	views, err := b.views(ctx)
	if err != nil {
		return out, err
	}
	for _, v := range views {
		if v.m.Name == r.Cloud {
			out.Result = v.info(ctx)
			return out, nil
		}
	}
	return out, canonical.Errorf(canonical.NotFound, "there is no cloud %q", r.Cloud)
}
