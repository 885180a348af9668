package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// try is one exchange: it has a deadline and reads the whole answer, but for streams.
type try struct {
	next    http.RoundTripper
	timeout time.Duration // of what may be repeated; other tries have the call's deadline
	meter   *meter
}

func (t *try) RoundTrip(req *http.Request) (*http.Response, error) {
	if repeatable(req) && !streaming(req.Context()) {
		ctx, cancel := context.WithTimeout(req.Context(), t.timeout)
		defer cancel()
		req = req.WithContext(ctx)
	}
	req, sent := watchSent(req)
	begin := time.Now()
	resp, err := t.exchange(req)
	if err != nil {
		err = classify(err, req.Context())
	}
	if err != nil && !repeatable(req) {
		err = honest(err, sent())
	}
	t.meter.add(req, resp, err, time.Since(begin))
	return resp, err
}

func (t *try) exchange(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if streaming(req.Context()) && resp.StatusCode/100 == 2 {
		if err := mustBeAPI(resp); err != nil {
			return nil, errors.Join(err, resp.Body.Close())
		}
		return resp, nil
	}
	body, err := readBody(resp)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	if err := mustBeAPI(resp); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// readBody reads an answer: of success whole or not at all, of failure its
// beginning, for the rest of an error page tells nobody anything.
func readBody(resp *http.Response) ([]byte, error) {
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		if len(body) > 0 && !isContextEnd(err) {
			err = nil // what came tells the status's story well enough
		}
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, &broken{err}
	case len(body) > maxAnswer:
		return nil, canonical.Errorf(canonical.UpstreamError, "the cloud's answer is over %d MiB", maxAnswer>>20)
	default:
		return body, nil
	}
}

// mustBeAPI refuses pages that something before the API gave for a success (a log-in
// page, a portal). An answer without a body is no page, whatever it calls itself.
func mustBeAPI(resp *http.Response) error {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err == nil && kind == "text/html" && resp.StatusCode/100 == 2 && resp.ContentLength != 0 && resp.StatusCode != http.StatusNoContent {
		return canonical.Errorf(canonical.UpstreamError, "a web page answered in place of the cloud's API")
	}
	return nil
}
