package memory

import (
	"github.com/dragoman-cloud/dragoman/adapters/sshkey"
	"github.com/dragoman-cloud/dragoman/canonical"
)

func (c *Cloud) listKeypairs(r canonical.KeypairList) (canonical.TypedReply[canonical.Page[canonical.Keypair]], error) {
	found := make([]canonical.Keypair, 0, len(c.keypairs))
	for _, k := range c.keypairs {
		if r.Match(&k) {
			found = append(found, k)
		}
	}
	return arrange(found, r.ListOptions, copyKeypair)
}

func copyKeypair(k canonical.Keypair) canonical.Keypair {
	k.CreatedAt = own(k.CreatedAt)
	return k
}

func (c *Cloud) getKeypair(r canonical.KeypairGet) (canonical.TypedReply[canonical.Keypair], error) {
	k, ok := c.keypairs[string(r.ID)]
	if !ok {
		return refuse[canonical.Keypair](noKeypair(r.ID))
	}
	return reply(copyKeypair(k), nil)
}

func (c *Cloud) deleteKeypair(r canonical.KeypairDelete) (canonical.TypedReply[canonical.None], error) {
	if _, ok := c.keypairs[string(r.ID)]; !ok {
		return refuse[canonical.None](noKeypair(r.ID))
	}
	delete(c.keypairs, string(r.ID))
	return reply(canonical.None{}, nil)
}

func noKeypair(id canonical.ID) error {
	return canonical.Errorf(canonical.NotFound, "there is no keypair %s", id)
}

// createKeypair imports the key that is given, or makes one and tells its private
// half this once; the private half is not kept.
func (c *Cloud) createKeypair(r canonical.KeypairCreate) (canonical.TypedReply[canonical.Keypair], error) {
	if r.Kind == canonical.X509Key {
		return refuse[canonical.Keypair](lacksField("kind"))
	}
	if _, taken := c.keypairs[r.Name]; taken {
		return refuse[canonical.Keypair](canonical.Errorf(canonical.AlreadyExists, "there is a keypair %q already", r.Name))
	}
	if over(len(c.keypairs)+1, c.quota.keypairs) {
		return refuse[canonical.Keypair](canonical.Errorf(canonical.QuotaExceeded, "Quota exceeded, too many key pairs."))
	}
	public, private := r.PublicKey, (*string)(nil)
	if public == "" {
		made, secret, err := sshkey.Generate(r.Name)
		if err != nil {
			return refuse[canonical.Keypair](err)
		}
		public, private = made, &secret
	}
	fingerprint, err := sshkey.Fingerprint(public)
	if err != nil {
		return refuse[canonical.Keypair](err)
	}
	now := c.now()
	k := canonical.Keypair{
		ID: canonical.ID(r.Name), Name: r.Name, Kind: canonical.SSHKey, PublicKey: public,
		Fingerprint: fingerprint, CreatedAt: &now,
	}
	c.keypairs[r.Name] = k
	k = copyKeypair(k)
	k.PrivateKey = private
	return reply(k, nil)
}
