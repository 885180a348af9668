package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
	"github.com/gin-gonic/gin"
)

// Defaults of Options.
const (
	DefaultMaxBody     = 1 << 20          // bytes
	DefaultBodyTimeout = 30 * time.Second // for a whole body to arrive
	MaxWait            = 300 * time.Second
)

// Options say what a Gateway is made of. Cloud, Authenticate, Store and the keys are
// required.
type Options struct {
	// Cloud performs what is asked. It finishes long work as operations: a Task of
	// its replies names a Job.
	Cloud canonical.Cloud
	// Authenticate says who a bearer text belongs to; its error has code
	// Unauthenticated where the text is nobody's.
	Authenticate func(ctx context.Context, bearer string) (canonical.Caller, error)
	// CursorKeys seal the cursors of lists, the first one new ones; at least 16 bytes
	// each, the same in every replica.
	CursorKeys [][]byte
	// Store keeps the answers that repeated requests get again, and Box seals them:
	// they may hold a password.
	Store *store.Store
	Box   *store.Box
	// Ready says why this process cannot serve; nil: it always can. It must not
	// depend on clouds.
	Ready func(context.Context) error
	// Mounts are other handlers by path prefix ("/compute/v2.1"), given requests as
	// they came, without authentication. The longest prefix wins.
	Mounts map[string]http.Handler

	Log         *slog.Logger  // nil: slog.Default
	Version     string        // of this build, for GET /v1
	MaxBody     int64         // bytes; 0: DefaultMaxBody
	BodyTimeout time.Duration // 0: DefaultBodyTimeout
	PollFirst   time.Duration // first pause of a wait; 0: 50 ms
	PollMost    time.Duration // longest pause of a wait; 0: 1 s
	Now         func() time.Time
}

func (o Options) withDefaults() (Options, error) {
	switch {
	case o.Cloud == nil:
		return o, errors.New("gateway: Options.Cloud is missing")
	case o.Authenticate == nil:
		return o, errors.New("gateway: Options.Authenticate is missing")
	case o.Store == nil:
		return o, errors.New("gateway: Options.Store is missing")
	case o.Box == nil:
		return o, errors.New("gateway: Options.Box is missing")
	case len(o.CursorKeys) == 0 || slices.ContainsFunc(o.CursorKeys, func(k []byte) bool { return len(k) < 16 }):
		return o, errors.New("gateway: Options.CursorKeys are missing or shorter than 16 bytes")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Version == "" {
		o.Version = "devel"
	}
	o.MaxBody = orElse(o.MaxBody, DefaultMaxBody)
	o.BodyTimeout = orElse(o.BodyTimeout, DefaultBodyTimeout)
	o.PollFirst = orElse(o.PollFirst, 50*time.Millisecond)
	o.PollMost = orElse(o.PollMost, time.Second)
	return o, nil
}

func orElse[T ~int64](v, def T) T {
	if v > 0 {
		return v
	}
	return def
}

// Gateway is the HTTP front of a Cloud. It is safe for concurrent use.
type Gateway struct {
	opts    Options
	engine  *gin.Engine
	api     huma.API
	metrics *metrics
	repeats *repeats
	openAPI []byte
	handler http.Handler
}

// New makes a Gateway. It fails when options are missing or an operation cannot be
// described.
func New(opts Options) (*Gateway, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &Gateway{opts: opts, engine: newEngine(), metrics: newMetrics(), repeats: newRepeats(opts)}
	g.api = humagin.New(g.engine, apiConfig(opts.Version))
	for _, op := range canonical.Ops() {
		if err := g.serve(op); err != nil {
			return nil, err
		}
	}
	if g.openAPI, err = describe(g.api); err != nil {
		return nil, fmt.Errorf("gateway: OpenAPI document: %w", err)
	}
	g.servePages()
	g.handler = g.observe(g.mounted(g.engine))
	return g, nil
}

// Handler serves all paths of the gateway and its mounts.
func (g *Gateway) Handler() http.Handler { return g.handler }

// newEngine is a router on escaped paths that redirects nowhere.
func newEngine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.UseRawPath = true
	e.UnescapePathValues = false // gin would read + as a blank; pathValue does it
	e.RedirectTrailingSlash = false
	e.HandleMethodNotAllowed = true
	e.NoRoute(func(c *gin.Context) {
		writeError(c.Writer, c.Request, canonical.Errorf(canonical.NotFound, "there is no such path"))
	})
	e.NoMethod(func(c *gin.Context) {
		writeError(c.Writer, c.Request, refuse(http.StatusMethodNotAllowed, "%s is not allowed here", c.Request.Method))
	})
	return e
}

// serve registers one operation with the router and the OpenAPI document.
func (g *Gateway) serve(op *canonical.Spec) error {
	r, err := newReader(g.api.OpenAPI().Components.Schemas, op, g.opts.MaxBody, g.opts.BodyTimeout)
	if err != nil {
		return err
	}
	hop := operationOf(g.api.OpenAPI().Components.Schemas, op, r)
	g.api.OpenAPI().AddOperation(hop)
	g.api.Adapter().Handle(hop, func(hc huma.Context) {
		c := humagin.Unwrap(hc)
		recordOf(c.Request.Context()).op = op.Name
		if streams(op, c.Request.Header) {
			g.stream(c, op, r)
			return
		}
		g.answer(c, op, r).write(c.Writer, c.Request)
	})
	return nil
}

// mounted gives requests below a mount to it, all others to next.
func (g *Gateway) mounted(next http.Handler) http.Handler {
	if len(g.opts.Mounts) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if prefix, h := g.mountOf(r.URL.Path); h != nil {
			recordOf(r.Context()).op = "mount:" + prefix
			h.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (g *Gateway) mountOf(path string) (prefix string, h http.Handler) {
	for p, candidate := range g.opts.Mounts {
		p = strings.TrimSuffix(p, "/")
		if (path == p || strings.HasPrefix(path, p+"/")) && (h == nil || len(p) > len(prefix)) {
			prefix, h = p, candidate
		}
	}
	return prefix, h
}
