package nova

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/adapters/transport"
	"github.com/dragoman-cloud/dragoman/adapters/wire"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

const userAgent = "dragoman"

// conn is an account's connection to an OpenStack.
type conn struct {
	keystone, region, iface string

	auth      Auth
	transport *transport.Transport
	shared    bool // the transport, with other accounts
	client    *http.Client
	keeper    keeper
	windows   windows // of services
	// catalogAge is how long a catalog is believed that lacks a service.
	catalogAge time.Duration
}

var (
	_ wire.Conn      = (*conn)(nil)
	_ wire.Forgetter = (*conn)(nil)
)

func newConn(o Options) *conn {
	t := o.Shared
	if t == nil {
		t = transport.New(o.Transport)
	}
	c := &conn{
		keystone: o.keystone(), region: o.Region, iface: o.Interface,
		auth: o.Auth, transport: t, client: t.Client(), shared: o.Shared != nil,
		catalogAge: time.Minute,
	}
	c.keeper.limit, c.keeper.renew = o.Transport.Timeout, c.logIn
	if c.keeper.limit == 0 {
		c.keeper.limit = transport.DefaultTimeout
	}
	return c
}

// Session implements wire.Conn.
func (c *conn) Session(ctx context.Context, service string) (wire.Session, error) {
	l, err := c.keeper.get(ctx, "")
	if err == nil && l.bases[service] == "" && time.Since(l.made) >= c.catalogAge {
		l, err = c.keeper.get(ctx, l.token) // it may have come back
	}
	if err != nil {
		return wire.Session{}, err
	}
	s := wire.Session{Bases: l.bases, Project: l.project, User: l.user}
	if s.Bases[service] == "" {
		return wire.Session{}, c.missing(service)
	}
	if at, versioned := versionDocuments[service]; versioned {
		s.Window, err = c.window(ctx, service, at)
	}
	return s, err
}

// Send implements wire.Conn. A call that is refused for its token was not begun,
// so it is sent once more with a new one.
func (c *conn) Send(ctx context.Context, req *translate.Request) (*translate.Response, error) {
	l, err := c.keeper.get(ctx, "")
	if err != nil {
		return nil, err
	}
	begun := onlyOnce(&req)
	resp, err := c.exchange(ctx, req, l)
	if err != nil || resp.Status != http.StatusUnauthorized || begun() {
		return resp, err
	}
	if l, err = c.keeper.get(ctx, l.token); err != nil {
		return nil, err
	}
	resp, err = c.exchange(ctx, req, l)
	if err == nil && resp.Status == http.StatusUnauthorized {
		return nil, statusError(resp.Status, "the cloud refuses the token that it has just given")
	}
	return resp, err
}

func (c *conn) exchange(ctx context.Context, req *translate.Request, l *login) (*translate.Response, error) {
	out, err := c.request(ctx, req, l)
	if err != nil {
		return nil, err
	}
	resp, err := c.client.Do(out)
	if err != nil {
		return nil, transportError(err)
	}
	if req.Streams && resp.StatusCode == http.StatusOK {
		content := &canonical.Content{ReadCloser: resp.Body, Size: resp.ContentLength}
		return &translate.Response{Status: resp.StatusCode, Header: resp.Header, Content: content}, nil
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, canonical.AsError(err)
	}
	return &translate.Response{Status: trueStatus(resp.StatusCode, body), Header: resp.Header, Body: body}, nil
}

// maxFault is the most bytes that an error of an API has; larger answers are data.
const maxFault = 16 << 10

// trueStatus is the status that an answer should have had: proxies and wrappers
// give errors of the API behind them with a 200. Such a body holds one object of
// an error's code and message.
func trueStatus(status int, body []byte) int {
	if status != http.StatusOK || len(body) > maxFault {
		return status
	}
	var faults map[string]struct {
		Code    int     `json:"code"`
		Message *string `json:"message"`
	}
	if json.Unmarshal(body, &faults) != nil || len(faults) != 1 {
		return status
	}
	for _, f := range faults {
		if f.Code >= 400 && f.Code <= 599 && f.Message != nil {
			return f.Code
		}
	}
	return status
}

func (c *conn) request(ctx context.Context, req *translate.Request, l *login) (*http.Request, error) {
	base, ok := l.bases[req.Service]
	if !ok {
		return nil, c.missing(req.Service)
	}
	target := base + req.Path
	if len(req.Query) > 0 {
		target += "?" + req.Query.Encode()
	}
	if req.Content != nil || req.Streams {
		ctx = transport.Streaming(ctx)
	}
	out, err := http.NewRequestWithContext(ctx, req.Method, target, bytes.NewReader(req.Body))
	if err != nil {
		return nil, &canonical.Error{Code: canonical.Internal, Detail: "the request has no valid address", Err: err}
	}
	for name, values := range req.Header {
		out.Header[http.CanonicalHeaderKey(name)] = values
	}
	for name, value := range causeHeaders(ctx) {
		out.Header.Set(name, value)
	}
	out.Header.Set("User-Agent", userAgent)
	out.Header.Set("Accept", "application/json")
	out.Header.Set("X-Auth-Token", l.token)
	if len(req.Body) > 0 && out.Header.Get("Content-Type") == "" {
		out.Header.Set("Content-Type", "application/json")
	}
	if req.Content != nil {
		out.Body, out.GetBody, out.ContentLength = io.NopCloser(req.Content), nil, req.Content.Size
		if req.Content.Size != 0 { // a cloud that refuses the call does so before it has all of it
			out.Header.Set("Expect", "100-continue")
		}
	}
	return out, nil
}

// transportError takes the address, which http.Client puts there, off an error.
func transportError(err error) error {
	var known *canonical.Error
	if errors.As(err, &known) {
		return known
	}
	return &canonical.Error{Code: canonical.UpstreamError, Detail: "the cloud's answer cannot be followed", Err: err}
}

// requestSpace is the name space of the request ids that OpenStack is told: it wants
// UUIDs, and ours may be any text.
var requestSpace = uuid.NewSHA1(uuid.NameSpaceDNS, []byte("dragoman"))

// causeHeaders are the headers by which OpenStack's services log whom they work for,
// and go on with the caller's trace.
func causeHeaders(ctx context.Context) map[string]string {
	o, out := canonical.OptionsOf(ctx), map[string]string{}
	if o.RequestID != "" {
		out["X-Openstack-Request-Id"] = "req-" + uuid.NewSHA1(requestSpace, []byte(o.RequestID)).String()
	}
	if o.Trace != "" {
		out["Traceparent"] = o.Trace
	}
	return out
}
