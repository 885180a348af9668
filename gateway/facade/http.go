package facade

import (
	"errors"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// maxBody is the most that a request may hold, in bytes: Nova's own limit.
const maxBody = 114688

// Mount serves one service of the dialect below prefix ("/compute/v2.1"). bases
// makes the base URLs of all services of a request.
func (f *Facade) Mount(service, prefix string, bases func(*http.Request) map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connection := http.NewResponseController(w)
		req := &translate.Request{
			Service: service, Method: r.Method, Path: strings.TrimPrefix(r.URL.EscapedPath(), prefix),
			Query: r.URL.Query(), Header: r.Header,
		}
		read, err := f.receive(w, r, req)
		env := f.env(r.Context(), req, bases(r))
		var resp *translate.Response
		if err == nil {
			resp, err = f.answer(r.Context(), req, env)
		}
		deadline(connection.SetWriteDeadline, time.Now().Add(f.o.Slowest))
		whole, broken := read()
		if err != nil && broken != nil {
			err = broken
		}
		if !whole { // the rest of the body is nobody's: net/http must not wait for it
			w.Header().Set("Connection", "close")
		}
		f.write(w, r, f.said(r.Context(), resp, err, env))
		_ = connection.Flush() // the deadline is this answer's, not the connection's
		deadline(connection.SetWriteDeadline, time.Time{})
	})
}

// deadline sets one where the connection has them; recorders of tests do not.
func deadline(set func(time.Time) error, at time.Time) {
	_ = set(at)
}

func bodyError(err error) *canonical.Error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return canonical.Errorf(canonical.TooLarge, "Request is too large. Larger than max_request_body_size (%d).", tooLarge.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		e := canonical.Errorf(canonical.InvalidRequest, "the body did not arrive in time")
		e.Status = http.StatusRequestTimeout
		return e
	}
	return canonical.Errorf(canonical.InvalidRequest, "the body ended early")
}

func (f *Facade) write(w http.ResponseWriter, r *http.Request, resp *translate.Response) {
	for k, vs := range resp.Header {
		w.Header()[k] = vs
	}
	if len(resp.Body) > 0 && w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	size := int64(len(resp.Body))
	if resp.Content != nil {
		defer func() { _ = resp.Content.Close() }() // all of it was read, or the connection is cut
		size = resp.Content.Size
	}
	if size >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	}
	w.WriteHeader(resp.Status)
	switch {
	case r.Method == http.MethodHead:
	case resp.Content != nil:
		f.send(w, resp.Content)
	default:
		_, _ = w.Write(resp.Body) // the client went away: nobody is left to tell
	}
}
