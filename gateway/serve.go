package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// Timeouts and limits of the server. Writing has none here: answers may come after
// a wait of MaxWait, so each sets its own deadline when it begins.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 10 * time.Minute // of whole requests; uploads to mounts need it long
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
)

type drainKey struct{}

// draining is closed when the process begins to drain; waits end then.
func draining(ctx context.Context) <-chan struct{} {
	c, _ := ctx.Value(drainKey{}).(<-chan struct{})
	return c
}

// NewServer is an HTTP server for h with the timeouts and limits of this package.
// Waits of requests end when stop is closed; nil: never.
func NewServer(h http.Handler, stop <-chan struct{}) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.Background(), drainKey{}, stop)
		},
	}
}

// Serve serves h on l until ctx ends, then takes no new connection and gives the
// requests under way the time drain to end. It returns nil when all of them did,
// context.DeadlineExceeded when some were cut off, or why serving failed.
func Serve(ctx context.Context, l net.Listener, h http.Handler, drain time.Duration) error {
	srv := NewServer(h, ctx.Done())
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	err := srv.Shutdown(end)
	if err != nil {
		err = errors.Join(err, srv.Close())
	}
	if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
