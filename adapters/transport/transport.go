package transport

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Defaults of Options.
const (
	DefaultConnectTimeout = 3 * time.Second
	DefaultTimeout        = 20 * time.Second
	DefaultConcurrency    = 64

	maxAnswer    = 64 << 20 // bytes of an answer of success; a list of 10,000 servers has about 40 MiB
	maxErrorBody = 64 << 10 // bytes of any other answer; the rest is cut off
	maxTries     = 3
	maxRedirects = 3
)

// Options say how a cloud is to be treated. The zero value has the defaults.
type Options struct {
	Name           string        // the cloud's, for errors and logs
	ConnectTimeout time.Duration // TCP and TLS, each; 3 s if 0
	Timeout        time.Duration // one call with all its tries; 20 s if 0
	TryTimeout     time.Duration // one try of what may be repeated; half of Timeout if 0
	Backoff        time.Duration // pause before the second try, about; 100 ms if 0
	Limits         Limits
	Breaker        Breaker
	Metrics        func(Sample) // told of every try; nil: nobody
	Log            *slog.Logger // told of the breaker's changes; nil: nobody
	// Base carries the tries; nil: a pool of connections sized by Limits. It must
	// be safe for concurrent use.
	Base http.RoundTripper
}

// Limits bound what a cloud is asked.
type Limits struct {
	RPS         float64 // tries per second; 0: no limit
	Burst       int     // tries at once after a pause; RPS, at least 1, if 0
	Concurrency int     // tries under way; 64 if 0
}

// Breaker says when a cloud is left alone.
type Breaker struct {
	Failures int           // failures within Window that open it; 5 if 0, never if negative
	Window   time.Duration // 30 s if 0
	Open     time.Duration // until it is tried again; 15 s if 0
}

// Sample is what is measured of one try.
type Sample struct {
	Cloud    string
	Method   string
	Status   int // 0: there was no answer
	Duration time.Duration
	Err      error // why there was none
}

// Transport is the chain. It is safe for concurrent use.
type Transport struct {
	chain   http.RoundTripper
	breaker *breaker
	meter   *meter
	base    http.RoundTripper
	timeout time.Duration
	idle    time.Duration // of streams

	condition condition
}

var _ http.RoundTripper = (*Transport)(nil)

// New builds the chain. Close gives back its connections.
func New(o Options) *Transport {
	o = o.orDefault()
	t := &Transport{base: o.Base, timeout: o.Timeout, idle: streamIdle, meter: &meter{tell: o.Metrics, cloud: o.Name}}
	t.condition = condition{status: canonical.CloudUp, now: time.Now}
	if t.base == nil {
		t.base = pool(o)
	}
	single := &try{next: t.base, timeout: o.TryTimeout, meter: t.meter}
	limited := &limiter{next: single, slots: make(chan struct{}, o.Limits.Concurrency), rate: o.Limits.limiter()}
	t.breaker = newBreaker(o, limited)
	t.chain = &retry{next: t.breaker, backoff: o.Backoff}
	return t
}

// RoundTrip implements http.RoundTripper: one call, in up to three tries.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if streaming(req.Context()) {
		return t.stream(req)
	}
	ctx, cancel := context.WithTimeout(req.Context(), t.timeout)
	defer cancel() // the answer has been read by then
	resp, err := t.chain.RoundTrip(req.WithContext(ctx))
	t.condition.note(t.breaker.health())
	if err != nil {
		return nil, classify(err, req.Context())
	}
	resp.Request = req
	return resp, nil
}

// Client is an HTTP client over t. It follows redirects of reads within one host,
// three at most; it hands out other redirects as they are.
func (t *Transport) Client() *http.Client {
	return &http.Client{Transport: t, CheckRedirect: checkRedirect}
}

// Close gives back idle connections. Calls under way go on.
func (t *Transport) Close() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (o Options) orDefault() Options {
	setDefault(&o.ConnectTimeout, DefaultConnectTimeout)
	setDefault(&o.Timeout, DefaultTimeout)
	setDefault(&o.TryTimeout, o.Timeout/2)
	setDefault(&o.Backoff, 100*time.Millisecond)
	setDefault(&o.Limits.Concurrency, DefaultConcurrency)
	setDefault(&o.Breaker.Failures, 5)
	setDefault(&o.Breaker.Window, 30*time.Second)
	setDefault(&o.Breaker.Open, 15*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

func (l Limits) limiter() *rate.Limiter {
	if l.RPS <= 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	burst := l.Burst
	if burst <= 0 {
		burst = max(1, int(l.RPS))
	}
	return rate.NewLimiter(rate.Limit(l.RPS), burst)
}

// pool is the connections to one cloud: as many may stay open as calls may run.
func pool(o Options) *http.Transport {
	dialer := &net.Dialer{Timeout: o.ConnectTimeout, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    o.ConnectTimeout,
		MaxIdleConns:           4 * o.Limits.Concurrency, // a cloud has several services
		MaxIdleConnsPerHost:    o.Limits.Concurrency,
		MaxConnsPerHost:        o.Limits.Concurrency,
		IdleConnTimeout:        90 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		ForceAttemptHTTP2:      true,
	}
}

// State is what a breaker does.
type State string

// The states of breakers.
const (
	Closed   State = "closed"    // calls pass
	HalfOpen State = "half_open" // one call is let through to find out
	Open     State = "open"      // calls are refused
)

// Status is how a cloud has been lately.
type Status struct {
	Breaker  State
	OpenTill time.Time     // with Open: when the next call is let through
	Calls    uint64        // tries so far
	Failures uint64        // of them, without an answer or with one of 5xx
	Latency  time.Duration // of tries with an answer, moving average; 0: none yet
}

// Status tells how the cloud has been; it asks nobody.
func (t *Transport) Status() Status {
	s := t.meter.status()
	s.Breaker, s.OpenTill = t.breaker.status()
	return s
}

var states = map[gobreaker.State]State{
	gobreaker.StateClosed: Closed, gobreaker.StateHalfOpen: HalfOpen, gobreaker.StateOpen: Open,
}
