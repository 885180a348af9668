package keystone

import (
	"context"
	"net/http"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Service is one entry of the catalog.
type Service struct {
	Type string // compute, image, network
	Name string
	Path string // below the public URL: /compute/v2.1
}

// Options make a Keystone.
type Options struct {
	// Authenticate finds the caller of a key's whole text, <id>.<secret>.
	Authenticate func(ctx context.Context, bearer string) (canonical.Caller, error)
	// Lookup finds the caller of a key's id; its error ends tokens of that key.
	Lookup func(ctx context.Context, keyID string) (canonical.Caller, error)
	// Revoke ends the token of that id for every replica, for the rest of its life;
	// Revoked says whether one was. nil: tokens end with their keys alone.
	Revoke  func(ctx context.Context, id string, life time.Duration) error
	Revoked func(ctx context.Context, id string) (bool, error)
	// Cloud lists tenants and keys for administrators; nil: they see their own.
	Cloud canonical.Cloud
	// Secrets sign tokens, the first one new ones; replicas share them. At least one.
	Secrets [][]byte
	// Base is the URL of the gateway as the client of r sees it, without a slash at
	// its end.
	Base     func(r *http.Request) string
	Region   string        // "": RegionOne
	Life     time.Duration // of a token; 0: one hour, Keystone's own default
	Services []Service
	Now      func() time.Time // nil: time.Now
}

// Keystone serves Keystone v3 at a path prefix.
type Keystone struct {
	o      Options
	signer signer
	mux    *http.ServeMux
	prefix string
}

// New is the identity service below prefix ("/identity").
func New(prefix string, o Options) *Keystone {
	if o.Region == "" {
		o.Region = "RegionOne"
	}
	if o.Life == 0 {
		o.Life = time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	k := &Keystone{o: o, signer: newSigner(o.Secrets), mux: http.NewServeMux(), prefix: prefix}
	k.routes()
	return k
}

func (k *Keystone) routes() {
	paths := map[string]map[string]http.HandlerFunc{
		"":        {http.MethodGet: k.versions},
		"/{$}":    {http.MethodGet: k.versions},
		"/v3":     {http.MethodGet: k.version},
		"/v3/{$}": {http.MethodGet: k.version},
		"/v3/auth/tokens": {
			http.MethodPost: k.login, http.MethodGet: k.validate, http.MethodDelete: k.revoke,
		},
		"/v3/auth/catalog":        {http.MethodGet: k.catalogOnly},
		"/v3/auth/projects":       {http.MethodGet: k.ownProjects},
		"/v3/auth/domains":        {http.MethodGet: k.nothing("domains")},
		"/v3/users/{id}/projects": {http.MethodGet: k.projectsOf},
		"/v3/users/{id}/groups":   {http.MethodGet: k.nothing("groups")},
		"/v3/role_assignments":    {http.MethodGet: k.assignments},
		"/v3/users/{id}/application_credentials": {
			http.MethodGet: k.credentials, http.MethodPost: k.createCredential,
		},
		"/v3/users/{id}/application_credentials/{credential}": {
			http.MethodGet: k.credential, http.MethodDelete: k.deleteCredential,
		},
	}
	for _, res := range resources {
		paths["/v3/"+res.many] = map[string]http.HandlerFunc{http.MethodGet: k.list(res)}
		paths["/v3/"+res.many+"/{id}"] = map[string]http.HandlerFunc{http.MethodGet: k.get(res)}
	}
	for path, calls := range paths {
		for method, handle := range calls { // GET is HEAD too
			k.mux.HandleFunc(method+" "+k.prefix+path, handle)
		}
		k.mux.HandleFunc(k.prefix+path, notAllowed(calls))
	}
	k.mux.HandleFunc(k.prefix+"/", k.unknown)
}

// ServeHTTP implements http.Handler.
func (k *Keystone) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "X-Auth-Token")
	if id := canonical.OptionsOf(r.Context()).RequestID; id != "" {
		w.Header().Set("X-Openstack-Request-Id", "req-"+id)
	}
	k.mux.ServeHTTP(w, r)
}

// Caller is who a token was issued to, if it and its key are still good.
func (k *Keystone) Caller(ctx context.Context, token string) (canonical.Caller, error) {
	c, err := k.live(ctx, token)
	if err != nil {
		return canonical.Caller{}, err
	}
	return k.o.Lookup(ctx, c.Key)
}

// live are the claims of a token that is still good.
func (k *Keystone) live(ctx context.Context, token string) (claims, error) {
	c, err := k.signer.read(token, k.o.Now())
	if err != nil || k.o.Revoked == nil {
		return c, err
	}
	gone, err := k.o.Revoked(ctx, c.Audit)
	if err == nil && gone {
		err = errUnauthorized
	}
	return c, err
}
