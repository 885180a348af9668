package cloudtest

import (
	"slices"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// importedKey is a public key whose private half nobody kept.
const importedKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

func needKeypairs(k *check) {
	k.needs(canonical.CreateKeypair.Spec(), canonical.GetKeypair.Spec(), canonical.ListKeypairs.Spec(), canonical.DeleteKeypair.Spec())
}

func testKeypairs(k *check) {
	needKeypairs(k)
	name := k.name("key")
	made := k.keypair(canonical.KeypairCreate{Name: name, PublicKey: importedKey})
	if made.Name != name || made.Kind != canonical.SSHKey || made.Fingerprint == "" || made.PrivateKey != nil {
		k.errorf("the imported keypair is %+v", made)
	}
	got := do(k, canonical.GetKeypair, canonical.KeypairGet{ID: made.ID})
	if got.Name != name || !strings.HasPrefix(got.PublicKey, importedKey) || got.Fingerprint != made.Fingerprint {
		k.errorf("keypair.get gave %+v", got)
	}
	testLists(k, func(o canonical.ListOptions, name, prefix string) canonical.Page[canonical.Keypair] {
		return do(k, canonical.ListKeypairs, canonical.KeypairList{ListOptions: o, Name: name, NamePrefix: prefix})
	})
	items := do(k, canonical.ListKeypairs, canonical.KeypairList{Name: name}).Items
	if !slices.ContainsFunc(items, func(l canonical.Keypair) bool { return l.ID == made.ID && l.PrivateKey == nil }) {
		k.errorf("the list by name holds %+v", items)
	}
	refuseKeypair := func(r canonical.KeypairCreate) error {
		_, err := canonical.CreateKeypair.Do(k.ctx, k.cloud, r)
		return err
	}
	k.code("a keypair whose name is taken", refuseKeypair(canonical.KeypairCreate{Name: name, PublicKey: importedKey}), canonical.AlreadyExists)
	k.refused("a keypair that is no key", refuseKeypair(canonical.KeypairCreate{Name: k.name("bad"), PublicKey: "no key"}), "public_key")
	k.refused("a keypair without a name", refuseKeypair(canonical.KeypairCreate{PublicKey: importedKey}), "name")
	k.refused("a keypair of an unknown kind", refuseKeypair(canonical.KeypairCreate{Name: k.name("bad"), Kind: "odd"}), "kind")
	do(k, canonical.DeleteKeypair, canonical.KeypairDelete{ID: made.ID})
	k.code("keypair.get after keypair.delete", try(k, canonical.GetKeypair, canonical.KeypairGet{ID: made.ID}), canonical.NotFound)
	k.code("the second keypair.delete", try(k, canonical.DeleteKeypair, canonical.KeypairDelete{ID: made.ID}), canonical.NotFound)
}

// testGeneratedKeypair: the private half of a key that the cloud makes is told once.
func testGeneratedKeypair(k *check) {
	needKeypairs(k)
	r, err := canonical.CreateKeypair.Do(k.ctx, k.cloud, canonical.KeypairCreate{Name: k.name("generated")})
	if err != nil {
		k.code("a keypair without a public key", err, canonical.Unsupported)
		k.skipped = "keys are imported only"
		return
	}
	made := r.Result
	k.undo = append(k.undo, func(k *check) { k.deleteKeypair(made.ID) })
	if made.PrivateKey == nil || !strings.Contains(*made.PrivateKey, "PRIVATE KEY") || made.PublicKey == "" {
		k.errorf("the generated keypair lacks a half: public %q", made.PublicKey)
	}
	if got := do(k, canonical.GetKeypair, canonical.KeypairGet{ID: made.ID}); got.PrivateKey != nil || got.Fingerprint != made.Fingerprint {
		k.errorf("the private half is told twice, or the fingerprint %q became %q", made.Fingerprint, got.Fingerprint)
	}
	for _, listed := range do(k, canonical.ListKeypairs, canonical.KeypairList{Name: made.Name}).Items {
		if listed.PrivateKey != nil {
			k.errorf("the list tells the private half")
		}
	}
}

// keypair makes a keypair and has it deleted in the end.
func (k *check) keypair(r canonical.KeypairCreate) canonical.Keypair {
	made := do(k, canonical.CreateKeypair, r)
	k.undo = append(k.undo, func(k *check) { k.deleteKeypair(made.ID) })
	return made
}

func (k *check) deleteKeypair(id canonical.ID) {
	if err := try(k, canonical.DeleteKeypair, canonical.KeypairDelete{ID: id}); err != nil && canonical.CodeOf(err) != canonical.NotFound {
		k.errorf("cleaning up keypair %s: %v", id, err)
	}
}
