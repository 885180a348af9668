package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// streamIdle is how long a stream may stand still before the cloud is given up. It
// has as long for its answer once it has all that was sent.
const streamIdle = time.Minute

type streamKey struct{}

// Streaming returns a context whose calls pass the bytes of the request or of the
// answer on as they come: they have no deadline but against standing still, are not
// held in memory, and are not repeated. Who gets an answer of success closes it.
func Streaming(ctx context.Context) context.Context {
	return context.WithValue(ctx, streamKey{}, true)
}

func streaming(ctx context.Context) bool { return ctx.Value(streamKey{}) != nil }

// errIdle ends a stream that stands still because of the cloud.
var errIdle = errors.New("the cloud stands still")

// stream is RoundTrip for a call of Streaming.
func (t *Transport) stream(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	w := &watch{timer: time.AfterFunc(t.idle, func() { cancel(errIdle) }), idle: t.idle, ctx: ctx, cancel: cancel}
	out := req.WithContext(ctx)
	if req.Body != nil && req.Body != http.NoBody {
		out.Body = &sentBody{req.Body, w}
	}
	resp, err := t.chain.RoundTrip(out)
	t.condition.note(t.breaker.health())
	if err != nil {
		err = w.told(err)
		w.end()
		return nil, classify(err, req.Context())
	}
	w.timer.Stop() // until the caller reads
	resp.Body = &gotBody{resp.Body, w}
	resp.Request = req
	return resp, nil
}

// watch ends a stream when the cloud makes no progress for too long.
type watch struct {
	timer  *time.Timer
	idle   time.Duration
	ctx    context.Context //nolint:containedctx // of the stream, for its life
	cancel context.CancelCauseFunc
}

func (w *watch) end() {
	w.timer.Stop()
	w.cancel(nil)
}

// told is err with the true reason, where we ourselves ended the stream.
func (w *watch) told(err error) error {
	if errors.Is(context.Cause(w.ctx), errIdle) {
		return &canonical.Error{Code: canonical.Timeout, Detail: "the cloud stands still in the middle of a transfer", Err: errIdle}
	}
	return err
}

// sentBody is what the cloud gets. The time that the caller takes to give more of it
// is not the cloud's.
type sentBody struct {
	io.ReadCloser
	watch *watch
}

func (b *sentBody) Read(p []byte) (int, error) {
	b.watch.timer.Stop()
	n, err := b.ReadCloser.Read(p)
	b.watch.timer.Reset(b.watch.idle)
	return n, err
}

// gotBody is what the cloud gives.
type gotBody struct {
	io.ReadCloser
	watch *watch
}

func (b *gotBody) Read(p []byte) (int, error) {
	b.watch.timer.Reset(b.watch.idle)
	n, err := b.ReadCloser.Read(p)
	b.watch.timer.Stop()
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	return n, classify(&broken{b.watch.told(err)}, b.watch.ctx)
}

func (b *gotBody) Close() error {
	b.watch.end()
	return b.ReadCloser.Close()
}
