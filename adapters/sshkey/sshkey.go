// Package sshkey makes and checks the SSH keys of keypairs, for the clouds that keep
// keypairs themselves.
package sshkey

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Generate makes an ed25519 key: the public half as authorized_keys has it, the
// private half in OpenSSH's own format.
func Generate(comment string) (public, private string, err error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", "", canonical.Errorf(canonical.Internal, "key generation: %w", err)
	}
	sshPub, err := ssh.NewPublicKey(pub)
	if err != nil {
		return "", "", canonical.Errorf(canonical.Internal, "key generation: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(priv, comment)
	if err != nil {
		return "", "", canonical.Errorf(canonical.Internal, "key generation: %w", err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshPub))), string(pem.EncodeToMemory(block)), nil
}

// Fingerprint is the MD5 fingerprint with colons, as Nova shows it. A text that is no
// RSA, ECDSA or ed25519 public key is InvalidRequest on public_key.
func Fingerprint(public string) (string, error) {
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
