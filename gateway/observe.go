package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// goodRequestID is an X-Request-Id that is taken over.
var goodRequestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// record is what one request leaves for its log line and metrics. One goroutine
// at a time, that of the request, writes it.
type record struct {
	requestID string
	trace     string // see TraceParent
	op        string
	caller    canonical.Caller
	err       error
}

type recordKey struct{}

// recordOf is the record of the request of ctx; outside of requests one that
// nobody reads.
func recordOf(ctx context.Context) *record {
	if r, ok := ctx.Value(recordKey{}).(*record); ok {
		return r
	}
	return &record{}
}

// RequestID is the id of the request of ctx, for mounted handlers; "" outside of requests.
func RequestID(ctx context.Context) string { return recordOf(ctx).requestID }

func requestID(h http.Header) string {
	if id := h.Get("X-Request-Id"); goodRequestID.MatchString(id) {
		return id
	}
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	return hex.EncodeToString(b[:])
}

// observe gives each request its id, its log line and its metrics, and turns
// panics into answers.
func (g *Gateway) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &record{requestID: requestID(r.Header), trace: continued(r.Header), op: "other"}
		w.Header().Set("X-Request-Id", rec.requestID)
		out := &counter{ResponseWriter: w}
		r = r.WithContext(context.WithValue(r.Context(), recordKey{}, rec))
		aborted := g.guarded(next, out, r)
		g.metrics.count(rec.op, out.code(), time.Since(start))
		g.log(r, rec, out, time.Since(start))
		if aborted {
			panic(http.ErrAbortHandler)
		}
	})
}

// guarded runs next and answers for it where it panics. It says whether the
// connection must be cut, because an answer has begun that cannot be finished.
func (g *Gateway) guarded(next http.Handler, out *counter, r *http.Request) (aborted bool) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			aborted = true
			return
		}
		rec := recordOf(r.Context())
		g.opts.Log.ErrorContext(r.Context(), "panic", slog.String("request_id", rec.requestID),
			slog.String("op", rec.op), slog.String("panic", fmt.Sprint(p)), slog.String("stack", string(debug.Stack())))
		if out.status != 0 {
			aborted = true
			return
		}
		writeError(out, r, canonical.Errorf(canonical.Internal, "an unexpected failure"))
	}()
	next.ServeHTTP(out, r)
	return false
}

// log writes the access line. It names no query and no header, which may hold secrets.
func (g *Gateway) log(r *http.Request, rec *record, out *counter, took time.Duration) {
	level := slog.LevelInfo
	if out.code() >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	attrs := []slog.Attr{
		slog.String("request_id", rec.requestID), slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.String("op", rec.op), slog.Int("status", out.code()), slog.Int64("bytes", out.bytes),
		slog.Float64("ms", float64(took.Microseconds())/1000), slog.String("remote", r.RemoteAddr),
	}
	if rec.caller.Tenant != "" {
		attrs = append(attrs, slog.String("tenant", rec.caller.Tenant), slog.String("key", rec.caller.Key))
	}
	if rec.err != nil {
		attrs = append(attrs, slog.String("error", rec.err.Error()))
	}
	g.opts.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// counter notes what is written.
type counter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (c *counter) code() int {
	if c.status == 0 {
		return http.StatusOK
	}
	return c.status
}

// WriteHeader implements http.ResponseWriter.
func (c *counter) WriteHeader(status int) {
	if c.status == 0 && status >= http.StatusOK {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (c *counter) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	n, err := c.ResponseWriter.Write(b)
	c.bytes += int64(n)
	return n, err
}

// Flush implements http.Flusher.
func (c *counter) Flush() { _ = http.NewResponseController(c.ResponseWriter).Flush() }

// Unwrap lets http.ResponseController reach the connection.
func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dragoman_http_requests_total", Help: "Requests by operation and status.",
		}, []string{"op", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dragoman_http_request_seconds", Help: "Time from the request's header to the end of the answer.",
			Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10, 30, 60, 300},
		}, []string{"op"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) count(op string, status int, took time.Duration) {
	m.requests.WithLabelValues(op, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(op).Observe(took.Seconds())
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
