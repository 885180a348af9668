package memory

import (
	"maps"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func (c *Cloud) getExtraSpecs(r canonical.FlavorExtraSpecsGet) (canonical.TypedReply[canonical.FlavorExtraSpecs], error) {
	return c.mergeExtraSpecs(canonical.FlavorExtraSpecsMerge{ID: r.ID})
}

func (c *Cloud) mergeExtraSpecs(r canonical.FlavorExtraSpecsMerge) (canonical.TypedReply[canonical.FlavorExtraSpecs], error) {
	f, err := c.findFlavor(r.ID)
	if err != nil {
		return refuse[canonical.FlavorExtraSpecs](err)
	}
	f.ExtraSpecs = mergedMap(f.ExtraSpecs, canonical.Some(r.ExtraSpecs))
	return reply(canonical.FlavorExtraSpecs(maps.Clone(f.ExtraSpecs)), nil)
}

func (c *Cloud) setExtraSpec(r canonical.FlavorExtraSpecSet) (canonical.TypedReply[canonical.FlavorExtraSpecs], error) {
	return c.mergeExtraSpecs(canonical.FlavorExtraSpecsMerge{
		ID: r.ID, ExtraSpecs: map[string]canonical.Opt[string]{r.Key: canonical.Some(r.Value)},
	})
}

func (c *Cloud) deleteExtraSpec(r canonical.FlavorExtraSpecDelete) (canonical.TypedReply[canonical.None], error) {
	f, err := c.findFlavor(r.ID)
	if err != nil {
		return refuse[canonical.None](err)
	}
	if _, ok := f.ExtraSpecs[r.Key]; !ok {
		return refuse[canonical.None](canonical.Errorf(canonical.NotFound, "flavor %s has no extra spec %s", r.ID, r.Key))
	}
	delete(f.ExtraSpecs, r.Key)
	return reply(canonical.None{}, nil)
}

func (c *Cloud) listFlavorAccess(r canonical.FlavorAccessList) (canonical.TypedReply[canonical.FlavorAccess], error) {
	f, err := c.findFlavor(r.ID)
	switch {
	case err != nil:
		return refuse[canonical.FlavorAccess](err)
	case f.Public:
		return refuse[canonical.FlavorAccess](canonical.Errorf(canonical.NotFound, "Access list not available for public flavors."))
	}
	return c.access(f)
}

func (c *Cloud) access(f *canonical.Flavor) (canonical.TypedReply[canonical.FlavorAccess], error) {
	return reply(canonical.FlavorAccess{Projects: append([]canonical.Project{}, c.granted[f.ID]...)}, nil)
}

func (c *Cloud) grantFlavorAccess(r canonical.FlavorAccessGrant) (canonical.TypedReply[canonical.FlavorAccess], error) {
	f, err := c.findFlavor(r.ID)
	switch {
	case err != nil:
		return refuse[canonical.FlavorAccess](err)
	case f.Public:
		return refuse[canonical.FlavorAccess](canonical.Errorf(canonical.Conflict, "Can not add access to a public flavor."))
	case slices.Contains(c.granted[r.ID], r.Project):
		return refuse[canonical.FlavorAccess](canonical.Errorf(canonical.AlreadyExists, "project %s may use flavor %s already", r.Project, r.ID))
	}
	c.granted[r.ID] = append(c.granted[r.ID], r.Project)
	return c.access(f)
}

func (c *Cloud) revokeFlavorAccess(r canonical.FlavorAccessRevoke) (canonical.TypedReply[canonical.FlavorAccess], error) {
	f, err := c.findFlavor(r.ID)
	switch {
	case err != nil:
		return refuse[canonical.FlavorAccess](err)
	case f.Public:
		return refuse[canonical.FlavorAccess](canonical.Errorf(canonical.Conflict, "Can not remove access from a public flavor."))
	case !slices.Contains(c.granted[r.ID], r.Project):
		return refuse[canonical.FlavorAccess](canonical.Errorf(canonical.NotFound, "project %s may not use flavor %s", r.Project, r.ID))
	}
	c.granted[r.ID] = slices.DeleteFunc(c.granted[r.ID], func(p canonical.Project) bool { return p == r.Project })
	return c.access(f)
}
