package kvm

import (
	"context"

	"github.com/digitalocean/go-libvirt"
)

// Console is the end of what a server's console printed since it last started, at most
// maxBytes of it. It is read through libvirt, so it works for hosts far away.
func (h *Host) Console(ctx context.Context, id string, maxBytes int) ([]byte, error) {
	if _, err := h.Get(id); err != nil {
		return nil, err
	}
	var out []byte
	err := h.step(ctx, "read the console", func(ctx context.Context) error {
		l, err := h.consoleLog(ctx, id)
		if gone(err) { // never started, or somebody removed it
			return nil
		}
		if err != nil {
			return err
		}
		want := uint64(max(maxBytes, 0))
		from := l.size - min(l.size, want)
		w := tail{most: want}
		if l.size > 0 && want > 0 {
			// What is printed meanwhile comes too: there is no end but that of the file.
			err = h.download(ctx, l.volume, &w, from, 0)
		}
		out = w.kept()
		return err
	})
	return out, err
}

// consoleLog is the file that keeps a console, and its size now.
type consoleLog struct {
	volume libvirt.StorageVol
	size   uint64
}

func (h *Host) consoleLog(ctx context.Context, id string) (consoleLog, error) {
	p, err := h.pool(ctx, serversPool)
	if err != nil {
		return consoleLog{}, err
	}
	return fetch(ctx, h, func(a api) (l consoleLog, err error) {
		if l.volume, err = a.StorageVolLookupByName(p, logName(id)); err != nil {
			return l, err
		}
		_, l.size, _, err = a.StorageVolGetInfo(l.volume)
		return l, err
	})
}

// tail keeps the end of what is written to it.
type tail struct {
	most uint64
	data []byte
}

// Write implements io.Writer; it does not fail.
func (t *tail) Write(b []byte) (int, error) {
	t.data = append(t.data, b...)
	if uint64(len(t.data)) > 2*t.most { // now and then, so that it is not copied each time
		t.data = append([]byte(nil), t.kept()...)
	}
	return len(b), nil
}

func (t *tail) kept() []byte { return t.data[uint64(len(t.data))-min(uint64(len(t.data)), t.most):] }
