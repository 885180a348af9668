package native

import (
	"context"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/adapters/native/kvm"
	"github.com/dragoman-cloud/dragoman/adapters/sshkey"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// The kinds of objects in the store.
const (
	flavorKind  = "flavor"
	keypairKind = "keypair"
	serverKind  = "server"
	jobKind     = "job"
	seededKind  = "seeded"
)

// stableID is the id of what has that name, the same at every start.
func (c *Cloud) stableID(kind, name string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://dragoman.cloud/native/"+c.opts.Name+"/"+kind+"/"+name)).String()
}

// seedFlavors makes some flavors at the very first start; whoever deletes them then
// does not see them again.
func (c *Cloud) seedFlavors(ctx context.Context) error {
	err := c.opts.Store.AddObject(ctx, c.object(seededKind, flavorKind), true)
	if canonical.CodeOf(err) == canonical.AlreadyExists {
		return nil
	}
	if err != nil {
		return err
	}
	for _, f := range []canonical.FlavorCreate{
		{Name: "tiny", VCPUs: 1, RAMMiB: 256, DiskGiB: 1},
		{Name: "small", VCPUs: 1, RAMMiB: 2048, DiskGiB: 20},
		{Name: "medium", VCPUs: 2, RAMMiB: 4096, DiskGiB: 40},
		{Name: "large", VCPUs: 4, RAMMiB: 8192, DiskGiB: 80},
	} {
		f.ID = c.stableID(flavorKind, f.Name)
		if _, err := c.createFlavor(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cloud) flavors(ctx context.Context) ([]canonical.Flavor, error) {
	return store.Objects[canonical.Flavor](ctx, c.opts.Store, c.opts.Name, flavorKind)
}

func (c *Cloud) listFlavors(ctx context.Context, r canonical.FlavorList) (canonical.Page[canonical.Flavor], error) {
	all, err := c.flavors(ctx)
	if err != nil {
		return canonical.Page[canonical.Flavor]{}, err
	}
	return those(all, r.Match, r.ListOptions)
}

func (c *Cloud) getFlavor(ctx context.Context, r canonical.FlavorGet) (f canonical.Flavor, err error) {
	return f, c.opts.Store.GetObject(ctx, c.object(flavorKind, string(r.ID)), &f)
}

func (c *Cloud) createFlavor(ctx context.Context, r canonical.FlavorCreate) (canonical.Flavor, error) {
	if r.EphemeralGiB > 0 || r.SwapMiB > 0 {
		return canonical.Flavor{}, lacks("ephemeral_gib", "servers here have one disk")
	}
	if err := kvm.CheckExtraSpecs(r.ExtraSpecs); err != nil {
		return canonical.Flavor{}, err
	}
	c.flavoring.Lock()
	defer c.flavoring.Unlock()
	all, err := c.flavors(ctx)
	if err != nil {
		return canonical.Flavor{}, err
	}
	for _, f := range all {
		if f.Name == r.Name {
			return canonical.Flavor{}, canonical.Errorf(canonical.AlreadyExists, "there is a flavor %q already", r.Name)
		}
	}
	f := canonical.Flavor{
		ID: canonical.ID(r.ID), Name: r.Name, Description: optional(r.Description), VCPUs: r.VCPUs, RAMMiB: r.RAMMiB, DiskGiB: r.DiskGiB,
		Public: r.Public == nil || *r.Public, Available: true, ExtraSpecs: notNil(r.ExtraSpecs),
	}
	if f.ID == "" {
		f.ID = canonical.ID(uuid.NewString())
	}
	return f, c.opts.Store.AddObject(ctx, c.object(flavorKind, string(f.ID)), f)
}

func (c *Cloud) updateFlavor(ctx context.Context, r canonical.FlavorUpdate) (canonical.Flavor, error) {
	return c.changeFlavor(ctx, r.ID, func(f *canonical.Flavor) error {
		if !r.Description.IsZero() {
			f.Description = optional(r.Description.Or(""))
		}
		return nil
	})
}

// changeFlavor changes a flavor with nobody between; servers that were made of it stay
// as they are.
func (c *Cloud) changeFlavor(ctx context.Context, id canonical.ID, change func(*canonical.Flavor) error) (f canonical.Flavor, err error) {
	err = c.opts.Store.ChangeObject(ctx, c.object(flavorKind, string(id)), &f, func() error {
		if err := change(&f); err != nil {
			return err
		}
		return kvm.CheckExtraSpecs(f.ExtraSpecs)
	})
	return f, err
}

func (c *Cloud) getExtraSpecs(ctx context.Context, r canonical.FlavorExtraSpecsGet) (canonical.FlavorExtraSpecs, error) {
	f, err := c.getFlavor(ctx, canonical.FlavorGet(r))
	return canonical.FlavorExtraSpecs(f.ExtraSpecs), err
}

func (c *Cloud) mergeExtraSpecs(ctx context.Context, r canonical.FlavorExtraSpecsMerge) (canonical.FlavorExtraSpecs, error) {
	f, err := c.changeFlavor(ctx, r.ID, func(f *canonical.Flavor) error {
		f.ExtraSpecs = patched(f.ExtraSpecs, canonical.Some(r.ExtraSpecs))
		return nil
	})
	return canonical.FlavorExtraSpecs(f.ExtraSpecs), err
}

func (c *Cloud) setExtraSpec(ctx context.Context, r canonical.FlavorExtraSpecSet) (canonical.FlavorExtraSpecs, error) {
	return c.mergeExtraSpecs(ctx, canonical.FlavorExtraSpecsMerge{
		ID: r.ID, ExtraSpecs: map[string]canonical.Opt[string]{r.Key: canonical.Some(r.Value)},
	})
}

func (c *Cloud) deleteExtraSpec(ctx context.Context, r canonical.FlavorExtraSpecDelete) (canonical.None, error) {
	_, err := c.changeFlavor(ctx, r.ID, func(f *canonical.Flavor) error {
		if _, ok := f.ExtraSpecs[r.Key]; !ok {
			return canonical.Errorf(canonical.NotFound, "flavor %s has no extra spec %q", r.ID, r.Key)
		}
		delete(f.ExtraSpecs, r.Key)
		return nil
	})
	return canonical.None{}, err
}

func (c *Cloud) deleteFlavor(ctx context.Context, r canonical.FlavorDelete) (canonical.None, error) {
	return canonical.None{}, c.opts.Store.DeleteObject(ctx, c.object(flavorKind, string(r.ID)))
}

func (c *Cloud) listKeypairs(ctx context.Context, r canonical.KeypairList) (canonical.Page[canonical.Keypair], error) {
	all, err := store.Objects[canonical.Keypair](ctx, c.opts.Store, c.opts.Name, keypairKind)
	if err != nil {
		return canonical.Page[canonical.Keypair]{}, err
	}
	return those(all, r.Match, r.ListOptions)
}

func (c *Cloud) getKeypair(ctx context.Context, r canonical.KeypairGet) (k canonical.Keypair, err error) {
	return k, c.opts.Store.GetObject(ctx, c.object(keypairKind, string(r.ID)), &k)
}

func (c *Cloud) deleteKeypair(ctx context.Context, r canonical.KeypairDelete) (canonical.None, error) {
	return canonical.None{}, c.opts.Store.DeleteObject(ctx, c.object(keypairKind, string(r.ID)))
}

// createKeypair imports the key that is given, or makes one and tells its private
// half this once; the private half is not kept.
func (c *Cloud) createKeypair(ctx context.Context, r canonical.KeypairCreate) (canonical.Keypair, error) {
	if r.Kind == canonical.X509Key {
		return canonical.Keypair{}, lacks("kind", "keypairs here are SSH keys")
	}
	public, private := r.PublicKey, ""
	if public == "" {
		var err error
		if public, private, err = sshkey.Generate(r.Name); err != nil {
			return canonical.Keypair{}, err
		}
	}
	fingerprint, err := sshkey.Fingerprint(public)
	if err != nil {
		return canonical.Keypair{}, err
	}
	at := now()
	k := canonical.Keypair{
		ID: canonical.ID(r.Name), Name: r.Name, Kind: canonical.SSHKey, PublicKey: public, Fingerprint: fingerprint, CreatedAt: &at,
	}
	if err := c.opts.Store.AddObject(ctx, c.object(keypairKind, r.Name), k); err != nil {
		return canonical.Keypair{}, err
	}
	k.PrivateKey = optional(private)
	return k, nil
}

// lacks refuses by name what this cloud cannot do.
func lacks(field, reason string) error {
	return &canonical.Error{
		Code: canonical.Unsupported, Detail: field + ": " + reason,
		Fields: []canonical.FieldError{{Field: field, Reason: reason}},
	}
}
