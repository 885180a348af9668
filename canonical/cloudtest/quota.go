package cloudtest

import "github.com/dragoman-cloud/dragoman/canonical"

// testQuotas: what is set is told, and holds.
func testQuotas(k *check) {
	k.needs(canonical.GetQuota.Spec(), canonical.GetQuotaDefaults.Spec(), canonical.UpdateQuota.Spec(), canonical.ResetQuota.Spec())
	project := k.h.Project
	if project == "" {
		project = canonical.OwnProject
	}
	before := do(k, canonical.GetQuota, canonical.QuotaGet{Project: project})
	if before.ID == "" {
		k.errorf("quota.get gave %+v", before)
	}
	defaults := do(k, canonical.GetQuotaDefaults, canonical.QuotaDefaultsGet{Project: project})
	if before.ServerGroups != nil && *before.ServerGroups != intOf(defaults.ServerGroups) {
		k.fatalf("somebody has set a quota of %d server groups", *before.ServerGroups)
	}
	used := intOf(before.ServerGroupsUsed)
	r, err := canonical.UpdateQuota.Do(k.ctx, k.cloud, canonical.QuotaUpdate{Project: project, ServerGroups: canonical.Some(used)})
	k.operators("quota.update", err)
	k.undo = append(k.undo, func(k *check) { do(k, canonical.ResetQuota, canonical.QuotaReset{Project: project}) })
	if err != nil || intOf(r.Result.ServerGroups) != used || r.Result.ServerGroups == nil {
		k.fatalf("quota.update gave %+v, %v", r.Result, err)
	}
	if got := do(k, canonical.GetQuota, canonical.QuotaGet{Project: project}); got.ServerGroups == nil || *got.ServerGroups != used || intOf(got.Servers) != intOf(before.Servers) {
		k.errorf("quota.get after quota.update gave %+v", got)
	}
	if k.offers(canonical.CreateServerGroup.Spec()) {
		err := try(k, canonical.CreateServerGroup, canonical.ServerGroupCreate{Name: k.name("group"), Policy: canonical.Affinity})
		k.code("a group over the quota", err, canonical.QuotaExceeded)
	}
	if got := do(k, canonical.UpdateQuota, canonical.QuotaUpdate{Project: project, ServerGroups: canonical.Null[int]()}); got.ServerGroups != nil {
		k.errorf("without a limit the quota is %+v", got)
	}
	k.refused("a negative quota", try(k, canonical.UpdateQuota, canonical.QuotaUpdate{Project: project, VCPUs: canonical.Some(-5)}), "vcpus")
	do(k, canonical.ResetQuota, canonical.QuotaReset{Project: project})
	if got := do(k, canonical.GetQuota, canonical.QuotaGet{Project: project}); intOf(got.ServerGroups) != intOf(defaults.ServerGroups) {
		k.errorf("after quota.reset the quota is %+v", got)
	}
}

// testQuotaDefaults: what every project has is changed for all that were given nothing
// else.
func testQuotaDefaults(k *check) {
	k.needs(canonical.GetQuota.Spec(), canonical.GetQuotaDefaults.Spec(), canonical.UpdateQuotaDefaults.Spec())
	before := do(k, canonical.GetQuotaDefaults, canonical.QuotaDefaultsGet{Project: canonical.OwnProject})
	set := func(n canonical.Opt[int]) (canonical.Quota, error) {
		r, err := canonical.UpdateQuotaDefaults.Do(k.ctx, k.cloud, canonical.QuotaDefaultsUpdate{Project: canonical.OwnProject, ServerGroupMembers: n})
		return r.Result, err
	}
	want := intOf(before.ServerGroupMembers) + 3
	got, err := set(canonical.Some(want))
	k.operators("quota.update_defaults", err)
	k.undo = append(k.undo, func(k *check) {
		if _, err := set(canonical.Some(want - 3)); err != nil {
			k.errorf("putting the defaults back: %v", err)
		}
	})
	if err != nil || intOf(got.ServerGroupMembers) != want {
		k.fatalf("quota.update_defaults gave %+v, %v", got, err)
	}
	after := do(k, canonical.GetQuotaDefaults, canonical.QuotaDefaultsGet{Project: canonical.OwnProject})
	if intOf(after.ServerGroupMembers) != want || intOf(after.Servers) != intOf(before.Servers) {
		k.errorf("quota.get_defaults after quota.update_defaults gave %+v", after)
	}
	if q := do(k, canonical.GetQuota, canonical.QuotaGet{Project: canonical.OwnProject}); intOf(q.ServerGroupMembers) != want {
		k.errorf("a project without a quota of its own has %+v", q)
	}
	_, err = set(canonical.Some(-5))
	k.refused("a negative default", err, "server_group_members")
}

func intOf(n *int) int {
	if n == nil {
		return -1
	}
	return *n
}
