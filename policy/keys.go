package policy

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// bootstrapTenant is the tenant of the bootstrap key.
const bootstrapTenant = "bootstrap"

// seal is what is kept of the secret of a key.
func (p *Policy) seal(id canonical.ID, secret string) []byte {
	return p.box.Seal(hash(secret), store.KeyPlace(id))
}

func (p *Policy) fits(secret string, k store.Key) bool {
	want, err := p.box.Open(k.Seal, store.KeyPlace(k.ID))
	return err == nil && subtle.ConstantTimeCompare(want, hash(secret)) == 1
}

func hash(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// bootstrap makes the bootstrap key, or gives it the secret it has now. It writes
// only what is not so already, in one statement: processes start at once.
func (p *Policy) bootstrap(ctx context.Context, bearer string) error {
	id, secret, ok := strings.Cut(bearer, ".")
	if !ok || id == "" || secret == "" {
		return errors.New("policy: the bootstrap key is not <id>.<secret>")
	}
	if err := p.ensureTenant(ctx, bootstrapTenant, false); err != nil {
		return err
	}
	old, err := p.store.Key(ctx, canonical.ID(id))
	switch {
	case err == nil && old.Tenant == bootstrapTenant && p.fits(secret, old):
		return nil
	case err != nil && canonical.CodeOf(err) != canonical.NotFound:
		return err
	}
	err = p.store.PutKey(ctx, store.Key{
		APIKey: canonical.APIKey{ID: canonical.ID(id), Tenant: bootstrapTenant, Role: canonical.Admin, Name: "bootstrap", CreatedAt: p.now().UTC()},
		Seal:   p.seal(canonical.ID(id), secret),
	})
	if canonical.CodeOf(err) == canonical.AlreadyExists {
		return errors.New("policy: the bootstrap key has the id of another tenant's key")
	}
	return err
}

// EnsureTenant makes the tenant that the configuration declares, if it is missing.
func (p *Policy) EnsureTenant(ctx context.Context, name string) error {
	return p.ensureTenant(ctx, name, true)
}

func (p *Policy) ensureTenant(ctx context.Context, name string, declared bool) error {
	_, err := p.addTenant(ctx, name, declared)
	if canonical.CodeOf(err) == canonical.AlreadyExists {
		return nil
	}
	return err
}

var tenantName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

func (p *Policy) addTenant(ctx context.Context, name string, declared bool) (canonical.Tenant, error) {
	if !tenantName.MatchString(name) {
		return canonical.Tenant{}, canonical.Invalid("name",
			"must be a lower-case letter, then lower-case letters, digits or hyphens, at most 63")
	}
	at := p.now().UTC()
	t := canonical.Tenant{ID: newID(), Name: name, Declared: declared, CreatedAt: &at}
	return t, p.store.CreateTenant(ctx, t)
}

// IssueKey makes a key; the answer holds its bearer text, which is kept nowhere.
func (p *Policy) IssueKey(ctx context.Context, r canonical.APIKeyCreate) (canonical.APIKeyCreated, error) {
	secret := randomText(32)
	k := canonical.APIKey{ID: newID(), Tenant: r.Tenant, Role: r.Role, Name: r.Name, CreatedAt: p.now().UTC().Round(time.Microsecond)}
	err := p.store.CreateKey(ctx, store.Key{APIKey: k, Seal: p.seal(k.ID, secret)})
	if canonical.CodeOf(err) == canonical.NotFound {
		err = canonical.Invalid("tenant", "there is no tenant %q", r.Tenant)
	}
	if err != nil {
		return canonical.APIKeyCreated{}, err
	}
	return canonical.APIKeyCreated{APIKey: k, Key: string(k.ID) + "." + secret}, nil
}

func newID() canonical.ID {
	b := make([]byte, 12)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return canonical.ID(hex.EncodeToString(b))
}

func randomText(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

// HasKeys says whether there is any key at all; a new store has none.
func (p *Policy) HasKeys(ctx context.Context) (bool, error) {
	keys, err := p.store.Keys(ctx)
	return len(keys) > 0, err
}
