package nova

import (
	"io"
	"sync/atomic"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// onlyOnce lets it be told of a request whether its content has been begun, and the
// request cannot be sent once more.
func onlyOnce(req **translate.Request) (begun func() bool) {
	if (*req).Content == nil {
		return func() bool { return false }
	}
	counted := **req
	once := &onceReader{ReadCloser: counted.Content.ReadCloser}
	counted.Content = &canonical.Content{ReadCloser: once, Size: counted.Content.Size}
	*req = &counted
	return once.begun.Load
}

// onceReader notes that it is read.
type onceReader struct {
	io.ReadCloser
	begun atomic.Bool
}

func (o *onceReader) Read(p []byte) (int, error) {
	o.begun.Store(true)
	return o.ReadCloser.Read(p)
}
