package cloudtest

import (
	"maps"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// ownFlavor makes a flavor that is not public, or skips the test.
func (k *check) ownFlavor(specs map[string]string) canonical.ID {
	k.needs(canonical.CreateFlavor.Spec(), canonical.GetFlavor.Spec(), canonical.DeleteFlavor.Spec())
	no := false
	made, err := k.flavor(canonical.FlavorCreate{Name: k.name("flavor"), VCPUs: 1, RAMMiB: 64, Public: &no, ExtraSpecs: specs})
	k.operators("flavor.create", err)
	if err != nil {
		k.fatalf("flavor.create: %v", err)
	}
	return made.ID
}

func testFlavorUpdate(k *check) {
	k.needs(canonical.UpdateFlavor.Spec())
	id := k.ownFlavor(nil)
	for _, want := range []canonical.Opt[string]{canonical.Some("说明"), canonical.Some("x"), canonical.Null[string]()} {
		made := do(k, canonical.UpdateFlavor, canonical.FlavorUpdate{ID: id, Description: want})
		got := do(k, canonical.GetFlavor, canonical.FlavorGet{ID: id})
		for what, f := range map[string]canonical.Flavor{"flavor.update": made, "flavor.get": got} {
			if text(f.Description) != want.Or("") || want.IsNull() != (f.Description == nil) || f.VCPUs != 1 {
				k.errorf("%s gave %+v, want the description %q", what, f, want.Or("null"))
			}
		}
	}
	k.code("flavor.update of an unknown flavor", try(k, canonical.UpdateFlavor, canonical.FlavorUpdate{ID: unknown, Description: canonical.Some("x")}), canonical.NotFound)
}

func testFlavorExtraSpecs(k *check) {
	k.needs(canonical.GetFlavorExtraSpecs.Spec(), canonical.MergeFlavorExtraSpecs.Spec(), canonical.SetFlavorExtraSpec.Spec(), canonical.DeleteFlavorExtraSpec.Spec())
	id := k.ownFlavor(map[string]string{"cloudtest:a": "1", "cloudtest:b": "2"})
	is := func(want map[string]string) {
		got := do(k, canonical.GetFlavorExtraSpecs, canonical.FlavorExtraSpecsGet{ID: id})
		if f := do(k, canonical.GetFlavor, canonical.FlavorGet{ID: id}); !maps.Equal(got, want) || !maps.Equal(f.ExtraSpecs, want) {
			k.errorf("the extra specs are %v, and of the flavor %v, want %v", got, f.ExtraSpecs, want)
		}
	}
	is(map[string]string{"cloudtest:a": "1", "cloudtest:b": "2"})
	want := map[string]string{"cloudtest:b": "3", "cloudtest:c": "4"}
	got := do(k, canonical.MergeFlavorExtraSpecs, canonical.FlavorExtraSpecsMerge{ID: id, ExtraSpecs: map[string]canonical.Opt[string]{
		"cloudtest:a": canonical.Null[string](), "cloudtest:b": canonical.Some("3"), "cloudtest:c": canonical.Some("4"), "cloudtest:none": canonical.Null[string](),
	}})
	if !maps.Equal(got, want) {
		k.errorf("flavor_extra_specs.merge gave %v, want %v", got, want)
	}
	is(want)
	want["cloudtest:b"] = "5"
	if got := do(k, canonical.SetFlavorExtraSpec, canonical.FlavorExtraSpecSet{ID: id, Key: "cloudtest:b", Value: "5"}); !maps.Equal(got, want) {
		k.errorf("flavor_extra_specs.set gave %v, want %v", got, want)
	}
	remove := canonical.FlavorExtraSpecDelete{ID: id, Key: "cloudtest:c"}
	do(k, canonical.DeleteFlavorExtraSpec, remove)
	delete(want, "cloudtest:c")
	is(want)
	k.code("taking out what is not there", try(k, canonical.DeleteFlavorExtraSpec, remove), canonical.NotFound)
	k.refused("a key with a slash", try(k, canonical.SetFlavorExtraSpec, canonical.FlavorExtraSpecSet{ID: id, Key: "a/b", Value: "x"}), "extra_specs")
	k.code("the extra specs of an unknown flavor", try(k, canonical.GetFlavorExtraSpecs, canonical.FlavorExtraSpecsGet{ID: unknown}), canonical.NotFound)
}

func testFlavorAccess(k *check) {
	k.needs(canonical.ListFlavorAccess.Spec(), canonical.GrantFlavorAccess.Spec(), canonical.RevokeFlavorAccess.Spec())
	id := k.ownFlavor(nil)
	// Projects are the cloud's own; one that does not exist may be refused.
	grant := canonical.FlavorAccessGrant{ID: id, Project: k.h.Project}
	if grant.Project == "" {
		grant.Project = "cloudtest"
	}
	before := do(k, canonical.ListFlavorAccess, canonical.FlavorAccessList{ID: id}).Projects
	if slices.Contains(before, grant.Project) {
		k.fatalf("a new flavor is for %v", before)
	}
	if got := do(k, canonical.GrantFlavorAccess, grant).Projects; !slices.Contains(got, grant.Project) {
		k.errorf("flavor.grant_access gave %v", got)
	}
	if got := do(k, canonical.ListFlavorAccess, canonical.FlavorAccessList{ID: id}).Projects; !slices.Contains(got, grant.Project) {
		k.errorf("flavor.list_access gave %v", got)
	}
	k.code("the same access again", try(k, canonical.GrantFlavorAccess, grant), canonical.AlreadyExists, canonical.Conflict)
	revoke := canonical.FlavorAccessRevoke{ID: id, Project: grant.Project}
	if got := do(k, canonical.RevokeFlavorAccess, revoke).Projects; slices.Contains(got, grant.Project) {
		k.errorf("flavor.revoke_access gave %v", got)
	}
	k.code("revoking what was not granted", try(k, canonical.RevokeFlavorAccess, revoke), canonical.NotFound)
	k.code("the access of an unknown flavor", try(k, canonical.ListFlavorAccess, canonical.FlavorAccessList{ID: unknown}), canonical.NotFound)
}
