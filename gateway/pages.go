package gateway

import (
	_ "embed"
	"net/http"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/gin-gonic/gin"
)

//go:embed docs.html
var docsPage []byte

//go:embed docs.js
var docsScript []byte

// servePages registers what is no operation: discovery, health and metrics.
func (g *Gateway) servePages() {
	page := func(path, name string, make func(r *http.Request) *answer) {
		g.engine.GET(path, func(c *gin.Context) {
			recordOf(c.Request.Context()).op = name
			make(c.Request).write(c.Writer, c.Request)
		})
	}
	page("/v1", "root", g.root)
	page("/healthz", "healthz", func(*http.Request) *answer { return jsonAnswer(http.StatusOK, gin.H{"status": "ok"}) })
	page("/readyz", "readyz", g.ready)
	page("/openapi.json", "openapi", func(*http.Request) *answer { return static("application/json", g.openAPI) })
	page("/docs", "docs", func(*http.Request) *answer {
		return static("text/html; charset=utf-8", docsPage).set("Content-Security-Policy",
			"default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'")
	})
	page("/docs/docs.js", "docs", func(*http.Request) *answer { return static("text/javascript; charset=utf-8", docsScript) })
	measured := g.metrics.handler()
	g.engine.GET("/metrics", func(c *gin.Context) {
		recordOf(c.Request.Context()).op = "metrics"
		measured.ServeHTTP(c.Writer, c.Request)
	})
}

func static(kind string, body []byte) *answer {
	return (&answer{status: http.StatusOK, body: body}).set("Content-Type", kind).set("Cache-Control", "no-cache")
}

// ready says whether this process can serve. Clouds do not count.
func (g *Gateway) ready(r *http.Request) *answer {
	select {
	case <-draining(r.Context()):
		return errorAnswer(r.Context(), canonical.Errorf(canonical.Unavailable, "about to stop"))
	default:
	}
	if g.opts.Ready != nil {
		if err := g.opts.Ready(r.Context()); err != nil {
			return errorAnswer(r.Context(), &canonical.Error{Code: canonical.Unavailable, Detail: "not ready to serve", Err: err})
		}
	}
	return jsonAnswer(http.StatusOK, gin.H{"status": "ready"})
}

// rootInfo is the answer of GET /v1.
type rootInfo struct {
	Version string            `json:"version"`
	Clouds  []rootCloud       `json:"clouds"`
	Links   map[string]string `json:"links"`
}

type rootCloud struct {
	Name    string                `json:"name"`
	Dialect string                `json:"dialect"`
	Region  string                `json:"region"`
	Status  canonical.CloudStatus `json:"status"`
}

// root is the beginning of the API: what there is and where it leads.
func (g *Gateway) root(r *http.Request) *answer {
	caller, err := g.authenticate(r)
	if err != nil {
		return errorAnswer(r.Context(), err)
	}
	recordOf(r.Context()).caller = caller
	ctx := canonical.WithOptions(canonical.WithCaller(r.Context(), caller),
		canonical.Options{RequestID: recordOf(r.Context()).requestID})
	list, err := canonical.ListClouds.Do(ctx, g.opts.Cloud, canonical.CloudList{
		ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit, Sort: canonical.ByName},
	})
	if err != nil {
		return errorAnswer(r.Context(), err)
	}
	info := rootInfo{Version: g.opts.Version, Clouds: []rootCloud{}, Links: map[string]string{
		"openapi": "/openapi.json", "docs": "/docs", "healthz": "/healthz", "readyz": "/readyz", "metrics": "/metrics",
	}}
	for _, op := range canonical.Ops() {
		if op.Verb() == "list" && len(paramNames(op.Path)) == 0 {
			info.Links[op.Resource()] = op.Path
		}
	}
	for _, c := range list.Result.Items {
		info.Clouds = append(info.Clouds, rootCloud{Name: c.Name, Dialect: c.Dialect, Region: c.Region, Status: c.Status})
	}
	return jsonAnswer(http.StatusOK, info)
}
