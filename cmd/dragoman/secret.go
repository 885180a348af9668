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
)

// secretSize is the size of the key that seals secrets, in bytes.
const secretSize = 32

// loadSecret reads the secret key of the file, 64 hexadecimal digits, and makes the
// file when there is none.
func loadSecret(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeSecret(path)
	}
	if err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	return parseSecret(string(b), path)
}

func parseSecret(text, from string) ([]byte, error) {
	key, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != secretSize {
		return nil, fmt.Errorf("secret key: %s does not hold %d hexadecimal digits", from, 2*secretSize)
	}
	return key, nil
}

// makeSecret makes the file whole or not at all; of two processes that start at once
// the second fails, and finds the file when it starts again.
func makeSecret(path string) ([]byte, error) {
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
	return key, nil
}

// derive is a key for one purpose, from which the secret key cannot be found.
func derive(secret []byte, purpose string) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(purpose)) // never fails
	return m.Sum(nil)
}
