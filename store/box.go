package store

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
)

// BoxKeySize is the size of a Box's key in bytes.
const BoxKeySize = 32

// Box seals what is kept but must not be read in the database, with AES-256-GCM
// under random nonces: one key may seal 2^32 texts.
type Box struct{ aead cipher.AEAD }

// NewBox is a Box with that key.
func NewBox(key []byte) (*Box, error) {
	if len(key) != BoxKeySize {
		return nil, fmt.Errorf("store: the key of a box has %d bytes, not %d", len(key), BoxKeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &Box{aead}, err
}

// Seal is plain sealed for that place; it opens nowhere else.
func (b *Box) Seal(plain, place []byte) []byte { return b.aead.Seal(nil, nil, plain, place) }

// Open is what was sealed for that place with the same key.
func (b *Box) Open(sealed, place []byte) ([]byte, error) {
	plain, err := b.aead.Open(nil, nil, sealed, place)
	if err != nil {
		return nil, errors.New("store: the seal is broken, of another place or of another key")
	}
	return plain, nil
}
