package memory

import (
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func copyFlavor(f canonical.Flavor) canonical.Flavor {
	f.Description, f.ExtraSpecs = own(f.Description), maps.Clone(f.ExtraSpecs)
	return f
}

func (c *Cloud) listFlavors(r canonical.FlavorList) (canonical.TypedReply[canonical.Page[canonical.Flavor]], error) {
	return arrange(those(c.flavors, r.Match), r.ListOptions, copyFlavor)
}

func (c *Cloud) getFlavor(r canonical.FlavorGet) (canonical.TypedReply[canonical.Flavor], error) {
	return byID(c.flavors, "flavor", r.ID, copyFlavor)
}

func (c *Cloud) createFlavor(r canonical.FlavorCreate) (canonical.TypedReply[canonical.Flavor], error) {
	id := canonical.ID(or(r.ID, uuid.NewString()))
	if slices.ContainsFunc(c.flavors, func(f canonical.Flavor) bool { return f.ID == id || f.Name == r.Name }) {
		return refuse[canonical.Flavor](canonical.Errorf(canonical.AlreadyExists, "there is a flavor of that name or id already"))
	}
	f := canonical.Flavor{
		ID: id, Name: r.Name, Description: optional(r.Description), VCPUs: r.VCPUs, RAMMiB: r.RAMMiB, DiskGiB: r.DiskGiB,
		EphemeralGiB: r.EphemeralGiB, SwapMiB: r.SwapMiB, Public: r.Public == nil || *r.Public,
		ExtraSpecs: notNil(maps.Clone(r.ExtraSpecs)), Available: true,
	}
	c.flavors = append(c.flavors, f)
	return reply(copyFlavor(f), nil)
}

// deleteFlavor lets servers keep the shape that they were made with.
func (c *Cloud) deleteFlavor(r canonical.FlavorDelete) (canonical.TypedReply[canonical.None], error) {
	n := len(c.flavors)
	c.flavors = slices.DeleteFunc(c.flavors, func(f canonical.Flavor) bool { return f.ID == r.ID })
	if len(c.flavors) == n {
		return refuse[canonical.None](canonical.Errorf(canonical.NotFound, "there is no flavor %s", r.ID))
	}
	return reply(canonical.None{}, nil)
}

func (c *Cloud) handleFlavors() {
	handle(c, canonical.ListFlavors, c.listFlavors)
	handle(c, canonical.GetFlavor, c.getFlavor)
	handle(c, canonical.CreateFlavor, c.createFlavor)
	handle(c, canonical.UpdateFlavor, c.updateFlavor)
	handle(c, canonical.DeleteFlavor, c.deleteFlavor)
	handle(c, canonical.ListFlavorAccess, c.listFlavorAccess)
	handle(c, canonical.GrantFlavorAccess, c.grantFlavorAccess)
	handle(c, canonical.RevokeFlavorAccess, c.revokeFlavorAccess)
	handle(c, canonical.GetFlavorExtraSpecs, c.getExtraSpecs)
	handle(c, canonical.MergeFlavorExtraSpecs, c.mergeExtraSpecs)
	handle(c, canonical.SetFlavorExtraSpec, c.setExtraSpec)
	handle(c, canonical.DeleteFlavorExtraSpec, c.deleteExtraSpec)
}

// findFlavor is the flavor of that id; it is good until the lock is given up.
func (c *Cloud) findFlavor(id canonical.ID) (*canonical.Flavor, error) {
	i := slices.IndexFunc(c.flavors, func(f canonical.Flavor) bool { return f.ID == id })
	if i < 0 {
		return nil, canonical.Errorf(canonical.NotFound, "there is no flavor %s", id)
	}
	return &c.flavors[i], nil
}

func (c *Cloud) updateFlavor(r canonical.FlavorUpdate) (canonical.TypedReply[canonical.Flavor], error) {
	f, err := c.findFlavor(r.ID)
	if err != nil {
		return refuse[canonical.Flavor](err)
	}
	f.Description = merged(f.Description, r.Description)
	return reply(copyFlavor(*f), nil)
}
