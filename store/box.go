package store

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
)

// BoxKeySize is the size of a Box's keys in bytes.
const BoxKeySize = 32

// Box seals what is kept but must not be read in the database, with AES-256-GCM
// under random nonces: one key may seal 2^32 texts.
type Box struct{ aeads []cipher.AEAD }

// NewBox is a Box with these keys: the first one seals, and all open. So a key is
// replaced by one that is put before it, until nothing is sealed with it any more.
func NewBox(keys ...[]byte) (*Box, error) {
	b := &Box{}
	for _, key := range keys {
		if len(key) != BoxKeySize {
			return nil, fmt.Errorf("store: the key of a box has %d bytes, not %d", len(key), BoxKeySize)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		b.aeads = append(b.aeads, aead)
	}
	if len(b.aeads) == 0 {
		return nil, errors.New("store: a box needs a key")
	}
	return b, nil
}

// Seal is plain sealed for that place with the first key; it opens nowhere else.
func (b *Box) Seal(plain, place []byte) []byte { return b.aeads[0].Seal(nil, nil, plain, place) }

// Open is what was sealed for that place with one of the keys.
func (b *Box) Open(sealed, place []byte) ([]byte, error) {
	plain, _, err := b.open(sealed, place)
	return plain, err
}

// open also says which key it was.
func (b *Box) open(sealed, place []byte) (plain []byte, key int, err error) {
	for key, aead := range b.aeads {
		if plain, err := aead.Open(nil, nil, sealed, place); err == nil {
			return plain, key, nil
		}
	}
	return nil, 0, errors.New("store: the seal is broken, of another place or of another key")
}

// Reseal is what is sealed for that place, sealed with the first key; changed: it was
// sealed with another one.
func (b *Box) Reseal(sealed, place []byte) (anew []byte, changed bool, err error) {
	plain, key, err := b.open(sealed, place)
	if err != nil || key == 0 {
		return sealed, false, err
	}
	return b.Seal(plain, place), true, nil
}
