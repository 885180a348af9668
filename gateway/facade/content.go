package facade

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// incoming is a body that is passed on as it comes: of any length, but each part of
// it in time.
type incoming struct {
	io.ReadCloser
	within func() // sets the deadline of the next part

	mu    sync.Mutex // a cloud's connection may still read when the answer is known
	ended bool       // all of it was read
	err   error      // why it was not
}

func (b *incoming) end() (ended bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended, b.err
}

// Read implements io.Reader; its errors are *canonical.Error.
func (b *incoming) Read(p []byte) (int, error) {
	b.within()
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case errors.Is(err, io.EOF):
		b.ended = true
	case err != nil:
		b.err = bodyError(err)
		return n, b.err
	}
	return n, err
}

// receive gives req the body of r: whole, or as content where the dialect has a call
// that passes it on. read is to be asked when the answer is known: it says whether
// the connection can be used again, and what went wrong with the content, which is
// then the reason of all other failures.
func (f *Facade) receive(w http.ResponseWriter, r *http.Request, req *translate.Request) (read func() (bool, error), err error) {
	connection := http.NewResponseController(w)
	within := func() { deadline(connection.SetReadDeadline, time.Now().Add(f.o.Slowest)) }
	if f.o.Table.TakesContent(req) {
		in := &incoming{ReadCloser: r.Body, within: within}
		req.Content = &canonical.Content{ReadCloser: in, Size: r.ContentLength}
		return func() (bool, error) {
			ended, err := in.end()
			if ended {
				deadline(connection.SetReadDeadline, time.Time{})
			}
			return ended || r.ContentLength == 0, err
		}, nil
	}
	within()
	req.Body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		deadline(connection.SetReadDeadline, time.Time{})
	} else {
		err = bodyError(err)
	}
	return func() (bool, error) { return err == nil, err }, err
}

// send passes content on to the client, each part in time. An answer that cannot be
// finished is cut off, so that nobody takes it for the whole.
func (f *Facade) send(w http.ResponseWriter, content *canonical.Content) {
	connection := http.NewResponseController(w)
	out := outgoing{w, func() { deadline(connection.SetWriteDeadline, time.Now().Add(f.o.Slowest)) }}
	if _, err := io.Copy(out, content); err != nil {
		panic(http.ErrAbortHandler)
	}
}

type outgoing struct {
	w      io.Writer
	within func()
}

// Write implements io.Writer.
func (o outgoing) Write(p []byte) (int, error) {
	o.within()
	return o.w.Write(p)
}
