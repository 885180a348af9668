package sshkey_test

import (
	"crypto/dsa" //nolint:staticcheck // what is refused
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/dragoman-cloud/dragoman/adapters/sshkey"
	"github.com/dragoman-cloud/dragoman/canonical"
)

func TestGenerate(t *testing.T) {
	public, private, err := sshkey.Generate("云 <a>")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey([]byte(private))
	if err != nil {
		t.Fatal(err)
	}
	if half := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))); half != public {
		t.Errorf("the public half is %s, of the private one %s", public, half)
	}
	if print, err := sshkey.Fingerprint(public); err != nil || len(print) != 47 {
		t.Errorf("the fingerprint is %q, %v", print, err)
	}
	if again, _, err := sshkey.Generate("x"); err != nil || again == public {
		t.Errorf("made again: %v", err)
	}
}

func TestFingerprint(t *testing.T) {
	text := func(key any) string {
		pub, err := ssh.NewPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return string(ssh.MarshalAuthorizedKey(pub))
	}
	rsaKey, err1 := rsa.GenerateKey(rand.Reader, 2048)
	ecKey, err2 := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	// x/crypto wants a P of 1,024 bits; whether it is a prime is not asked.
	p := new(big.Int).Lsh(big.NewInt(1), 1023)
	q := new(big.Int).Lsh(big.NewInt(1), 159)
	dsaKey := dsa.PublicKey{Parameters: dsa.Parameters{P: p, Q: q, G: big.NewInt(2)}, Y: big.NewInt(4)}
	for what, tt := range map[string]struct {
		key string
		ok  bool
	}{
		"RSA": {text(&rsaKey.PublicKey), true}, "ECDSA": {text(&ecKey.PublicKey), true},
		"DSA": {text(&dsaKey), false}, "nothing": {"", false}, "a sentence": {"ssh-rsa is no key", false},
		"a private key": {"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", false},
	} {
		print, err := sshkey.Fingerprint(tt.key)
		if (err == nil) != tt.ok || tt.ok && len(print) != 47 {
			t.Errorf("%s: %q, %v", what, print, err)
		}
		if !tt.ok && canonical.CodeOf(err) != canonical.InvalidRequest {
			t.Errorf("%s: %v", what, err)
		}
	}
}
