package keystone

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// claims are what a token says.
type claims struct {
	Key     string    `json:"k"` // id of the key
	Methods []string  `json:"m"` // how the first login was made
	Audit   string    `json:"a"`
	Issued  time.Time `json:"i"`
	Expires time.Time `json:"e"`
}

// signer makes and reads tokens: claims and their HMAC-SHA256, both in base64url. The
// first key signs, and all are believed.
type signer struct{ keys [][]byte }

// newSigner derives keys for tokens alone from the secrets of the deployment.
func newSigner(secrets [][]byte) signer {
	var s signer
	for _, secret := range secrets {
		s.keys = append(s.keys, mac(secret, "dragoman keystone token v1"))
	}
	return s
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text)) // never fails
	return m.Sum(nil)
}

func (s signer) signed(payload string, sum []byte) bool {
	return slices.ContainsFunc(s.keys, func(key []byte) bool { return hmac.Equal(sum, mac(key, payload)) })
}

func (s signer) sign(c claims) (string, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	payload := base64.RawURLEncoding.EncodeToString(b)
	return payload + "." + base64.RawURLEncoding.EncodeToString(mac(s.keys[0], payload)), nil
}

// read is the claims of a token that this signer made and that has not expired.
func (s signer) read(token string, now time.Time) (claims, error) {
	var c claims
	payload, sum, _ := strings.Cut(token, ".")
	got, err := base64.RawURLEncoding.Strict().DecodeString(sum)
	if err != nil || !s.signed(payload, got) {
		return c, errUnauthorized
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(payload)
	if err != nil || json.Unmarshal(b, &c) != nil {
		return c, errUnauthorized
	}
	if !now.Before(c.Expires) {
		return c, errExpired
	}
	return c, nil
}

// The refusals of logins and tokens; each is answered with 401.
var (
	errUnauthorized = canonical.Errorf(canonical.Unauthenticated, "the credentials, the scope or the token are not valid")
	errExpired      = canonical.Errorf(canonical.Unauthenticated, "the token has expired")
	errMethod       = canonical.Errorf(canonical.Unauthenticated, "Attempted to authenticate with an unsupported method.")
)

// ProjectID is the project id that clients see for a tenant: 32 hexadecimal digits
// made of its name, the same on every replica.
func ProjectID(tenant string) string {
	return stableID("project " + tenant)
}

// UserID is the user id that clients see for a key: the key's own, by which they may
// log in.
func UserID(key string) string { return key }

// userOf is the user that a caller is: an application credential is its maker.
func userOf(c canonical.Caller) string {
	if c.Parent != "" {
		return UserID(c.Parent)
	}
	return UserID(c.Key)
}

// stableID is an id of 32 hexadecimal digits for what has that name.
func stableID(name string) string {
	sum := sha256.Sum256([]byte("dragoman " + name))
	return hex.EncodeToString(sum[:16])
}

func auditID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}
