package canonical

import (
	"context"
	"errors"
	"io"
	"reflect"
)

// measure is the request with Contents that are as long as they say, or end with an
// error: nobody behind has to count, and none takes a part for the whole.
func measure(req any, op *Spec) (any, error) {
	if !holdsContent(op.Request) {
		return req, nil
	}
	v := reflect.New(op.Request).Elem()
	v.Set(reflect.ValueOf(req))
	for i := range v.NumField() {
		if v.Type().Field(i).Type != contentType {
			continue
		}
		c, _ := v.Field(i).Interface().(*Content)
		if c == nil || c.ReadCloser == nil {
			return nil, Errorf(InvalidRequest, "the bytes are missing")
		}
		if _, done := c.ReadCloser.(*measured); !done {
			v.Field(i).Set(reflect.ValueOf(&Content{&measured{from: c.ReadCloser, size: c.Size}, c.Size}))
		}
	}
	return v.Interface(), nil
}

// measured reads what is as long as its size says; a negative size is any. The last
// bytes are given only once it is known that they are the last: who gets all of size
// bytes may take them for the whole.
type measured struct {
	from io.ReadCloser
	size int64
	n    int64
	err  error // of all further reads
}

// Read implements io.Reader. Its errors are *Error.
func (m *measured) Read(p []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	n, err := m.from.Read(p)
	m.n += int64(n)
	if m.size >= 0 && m.n == m.size && err == nil {
		err = m.probe()
	}
	switch {
	case errors.Is(err, io.EOF) && m.size >= 0 && m.n < m.size, m.size >= 0 && m.n > m.size:
		m.err = Errorf(InvalidRequest, "the content does not have the %d bytes that its length says", m.size)
		return 0, m.err
	case errors.Is(err, io.EOF):
		m.err = io.EOF
	case err != nil:
		m.err = brokenOff(err)
		return 0, m.err
	}
	if n > 0 {
		return n, nil
	}
	return 0, m.err
}

// probe says whether anything comes after the last byte: io.EOF if not.
func (m *measured) probe() error {
	var one [1]byte
	for {
		n, err := m.from.Read(one[:])
		m.n += int64(n)
		if n > 0 || err != nil {
			return err
		}
	}
}

// Close implements io.Closer.
func (m *measured) Close() error { return m.from.Close() }

func brokenOff(err error) error {
	var known *Error
	switch {
	case errors.As(err, &known), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return AsError(err)
	}
	return &Error{Code: InvalidRequest, Detail: "the content ended early", Err: err}
}
