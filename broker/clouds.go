package broker

import (
	"context"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func (v *view) info(ctx context.Context) canonical.CloudInfo {
	labels := v.m.Labels
	if labels == nil {
		labels = map[string]string{}
	}
	i := canonical.CloudInfo{
		ID: canonical.ID(v.m.Name), Name: v.m.Name, Dialect: v.m.Dialect, Region: v.m.Region, Labels: labels,
		Status: canonical.CloudUp, Breaker: "closed", Capabilities: map[string]canonical.Support{}, Versions: map[string]string{},
	}
	for _, op := range canonical.Ops() {
		if s := v.cloud.Support(ctx, op); s.Level != canonical.Undeclared {
			i.Capabilities[op.Name] = s
		}
	}
	return i
}

func (b *Broker) listClouds(ctx context.Context, r canonical.CloudList) (out canonical.TypedReply[canonical.Page[canonical.CloudInfo]], err error) {
	views, err := b.views(ctx)
	if err != nil {
		return out, err
	}
	var all []canonical.CloudInfo
	for _, v := range views {
		if i := v.info(ctx); r.Match(&i) {
			all = append(all, i)
		}
	}
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
