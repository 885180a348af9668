package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

const (
	maxRedirects = 5
	dialTimeout  = 10 * time.Second
	// answerTimeout is for the head of the answer; the body has the import's own limit.
	answerTimeout = 30 * time.Second
)

// fetcher reads URLs of strangers.
type fetcher struct {
	allow  Allow
	client *http.Client
}

func newFetcher(cfg Config) *fetcher {
	f := &fetcher{allow: cfg.Allow}
	f.client = &http.Client{
		CheckRedirect: f.redirect,
		Transport: &http.Transport{
			// No proxy: it would dial for us, and not look at the address.
			Proxy: nil, DialContext: f.dial, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: answerTimeout,
			MaxResponseHeaderBytes: 64 << 10, DisableCompression: true, DisableKeepAlives: true,
		},
	}
	return f
}

func (f *fetcher) close() { f.client.CloseIdleConnections() }

// checkURL refuses what is no plain address of a file.
func checkURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Host == "", u.Opaque != "":
		return nil, canonical.Invalid("url", "is no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, canonical.Invalid("url", "must be http or https")
	case u.User != nil:
		return nil, canonical.Invalid("url", "must not hold credentials: they would be kept and logged")
	}
	return u, nil
}

// redirect checks each next address as the first was; dial looks at where it leads.
func (f *fetcher) redirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return canonical.Invalid("url", "redirects more than %d times", maxRedirects)
	}
	if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme == "http" {
		return canonical.Invalid("url", "redirects from https to http")
	}
	_, err := checkURL(req.URL.String())
	return err
}

// dial connects to host names that are allowed, else to addresses that are. An address
// is judged when it is dialled, after the name was resolved: a name that changes its
// address between a check and the call gains nothing.
func (f *fetcher) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: dialTimeout}
	if !f.allow.host(host) {
		d.Control = f.control
	}
	return d.DialContext(ctx, network, address)
}

func (f *fetcher) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !f.allow.addr(to.Addr()) {
		return canonical.Invalid("url", "leads to %s, which is no public address and not allowed", to.Addr())
	}
	return nil
}

// get opens a URL. Its size is -1 where the server does not say it.
func (f *fetcher) get(ctx context.Context, u *url.URL) (io.ReadCloser, int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, 0, canonical.Invalid("url", "is no URL")
	}
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, 0, fetchError(ctx, err)
	}
	if resp.StatusCode != http.StatusOK {
		err := canonical.Errorf(canonical.UpstreamError, "the server of the URL answered %d", resp.StatusCode)
		return nil, 0, errors.Join(err, resp.Body.Close())
	}
	return fetched{resp.Body}, resp.ContentLength, nil
}

// fetchError keeps what our own checks said, and calls all else the server's fault.
func fetchError(ctx context.Context, err error) error {
	var own *canonical.Error
	switch {
	case errors.As(err, &own):
		return own
	case ctx.Err() != nil:
		return canonical.AsError(ctx.Err())
	}
	return &canonical.Error{Code: canonical.UpstreamError, Detail: "the URL cannot be read", Err: fmt.Errorf("import: %w", err)}
}

// fetched is a body whose failures are the server's, not those of our caller.
type fetched struct{ io.ReadCloser }

func (b fetched) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &canonical.Error{Code: canonical.UpstreamError, Detail: "the data of the URL broke off", Err: err}
	}
	return n, err
}
