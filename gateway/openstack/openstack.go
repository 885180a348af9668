// Package openstack mounts the OpenStack dialect in the gateway: the Keystone that
// clients log in to, and the facade of the dialect's table at the paths of the
// configuration contract. It joins the two; it translates nothing itself.
package openstack

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway"
	"github.com/dragoman-cloud/dragoman/gateway/facade"
	"github.com/dragoman-cloud/dragoman/gateway/keystone"
	"github.com/dragoman-cloud/dragoman/translate"
)

// Options make the mounts.
type Options struct {
	Table *translate.Table
	Cloud canonical.Cloud
	// Authenticate and Lookup find the caller of a key: see keystone.Options.
	Authenticate func(ctx context.Context, bearer string) (canonical.Caller, error)
	Lookup       func(ctx context.Context, keyID string) (canonical.Caller, error)
	// Tenants are the names of all tenants: see facade.Options.
	Tenants func(ctx context.Context) ([]string, error)
	// Revoke and Revoked end tokens: see keystone.Options.
	Revoke    func(ctx context.Context, id string, life time.Duration) error
	Revoked   func(ctx context.Context, id string) (bool, error)
	Secrets   [][]byte // see keystone.Options
	PublicURL string   // "": the request's own scheme and host
	IDs       *facade.IDs
	Log       *slog.Logger
	Patience  time.Duration // facade.Options.Patience
	Slowest   time.Duration // facade.Options.Slowest
}

// services are where each service of the dialect is mounted. The catalog's image
// and network URLs end before the version: clients append it themselves.
var services = []struct {
	service, name, prefix string
	kind                  string // in the catalog; "": not there
}{
	{"compute", "nova", "/compute/v2.1", "compute"},
	{"compute-root", "nova", "/compute", ""},
	{"image", "glance", "/image", "image"},
	{"network", "neutron", "/network", "network"},
	{"volume", "cinder", "/volume/v3", "volumev3"},
	{"volume-root", "cinder", "/volume", ""},
}

// Mounts are the handlers of the dialect by path prefix.
func Mounts(o Options) map[string]http.Handler {
	base := func(r *http.Request) string { return baseURL(o.PublicURL, r) }
	var catalog []keystone.Service
	for _, s := range services {
		if s.kind != "" {
			catalog = append(catalog, keystone.Service{Type: s.kind, Name: s.name, Path: s.prefix})
		}
	}
	identity := keystone.New("/identity", keystone.Options{
		Authenticate: o.Authenticate, Lookup: o.Lookup, Secrets: o.Secrets, Base: base, Services: catalog,
		Revoke: o.Revoke, Revoked: o.Revoked, Cloud: o.Cloud,
	})
	f := facade.New(facade.Options{
		Table: o.Table, Cloud: o.Cloud, IDs: o.IDs, ProjectOf: keystone.ProjectID, Tenants: o.Tenants, Log: o.Log, Patience: o.Patience, Slowest: o.Slowest, Authenticate: authenticate(identity),
	})
	bases := func(r *http.Request) map[string]string {
		urls := map[string]string{"identity": base(r) + "/identity/v3"}
		for _, s := range services {
			urls[s.service] = base(r) + s.prefix
		}
		return urls
	}
	mounts := map[string]http.Handler{"/identity": traced(identity)}
	for _, s := range services {
		mounts[s.prefix] = traced(f.Mount(s.service, s.prefix, bases))
	}
	return mounts
}

// traced lets calls carry the id that the gateway gave the request.
func traced(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := canonical.WithOptions(r.Context(), canonical.Options{
			RequestID: gateway.RequestID(r.Context()), Trace: gateway.TraceParent(r.Context()),
		})
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

// authenticate finds the principal of a request's token.
func authenticate(k *keystone.Keystone) func(context.Context, *translate.Request) (facade.Principal, error) {
	return func(ctx context.Context, req *translate.Request) (facade.Principal, error) {
		who, err := k.Caller(ctx, req.Header.Get("X-Auth-Token"))
		if err != nil {
			return facade.Principal{}, err
		}
		return facade.Principal{
			Caller: who, Project: keystone.ProjectID(who.Tenant), User: keystone.UserID(who.Key),
		}, nil
	}
}

// baseURL is what links show: the configured URL, or where the client came to.
func baseURL(public string, r *http.Request) string {
	switch {
	case public != "":
		return public
	case r.TLS != nil:
		return "https://" + r.Host
	default:
		return "http://" + r.Host
	}
}
