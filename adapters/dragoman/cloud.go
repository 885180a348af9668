package dragoman

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Options are how a remote dragoman is reached.
type Options struct {
	Endpoint string // base URL: http://host:port, perhaps with a path
	Key      string // bearer text, <id>.<secret>; sent to Endpoint's host only
	// Transport carries the requests; nil: a pooled one of the Cloud's own.
	Transport http.RoundTripper
	// Timeout bounds one exchange beside the context; 0 is 30 s.
	Timeout time.Duration
	// Nested is set where a broker of ours stands before this Cloud. The names of
	// clouds and tenants in calls are then that broker's, and are not sent on; and a
	// key that the remote refuses is a failure of the cloud, not of the caller.
	Nested bool
}

// Cloud is a remote dragoman. It performs every operation of canonical.Ops.
type Cloud struct {
	endpoint *url.URL
	key      string
	client   *http.Client
	timeout  time.Duration
	nested   bool
	offers   offers
}

var _ canonical.Cloud = (*Cloud)(nil)

// New is the remote dragoman of o. It sends nothing yet. An endpoint that is not an
// absolute http or https URL is InvalidRequest.
func New(o Options) (*Cloud, error) {
	u, err := url.Parse(strings.TrimRight(o.Endpoint, "/"))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, canonical.Invalid("endpoint", "must be a URL such as http://host:8080")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, canonical.Invalid("endpoint", "must hold neither credentials nor a query")
	}
	c := &Cloud{endpoint: u, key: o.Key, timeout: o.Timeout, nested: o.Nested}
	if c.timeout <= 0 {
		c.timeout = 30 * time.Second
	}
	transport := o.Transport
	if transport == nil {
		transport = newTransport()
	}
	c.client = &http.Client{Transport: transport, CheckRedirect: neverFollow}
	return c, nil
}

// Close lets go of idle connections.
func (c *Cloud) Close() { c.client.CloseIdleConnections() }

// neverFollow keeps keys and requests with the host that was configured.
func neverFollow(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Do implements canonical.Cloud. It repeats a request only when the remote says that
// the same request with the same idempotency key is still under way.
func (c *Cloud) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	if l, ok := call.Request.(interface{ Listing() canonical.ListOptions }); ok {
		return c.list(ctx, call, l.Listing())
	}
	if call.Op.Streams {
		return c.stream(ctx, call)
	}
	for {
		reply, err := c.exchange(ctx, call)
		wait, again := underWay(err)
		if !again || canonical.OptionsOf(ctx).IdempotencyKey == "" {
			return reply, err
		}
		if err := sleep(ctx, wait); err != nil {
			return canonical.Reply{}, err
		}
	}
}

// underWay says whether err is the answer to a repeated request whose first copy has
// not ended: the only conflict that says when to come back.
func underWay(err error) (time.Duration, bool) {
	if canonical.CodeOf(err) != canonical.Conflict {
		return 0, false
	}
	after := canonical.AsError(err).RetryAfter
	return after, after > 0
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return canonical.AsError(ctx.Err())
	case <-timer.C:
		return nil
	}
}

func (c *Cloud) exchange(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := c.encode(ctx, call)
	if err != nil {
		return canonical.Reply{}, err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return canonical.Reply{}, unreachable(ctx, call.Op, err)
	}
	defer resp.Body.Close()
	return c.blame(decode(ctx, call.Op, resp))
}

// stream is exchange for contents: they take as long as they take.
func (c *Cloud) stream(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	req, err := c.encode(ctx, call)
	if err != nil {
		return canonical.Reply{}, err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return canonical.Reply{}, unreachable(ctx, call.Op, err)
	}
	if call.Op == canonical.DownloadImage.Spec() && resp.StatusCode == http.StatusOK {
		out := canonical.ImageContent{Content: &canonical.Content{ReadCloser: resp.Body, Size: resp.ContentLength}}
		if sum := resp.Header.Get("Content-MD5"); sum != "" {
			out.Checksum = &sum
		}
		return canonical.Reply{Result: out}, nil
	}
	defer resp.Body.Close()
	return c.blame(decode(ctx, call.Op, resp))
}

func (c *Cloud) blame(reply canonical.Reply, err error) (canonical.Reply, error) {
	if err != nil && c.nested {
		err = blameCloud(err)
	}
	return reply, err
}
