package facade

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// maxBody is the most that a request may hold, in bytes: Nova's own limit.
const maxBody = 114688

// Mount serves one service of the dialect below prefix ("/compute/v2.1"). bases
// makes the base URLs of all services of a request.
func (f *Facade) Mount(service, prefix string, bases func(*http.Request) map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		req := &translate.Request{
			Service: service, Method: r.Method, Path: strings.TrimPrefix(r.URL.EscapedPath(), prefix),
			Query: r.URL.Query(), Header: r.Header, Body: body,
		}
		var resp *translate.Response
		if err != nil {
			resp = f.o.Table.SayError(bodyError(err), req, &translate.Env{Bases: bases(r), Wire: req})
		} else {
			resp = f.Handle(r.Context(), req, bases(r))
		}
		write(w, r, resp)
	})
}

func bodyError(err error) *canonical.Error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return canonical.Errorf(canonical.TooLarge, "Request is too large. Larger than max_request_body_size (%d).", tooLarge.Limit)
	}
	return canonical.Errorf(canonical.InvalidRequest, "the body ended early")
}

func write(w http.ResponseWriter, r *http.Request, resp *translate.Response) {
	for k, vs := range resp.Header {
		w.Header()[k] = vs
	}
	if len(resp.Body) > 0 && w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(resp.Body)))
	w.WriteHeader(resp.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(resp.Body) // the client went away: nobody is left to tell
	}
}
