package kvm

import (
	"context"
	"errors"
	"io"
	"path"
	"sync"

	"github.com/digitalocean/go-libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// BaseSource is the data of an image.
type BaseSource struct {
	Format    string // qcow2 or raw; a qcow2 must not have a backing file
	SizeBytes int64  // of the data, as it is read
	// Open begins to read from the start; it is called again when the upload is.
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// Base is an image on the host, on which disks are overlays. It stays there at least
// until Release.
type Base struct {
	ImageID canonical.ID
	Bytes   uint64 // size of the disk that it makes

	path    string
	format  string
	release func()
}

// Release lets the image be evicted, unless servers use it. Call it once the servers
// that are to use it are defined.
func (b *Base) Release() {
	if b.release != nil {
		b.release()
	}
}

// bases counts who uses an image and is not seen in the table yet, and shares uploads.
type bases struct {
	mu    sync.Mutex
	holds map[canonical.ID]int
	loads map[canonical.ID]*load
}

// load is an upload under way, for everybody who asked for the image.
type load struct {
	waiters int
	cancel  context.CancelFunc // called when nobody waits any more
	done    chan struct{}
	base    Base
	err     error
}

func (b *bases) hold(id canonical.ID) (release func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.holds == nil {
		b.holds = map[canonical.ID]int{}
	}
	b.holds[id]++
	return sync.OnceFunc(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.holds[id]--; b.holds[id] == 0 {
			delete(b.holds, id)
		}
	})
}

func (b *bases) held(id canonical.ID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.holds[id] > 0
}

// EnsureBase brings an image to the host unless it is there: once, however many ask
// at the same time. The caller must Release the base.
func (h *Host) EnsureBase(ctx context.Context, id canonical.ID, src BaseSource) (*Base, error) {
	if !validID(string(id)) {
		return nil, canonical.Invalid("image", "the id %q is not a UUID", id)
	}
	if src.Format != "qcow2" && src.Format != "raw" {
		return nil, canonical.Invalid("image", "the format must be qcow2 or raw, not %q", src.Format)
	}
	release := h.bases.hold(id)
	l, err := h.joinLoad(id, src)
	if err != nil {
		release()
		return nil, err
	}
	defer h.leaveLoad(id, l)
	select {
	case <-l.done:
	case <-ctx.Done():
		release()
		return nil, ctx.Err()
	}
	if l.err != nil {
		release()
		return nil, l.err
	}
	base := l.base
	base.release = release
	return &base, nil
}

func (h *Host) joinLoad(id canonical.ID, src BaseSource) (*load, error) {
	h.bases.mu.Lock()
	defer h.bases.mu.Unlock()
	if l := h.bases.loads[id]; l != nil {
		l.waiters++
		return l, nil
	}
	ctx, cancel := context.WithCancel(h.ctx)
	l := &load{waiters: 1, cancel: cancel, done: make(chan struct{})}
	ok := h.spawn(func() {
		defer close(l.done)
		l.err = h.loadBase(ctx, id, src, &l.base)
	})
	if !ok {
		cancel()
		return nil, errClosed
	}
	if h.bases.loads == nil {
		h.bases.loads = map[canonical.ID]*load{}
	}
	h.bases.loads[id] = l
	return l, nil
}

// leaveLoad forgets an upload for which nobody waits; whoever comes next looks anew.
func (h *Host) leaveLoad(id canonical.ID, l *load) {
	h.bases.mu.Lock()
	defer h.bases.mu.Unlock()
	if l.waiters--; l.waiters > 0 {
		return
	}
	l.cancel()
	if h.bases.loads[id] == l {
		delete(h.bases.loads, id)
	}
}

// The volumes of an image: its data, and a mark that is made when the data is whole.
func baseName(id canonical.ID, format string) string { return string(id) + "." + format }
func baseMark(id canonical.ID) string                { return string(id) + ".whole" }

// loadBase finds the image on the host, or uploads it.
func (h *Host) loadBase(ctx context.Context, id canonical.ID, src BaseSource, base *Base) error {
	unlock, err := h.locks.lock(ctx, "base "+string(id))
	if err != nil {
		return err
	}
	defer unlock()
	return h.step(ctx, "bring the image to the host", func(ctx context.Context) error {
		p, err := h.pool(ctx, basePool)
		if err != nil {
			return err
		}
		v, err := h.volume(ctx, p, baseName(id, src.Format))
		if err == nil {
			_, err = h.volume(ctx, p, baseMark(id))
		}
		if gone(err) {
			v, err = h.uploadBase(ctx, p, id, src)
		}
		if err != nil {
			return err
		}
		found, err := h.readBase(ctx, v)
		found.ImageID, found.format = id, src.Format
		if src.Format == "raw" { // libvirt may see another format in the data
			found.Bytes = uint64(src.SizeBytes)
		}
		*base = found
		return err
	})
}

func (h *Host) uploadBase(ctx context.Context, p libvirt.StoragePool, id canonical.ID, src BaseSource) (libvirt.StorageVol, error) {
	v, err := h.fillBase(ctx, p, id, src)
	if err != nil {
		undo, cancel := h.undoing(ctx)
		defer cancel()
		if lost(err) {
			return v, err // the next attempt replaces it, and so does any later one
		}
		return v, errors.Join(err, h.deleteVolumes(undo, p, string(id)))
	}
	_, err = h.newVolume(ctx, p, rawVolume(baseMark(id), 0))
	return v, err
}

func (h *Host) fillBase(ctx context.Context, p libvirt.StoragePool, id canonical.ID, src BaseSource) (libvirt.StorageVol, error) {
	// Made as raw whatever it is, for libvirt would write a header of its own.
	// Not to be abandoned in the middle: what is made then would come after the undo.
	m, err := h.newVolume(context.WithoutCancel(ctx), p, rawVolume(baseName(id, src.Format), uint64(src.SizeBytes)))
	v := m.volume
	if err != nil {
		return v, err
	}
	r, err := src.Open(ctx)
	if err != nil {
		return v, err
	}
	if err := errors.Join(h.upload(ctx, v, r, src.SizeBytes), r.Close()); err != nil {
		return v, err
	}
	// A refresh makes libvirt find out what it is now.
	if err := h.call(ctx, func(a api) error { return a.StoragePoolRefresh(p, 0) }); err != nil {
		return v, err
	}
	return v, h.checkBase(ctx, v, src.Format)
}

// checkBase refuses an image that is not what it was said to be, or that would read
// other files of the host through a backing file. Data of a raw image that looks like
// another format is what raw means: it is data.
func (h *Host) checkBase(ctx context.Context, v libvirt.StorageVol, format string) error {
	def, err := fetch(ctx, h, func(a api) (*libvirtxml.StorageVolume, error) { return describe(a, v) })
	switch {
	case err != nil:
		return err
	case format == "raw":
		return nil
	case def.Target == nil || def.Target.Format == nil || def.Target.Format.Type != format:
		return canonical.Invalid("image", "is not %s", format)
	case def.BackingStore != nil && def.BackingStore.Path != "":
		return canonical.Invalid("image", "refers to another file")
	}
	return nil
}

func describe(a api, v libvirt.StorageVol) (*libvirtxml.StorageVolume, error) {
	text, err := a.StorageVolGetXMLDesc(v, 0)
	if err != nil {
		return nil, err
	}
	def := new(libvirtxml.StorageVolume)
	return def, def.Unmarshal(text)
}

// readBase tells where the image is, and how large a disk it makes.
func (h *Host) readBase(ctx context.Context, v libvirt.StorageVol) (Base, error) {
	return fetch(ctx, h, func(a api) (b Base, err error) {
		if b.path, err = a.StorageVolGetPath(v); err != nil {
			return b, err
		}
		_, b.Bytes, _, err = a.StorageVolGetInfo(v)
		return b, err
	})
}

// EvictBase deletes an image from the host. It is FailedPrecondition while servers,
// or creates under way, use it; one that is not there is no failure.
func (h *Host) EvictBase(ctx context.Context, id canonical.ID) error {
	if !validID(string(id)) {
		return canonical.Invalid("image", "the id %q is not a UUID", id)
	}
	unlock, err := h.locks.lock(ctx, "base "+string(id))
	if err != nil {
		return err
	}
	defer unlock()
	if h.bases.held(id) {
		return canonical.Errorf(canonical.FailedPrecondition, "image %s is in use on host %s: servers are made of it", id, h.opts.Name)
	}
	return h.step(ctx, "evict the image", func(ctx context.Context) error {
		from, err := h.pool(ctx, basePool)
		if err != nil {
			return err
		}
		disks, err := h.pool(ctx, serversPool)
		if err != nil {
			return err
		}
		return h.call(ctx, func(a api) error { return h.evict(a, from, disks, id) })
	})
}

func (h *Host) evict(a api, from, disks libvirt.StoragePool, id canonical.ID) error {
	for _, format := range []string{"qcow2", "raw"} {
		v, err := a.StorageVolLookupByName(from, baseName(id, format))
		if gone(err) {
			continue
		}
		// libvirt itself deletes a volume that others need without a word.
		used, err := overlays(a, disks, v)
		switch {
		case err != nil:
			return err
		case used > 0:
			return canonical.Errorf(canonical.FailedPrecondition, "image %s is in use on host %s: by %d disks", id, h.opts.Name, used)
		}
		// The mark first: what has none is not trusted.
		if err := errors.Join(deleteVolume(a, from, baseMark(id)), deleteVolume(a, from, v.Name)); err != nil {
			return err
		}
	}
	return deleteVolume(a, from, baseMark(id))
}

// overlays counts the disks that are overlays on a volume. The host's own files tell:
// records can be spoiled, and other processes may make servers too.
func overlays(a api, disks libvirt.StoragePool, base libvirt.StorageVol) (int, error) {
	where, err := a.StorageVolGetPath(base)
	if err != nil {
		return 0, err
	}
	all, _, err := a.StoragePoolListAllVolumes(disks, 1, 0)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, v := range all {
		if path.Ext(v.Name) != ".qcow2" {
			continue
		}
		def, err := describe(a, v)
		switch {
		case gone(err): // since the list was made
		case err != nil:
			return 0, err
		case def.BackingStore != nil && def.BackingStore.Path == where:
			n++
		}
	}
	return n, nil
}
