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
