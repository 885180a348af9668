package memory

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"strings"

	"golang.org/x/crypto/ssh"

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
	public, private := r.PublicKey, (*string)(nil)
	if public == "" {
		var err error
		if public, private, err = generate(r.Name); err != nil {
			return refuse[canonical.Keypair](err)
		}
	}
	fingerprint, err := fingerprintOf(public)
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

// generate makes an ed25519 key: the public half as authorized_keys has it, the
// private half in OpenSSH's own format.
func generate(comment string) (public string, private *string, err error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", nil, canonical.Errorf(canonical.Internal, "key generation: %w", err)
	}
	sshPub, err := ssh.NewPublicKey(pub)
	if err != nil {
		return "", nil, canonical.Errorf(canonical.Internal, "key generation: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(priv, comment)
	if err != nil {
		return "", nil, canonical.Errorf(canonical.Internal, "key generation: %w", err)
	}
	text := string(pem.EncodeToMemory(block))
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshPub))), &text, nil
}

// fingerprintOf is the MD5 fingerprint with colons, as Nova shows it.
func fingerprintOf(public string) (string, error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(public))
	if err != nil {
		return "", canonical.Invalid("public_key", "is not a public key in OpenSSH's format")
	}
	switch key.Type() {
	case ssh.KeyAlgoRSA, ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521:
		return ssh.FingerprintLegacyMD5(key), nil
	default:
		return "", canonical.Invalid("public_key", "is of type %s: RSA, ECDSA and ed25519 keys are taken", key.Type())
	}
}
