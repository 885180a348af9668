package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unicode"

	"github.com/dragoman-cloud/dragoman/config"
	"github.com/dragoman-cloud/dragoman/store"
)

// secretSize is the size of a key that seals secrets, in bytes.
const secretSize = 32

// secrets are the keys that seal secrets: the first one seals, and all open.
type secrets [][]byte

// secretOf are the keys of the environment, or of a file that is made at the first
// start.
func secretOf(c *config.Config) (secrets, error) {
	kind, rest, _ := strings.Cut(string(c.SecretKey), ":")
	switch kind {
	case "env":
		return parseSecrets(os.Getenv(rest), "$"+rest)
	case "file":
		return loadSecrets(rest)
	default:
		return nil, fmt.Errorf("secret_key must be file:PATH or env:NAME")
	}
}

// checkSecret says what is wrong with the keys, and makes none.
func checkSecret(c *config.Config) error {
	kind, rest, _ := strings.Cut(string(c.SecretKey), ":")
	if _, err := os.Stat(rest); kind == "file" && errors.Is(err, fs.ErrNotExist) {
		return nil // the first start makes it
	}
	_, err := secretOf(c)
	return err
}

// loadSecrets reads the keys of the file, and makes the file when there is none.
func loadSecrets(path string) (secrets, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeSecret(path)
	}
	if err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	return parseSecrets(string(b), path)
}

// parseSecrets reads keys of 64 hexadecimal digits, between which are commas or space.
func parseSecrets(text, from string) (secrets, error) {
	var all secrets
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		key, err := hex.DecodeString(word)
		if err != nil || len(key) != secretSize {
			return nil, fmt.Errorf("secret key: key %d of %s is not %d hexadecimal digits", len(all)+1, from, 2*secretSize)
		}
		all = append(all, key)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("secret key: %s is empty: it needs a key of %d hexadecimal digits", from, 2*secretSize)
	}
	return all, nil
}

// makeSecret makes the file whole or not at all; of two processes that start at once
// the second fails, and finds the file when it starts again.
func makeSecret(path string) (secrets, error) {
	key := make([]byte, secretSize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	_, err = fmt.Fprintln(f, hex.EncodeToString(key))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("secret key: %w", err), os.Remove(path))
	}
	return secrets{key}, nil
}

// derive are keys for one purpose, from which the secret keys cannot be found.
func (s secrets) derive(purpose string) [][]byte {
	all := make([][]byte, len(s))
	for i, secret := range s {
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(purpose)) // never fails
		all[i] = m.Sum(nil)
	}
	return all
}

// box seals what the store keeps.
func (s secrets) box() (*store.Box, error) { return store.NewBox(s.derive("store")...) }
