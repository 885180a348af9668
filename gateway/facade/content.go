package facade

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// incoming is a body that is passed on as it comes: of any length, but each part of
// it in time.
type incoming struct {
	io.ReadCloser
	within func() // sets the deadline of the next part
	ended  bool   // all of it was read
}

// Read implements io.Reader; its errors are *canonical.Error.
func (b *incoming) Read(p []byte) (int, error) {
	b.within()
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		b.ended = true
	case err != nil:
		return n, bodyError(err)
	}
	return n, err
}

// receive gives req the body of r: whole, or as content where the dialect has a call
// that passes it on. read is to be asked when the answer is known: it says whether
// the connection can be used again.
func (f *Facade) receive(w http.ResponseWriter, r *http.Request, req *translate.Request) (read func() bool, err error) {
	connection := http.NewResponseController(w)
	within := func() { deadline(connection.SetReadDeadline, time.Now().Add(f.o.Slowest)) }
	if f.o.Table.TakesContent(req) {
		in := &incoming{ReadCloser: r.Body, within: within}
		req.Content = &canonical.Content{ReadCloser: in, Size: r.ContentLength}
		return func() bool {
			if in.ended {
				deadline(connection.SetReadDeadline, time.Time{})
			}
			return in.ended || r.ContentLength == 0
		}, nil
	}
	within()
	req.Body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		deadline(connection.SetReadDeadline, time.Time{})
	}
	return func() bool { return err == nil }, err
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
