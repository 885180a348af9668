package keystone

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
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

// signer makes and reads tokens: claims and their HMAC-SHA256, both in base64url.
type signer struct{ key []byte }

// newSigner derives a key for tokens alone from the secret of the deployment.
func newSigner(secret []byte) signer {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("dragoman keystone token v1"))
	return signer{m.Sum(nil)}
}

func (s signer) mac(payload string) []byte {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(payload))
	return m.Sum(nil)
}

func (s signer) sign(c claims) (string, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	payload := base64.RawURLEncoding.EncodeToString(b)
	return payload + "." + base64.RawURLEncoding.EncodeToString(s.mac(payload)), nil
}

// read is the claims of a token that this signer made and that has not expired.
func (s signer) read(token string, now time.Time) (claims, error) {
	var c claims
	payload, sum, _ := strings.Cut(token, ".")
	got, err := base64.RawURLEncoding.Strict().DecodeString(sum)
	if err != nil || !hmac.Equal(got, s.mac(payload)) {
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
	sum := sha256.Sum256([]byte("dragoman project " + tenant))
	return hex.EncodeToString(sum[:16])
}

// UserID is the user id that clients see for a key.
func UserID(key string) string {
	sum := sha256.Sum256([]byte("dragoman user " + key))
	return hex.EncodeToString(sum[:16])
}

func auditID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}
