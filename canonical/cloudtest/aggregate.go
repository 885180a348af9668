package cloudtest

import (
	"maps"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func testAggregates(k *check) {
	k.needs(canonical.ListAggregates.Spec(), canonical.GetAggregate.Spec(), canonical.CreateAggregate.Spec(), canonical.UpdateAggregate.Spec(),
		canonical.DeleteAggregate.Spec(), canonical.AddAggregateHost.Spec(), canonical.RemoveAggregateHost.Spec(), canonical.SetAggregateMetadata.Spec())
	name := k.name("aggregate")
	r, err := canonical.CreateAggregate.Do(k.ctx, k.cloud, canonical.AggregateCreate{Name: name})
	k.operators("aggregate.create", err)
	if err != nil {
		k.fatalf("aggregate.create: %v", err)
	}
	made := r.Result
	k.undo = append(k.undo, func(k *check) { _ = try(k, canonical.DeleteAggregate, canonical.AggregateDelete{ID: made.ID}) })
	k.whole("aggregate.create", made)
	got := do(k, canonical.GetAggregate, canonical.AggregateGet{ID: made.ID})
	if got.ID != made.ID || got.Name != name || len(got.Hosts) != 0 || got.AvailabilityZone != nil {
		k.errorf("aggregate.get gave %+v", got)
	}
	if items := do(k, canonical.ListAggregates, canonical.AggregateList{Name: name}).Items; len(items) != 1 || items[0].ID != made.ID {
		k.errorf("the list by name holds %+v", items)
	}
	k.code("a name that is taken", try(k, canonical.CreateAggregate, canonical.AggregateCreate{Name: name}), canonical.AlreadyExists, canonical.Conflict)
	if a := do(k, canonical.UpdateAggregate, canonical.AggregateUpdate{ID: made.ID, Name: canonical.Some(name + "x")}); a.Name != name+"x" {
		k.errorf("aggregate.update gave %+v", a)
	}
	changes := map[string]canonical.Opt[string]{"a": canonical.Some("1"), "b": canonical.Some("2")}
	do(k, canonical.SetAggregateMetadata, canonical.AggregateSetMetadata{ID: made.ID, Metadata: changes})
	a := do(k, canonical.SetAggregateMetadata, canonical.AggregateSetMetadata{ID: made.ID, Metadata: map[string]canonical.Opt[string]{"a": canonical.Null[string]()}})
	if !maps.Equal(a.Metadata, map[string]string{"b": "2"}) {
		k.errorf("aggregate.set_metadata gave %v", a.Metadata)
	}
	k.code("an unknown host", try(k, canonical.AddAggregateHost, canonical.AggregateAddHost{ID: made.ID, Host: "cloudtest-none"}), canonical.NotFound)
	k.hostsOf(made.ID)
	do(k, canonical.DeleteAggregate, canonical.AggregateDelete{ID: made.ID})
	k.code("aggregate.get after aggregate.delete", try(k, canonical.GetAggregate, canonical.AggregateGet{ID: made.ID}), canonical.NotFound)
}

// hostsOf puts a host into an aggregate and takes it out.
func (k *check) hostsOf(id canonical.ID) {
	services := do(k, canonical.ListComputeServices, canonical.ComputeServiceList{}).Items
	i := slices.IndexFunc(services, func(s canonical.ComputeService) bool { return s.Zone != nil && *s.Zone != "internal" })
	if i < 0 {
		return
	}
	host := services[i].Host
	if a := do(k, canonical.AddAggregateHost, canonical.AggregateAddHost{ID: id, Host: host}); !slices.Equal(a.Hosts, []string{host}) {
		k.errorf("aggregate.add_host gave %v", a.Hosts)
	}
	k.code("a host that it has", try(k, canonical.AddAggregateHost, canonical.AggregateAddHost{ID: id, Host: host}), canonical.AlreadyExists, canonical.Conflict)
	if err := try(k, canonical.DeleteAggregate, canonical.AggregateDelete{ID: id}); err == nil {
		k.errorf("an aggregate with hosts was deleted")
	}
	if a := do(k, canonical.RemoveAggregateHost, canonical.AggregateRemoveHost{ID: id, Host: host}); len(a.Hosts) != 0 {
		k.errorf("aggregate.remove_host gave %v", a.Hosts)
	}
	k.code("a host that it lacks", try(k, canonical.RemoveAggregateHost, canonical.AggregateRemoveHost{ID: id, Host: host}), canonical.NotFound)
}

func testComputeServices(k *check) {
	k.needs(canonical.ListComputeServices.Spec(), canonical.EnableComputeService.Spec(), canonical.DisableComputeService.Spec(), canonical.UpdateComputeService.Spec())
	r, err := canonical.ListComputeServices.Do(k.ctx, k.cloud, canonical.ComputeServiceList{})
	k.operators("compute_service.list", err)
	if err != nil || len(r.Result.Items) == 0 {
		k.fatalf("compute_service.list: %v, %v", r.Result.Items, err)
	}
	k.whole("compute_service.list", r.Result)
	i := slices.IndexFunc(r.Result.Items, func(s canonical.ComputeService) bool { return s.Zone != nil && *s.Zone != "internal" })
	s := r.Result.Items[max(i, 0)]
	k.undo = append(k.undo, func(k *check) {
		do(k, canonical.UpdateComputeService, canonical.ComputeServiceUpdate{ID: s.ID, ForcedDown: canonical.Some(false)})
		do(k, canonical.EnableComputeService, canonical.ComputeServiceEnable{ID: s.ID})
	})
	if got := do(k, canonical.DisableComputeService, canonical.ComputeServiceDisable{ID: s.ID, Reason: "cloudtest"}); got.Status != "disabled" || text(got.DisabledReason) != "cloudtest" {
		k.errorf("compute_service.disable gave %+v", got)
	}
	if got := do(k, canonical.UpdateComputeService, canonical.ComputeServiceUpdate{ID: s.ID, ForcedDown: canonical.Some(true)}); !got.ForcedDown || got.State != "down" {
		k.errorf("compute_service.update gave %+v", got)
	}
	if got := do(k, canonical.EnableComputeService, canonical.ComputeServiceEnable{ID: s.ID}); got.Status != "enabled" || got.DisabledReason != nil || got.Host != s.Host {
		k.errorf("compute_service.enable gave %+v", got)
	}
	k.code("an unknown service", try(k, canonical.EnableComputeService, canonical.ComputeServiceEnable{ID: unknown}), canonical.NotFound)
}

func testHosts(k *check) {
	k.needs(canonical.ListHosts.Spec())
	r, err := canonical.ListHosts.Do(k.ctx, k.cloud, canonical.HostList{})
	k.operators("host.list", err)
	if err != nil || len(r.Result.Items) == 0 {
		k.fatalf("host.list: %v, %v", r.Result.Items, err)
	}
	for _, h := range r.Result.Items {
		if h.ID == "" || h.Name == "" || h.Service == "" {
			k.errorf("the host is incomplete: %+v", h)
		}
	}
}
