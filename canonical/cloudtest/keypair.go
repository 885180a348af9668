package cloudtest

import (
	"slices"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// importedKey is a public key whose private half nobody kept.
const importedKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

func testKeypairs(k *check) {
	k.needs(canonical.CreateKeypair.Spec(), canonical.GetKeypair.Spec(), canonical.ListKeypairs.Spec(), canonical.DeleteKeypair.Spec())
	name := k.name("key")
	made := k.keypair(canonical.KeypairCreate{Name: name, PublicKey: importedKey})
	if made.Name != name || made.Kind != canonical.SSHKey || made.Fingerprint == "" || made.PrivateKey != nil {
		k.errorf("the imported keypair is %+v", made)
	}
	got := do(k, canonical.GetKeypair, canonical.KeypairGet{ID: made.ID})
	if got.Name != name || !strings.HasPrefix(got.PublicKey, importedKey) || got.Fingerprint != made.Fingerprint {
		k.errorf("keypair.get gave %+v", got)
	}
	_, err := canonical.CreateKeypair.Do(k.ctx, k.cloud, canonical.KeypairCreate{Name: name, PublicKey: importedKey})
	k.code("a keypair whose name is taken", err, canonical.AlreadyExists)
	_, err = canonical.CreateKeypair.Do(k.ctx, k.cloud, canonical.KeypairCreate{Name: k.name("bad"), PublicKey: "no key"})
	k.code("a keypair that is no key", err, canonical.InvalidRequest)
	items := do(k, canonical.ListKeypairs, canonical.KeypairList{Name: name}).Items
	if !slices.ContainsFunc(items, func(l canonical.Keypair) bool { return l.ID == made.ID && l.PrivateKey == nil }) {
		k.errorf("the list by name holds %+v", items)
	}
	do(k, canonical.DeleteKeypair, canonical.KeypairDelete{ID: made.ID})
	k.code("keypair.get after keypair.delete", try(k, canonical.GetKeypair, canonical.KeypairGet{ID: made.ID}), canonical.NotFound)
}

// keypair makes a keypair and has it deleted in the end.
func (k *check) keypair(r canonical.KeypairCreate) canonical.Keypair {
	made := do(k, canonical.CreateKeypair, r)
	k.undo = append(k.undo, func() {
		if err := try(k, canonical.DeleteKeypair, canonical.KeypairDelete{ID: made.ID}); err != nil && canonical.CodeOf(err) != canonical.NotFound {
			k.errorf("cleaning up keypair %s: %v", made.ID, err)
		}
	})
	return made
}
