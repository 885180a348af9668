package nova

import (
	"net/url"
	"strings"

	"github.com/dragoman-cloud/dragoman/adapters/transport"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// Options say where a cloud is and who asks it.
type Options struct {
	Endpoint  string // of Keystone, with or without its /v3
	Region    string // empty: the first of the catalog
	Interface string // public (the default), internal or admin
	Auth      Auth
	Transport transport.Options
	// Shared carries the requests instead of a transport of this account's own, so
	// that the accounts of one cloud have their limits and breaker in common. Who
	// made it closes it. Transport.Timeout, which is also that of log-ins, should
	// be the same then.
	Shared *transport.Transport
}

// Auth is one account. Exactly one of Password, Token and ApplicationCredentialSecret
// is set. All but the names are secrets.
type Auth struct {
	Username      string
	Password      string
	UserDomain    string // name; Default if empty
	Project       string // name; empty: that of the token or application credential
	ProjectID     string // instead of the name
	ProjectDomain string // name; that of the user if empty
	// Token is exchanged for one of our own. When that ends, it can be renewed
	// only while Token itself is good.
	Token string
	// An application credential is named by its id, or by its name and its user.
	ApplicationCredentialID     string
	ApplicationCredentialName   string
	ApplicationCredentialSecret string
}

func (o Options) validate() error {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return canonical.Invalid("endpoint", "must be an http or https URL without credentials")
	}
	switch o.Interface {
	case "", "public", "internal", "admin":
	default:
		return canonical.Invalid("interface", "must be public, internal or admin")
	}
	return o.Auth.validate()
}

func (a Auth) validate() error {
	ways := 0
	for _, secret := range []string{a.Password, a.Token, a.ApplicationCredentialSecret} {
		if secret != "" {
			ways++
		}
	}
	switch {
	case ways != 1:
		return canonical.Invalid("auth", "takes one of password, token and application credential")
	case a.Password != "" && a.Username == "":
		return canonical.Invalid("auth.username", "is required with a password")
	case a.Password != "" && a.Project == "" && a.ProjectID == "":
		return canonical.Invalid("auth.project", "is required with a password")
	case a.ApplicationCredentialSecret != "" && a.ApplicationCredentialID == "" &&
		(a.ApplicationCredentialName == "" || a.Username == ""):
		return canonical.Invalid("auth", "an application credential needs its id, or its name and its user's")
	default:
		return nil
	}
}

// keystone is the endpoint with its version and without a slash at its end.
func (o Options) keystone() string {
	base := strings.TrimRight(o.Endpoint, "/")
	if !strings.HasSuffix(base, "/v3") {
		base += "/v3"
	}
	return base
}
