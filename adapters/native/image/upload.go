package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"golang.org/x/sys/unix"
)

// Data are what an image is to hold.
type Data struct {
	Body   io.Reader
	Size   int64  // that Body must have; -1: unknown
	SHA256 string // that Body must have, hexadecimal; "": any
}

// Upload fills an image that has no data yet, in constant memory, and returns it
// active. It answers Conflict when the image has data or gets some at this moment.
// After a failure the image has no data and waits for another try, and nothing of this
// one is left.
func (s *Store) Upload(ctx context.Context, id canonical.ID, d Data) (Image, error) {
	w, err := s.begin(id, canonical.ImageSaving, nil)
	if err != nil {
		return Image{}, err
	}
	defer s.end(id, w)
	i, err := s.fill(ctx, id, d)
	if err != nil {
		return Image{}, errors.Join(err, s.fail(id, canonical.ImageQueued, nil))
	}
	return i, nil
}

// begin claims an image for one upload or import.
func (s *Store) begin(id canonical.ID, status canonical.ImageStatus, cancel context.CancelFunc) (*work, error) {
	w := &work{cancel: cancel, done: make(chan struct{})}
	claimed := false
	_, err := s.change(id, func(e *entry) (Image, error) {
		switch {
		case e.work != nil:
			return Image{}, canonical.Errorf(canonical.Conflict, "image %s is getting its data at this moment", id)
		case e.img.Status != canonical.ImageQueued && e.img.Status != canonical.ImageError:
			return Image{}, canonical.Errorf(canonical.Conflict, "image %s has its data already", id)
		case len(e.img.Users) > 0:
			return Image{}, canonical.Errorf(canonical.Conflict, "image %s is in use", id)
		}
		e.work, claimed = w, true
		i := e.img.clone()
		i.Status, i.Reason = status, ""
		return i, nil
	})
	if err != nil && claimed {
		s.end(id, w)
	}
	return w, err
}

// end gives the claim back.
func (s *Store) end(id canonical.ID, w *work) {
	s.writes.Lock()
	defer s.writes.Unlock()
	s.entry(id).work = nil
	close(w.done)
}

// fail notes that an image got no data. When that cannot be written down it holds for
// this process; the next one finds out by itself.
func (s *Store) fail(id canonical.ID, status canonical.ImageStatus, why error) error {
	failed := func(e *entry) (Image, error) {
		i := e.img.clone()
		i.Status = status
		if why != nil {
			i.Reason = canonical.AsError(why).Detail
		}
		return i, nil
	}
	_, err := s.change(id, failed)
	if err != nil {
		s.writes.Lock()
		defer s.writes.Unlock()
		e := s.entry(id)
		i, _ := failed(e)
		s.show(e, i)
	}
	return err
}

// fill brings data into an image, from the first byte to the record that says so.
func (s *Store) fill(ctx context.Context, id canonical.ID, d Data) (_ Image, err error) {
	i, err := s.Get(id)
	if err != nil {
		return Image{}, err
	}
	part := s.disk(id) + partSuffix
	converted := s.disk(id) + ".converted" + partSuffix
	leftovers := []string{part, converted}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeAll(leftovers...))
		}
	}()
	sum, err := s.receive(ctx, part, d, declared(i))
	if err != nil {
		return Image{}, err
	}
	info, err := s.examine(ctx, part, declared(i))
	if err != nil {
		return Image{}, err
	}
	source := info.Format
	if !s.keeps(source) {
		if sum, err = s.convertTo(ctx, part, info, converted); err != nil {
			return Image{}, err
		}
		info.Format, part = s.cfg.HostFormat, converted
	} else if declared(i) == Raw {
		info.Format = Raw // also for an ISO
	}
	size, err := fileSize(part)
	if err != nil {
		return Image{}, err
	}
	leftovers = append(leftovers, s.disk(id))
	if err := commit(part, s.disk(id)); err != nil {
		return Image{}, diskError(err)
	}
	return s.change(id, func(e *entry) (Image, error) {
		i := e.img.clone()
		i.Status, i.Reason, i.SourceFormat = canonical.ImageActive, "", source
		i.DiskFormat, i.SizeBytes, i.VirtualBytes = ptr(string(info.Format)), &size, info.VirtualBytes
		i.Checksum, i.SHA256 = &sum.md5, sum.sha256
		i.MinDiskGiB = max(i.MinDiskGiB, int((info.VirtualBytes+1<<30-1)>>30))
		return i, removeAll(s.disk(id) + partSuffix) // what was converted
	})
}

func declared(i Image) Format {
	if i.DiskFormat == nil {
		return ""
	}
	return Format(*i.DiskFormat)
}

// keeps says whether hosts take the format as it is.
func (s *Store) keeps(f Format) bool {
	return f == Raw || f == ISO || f == s.cfg.HostFormat
}

func removeAll(paths ...string) error {
	var errs []error
	for _, p := range paths {
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, diskError(err))
		}
	}
	return errors.Join(errs...)
}

func fileSize(path string) (int64, error) {
	st, err := os.Stat(path)
	if err != nil {
		return 0, diskError(err)
	}
	return st.Size(), nil
}

// receive writes the body to a file that is on the disk when it returns.
func (s *Store) receive(ctx context.Context, path string, d Data, declared Format) (_ sums, err error) {
	switch {
	case d.Size > s.cfg.MaxBytes:
		return sums{}, s.tooLarge()
	case d.Size > 0:
		if err := s.checkRoom(d.Size); err != nil {
			return sums{}, err
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return sums{}, diskError(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	got, n, err := s.copy(ctx, f, d.Body, declared)
	switch {
	case err != nil:
		return sums{}, err
	case d.Size >= 0 && n != d.Size:
		return sums{}, canonical.Invalid("size_bytes", "%d bytes came, and %d were announced", n, d.Size)
	case d.SHA256 != "" && !strings.EqualFold(d.SHA256, got.sha256):
		return sums{}, canonical.Invalid("sha256", "the data have another checksum")
	}
	return got, diskError(f.Sync())
}

func (s *Store) tooLarge() error {
	return canonical.Errorf(canonical.TooLarge, "images may have up to %d bytes", s.cfg.MaxBytes)
}

// copy moves the body to f in chunks, summing one while others are read and written,
// and watches the limits. What begins like no image may is refused at the first chunk.
func (s *Store) copy(ctx context.Context, f *os.File, body io.Reader, declared Format) (_ sums, total int64, err error) {
	sum := newSummer()
	for err == nil {
		b := sum.slab()
		var n int
		n, err = s.copyChunk(ctx, f, body, b.buf, total, declared)
		sum.add(b, n)
		total += int64(n)
	}
	got := sum.finish()
	if !errors.Is(err, io.EOF) {
		return sums{}, total, bodyError(ctx, err)
	}
	return got, total, nil
}

// copyChunk moves the next chunk, at offset off. It ends with io.EOF.
func (s *Store) copyChunk(ctx context.Context, f *os.File, body io.Reader, buf []byte, off int64, declared Format) (int, error) {
	n, readErr := readChunk(ctx, body, buf)
	if off+int64(n) > s.cfg.MaxBytes {
		return n, s.tooLarge()
	}
	if off == 0 {
		if err := glance(buf[:n], declared); err != nil {
			return n, err
		}
	}
	if err := s.checkRoomAt(f, int64(n)); err != nil {
		return n, err
	}
	if _, err := f.Write(buf[:n]); err != nil {
		return n, diskError(err)
	}
	startWriting(f, off, int64(n))
	return n, readErr
}

// startWriting lets the disk work while the next chunks come, instead of all at the
// end. It only hastens: file systems that do not know it are no worse off.
func startWriting(f *os.File, off, n int64) {
	_ = unix.SyncFileRange(int(f.Fd()), off, n, unix.SYNC_FILE_RANGE_WRITE)
}

// readChunk fills buf; io.EOF says that the body ended as it should. (io.ReadFull makes
// io.ErrUnexpectedEOF of that, which is also what broken bodies give.)
func readChunk(ctx context.Context, body io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		var more int
		more, err = body.Read(buf[n:])
		n += more
	}
	return n, err
}

// bodyError is about data that did not come whole.
func bodyError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return canonical.AsError(ctx.Err())
	}
	var e *canonical.Error
	if errors.As(err, &e) {
		return e
	}
	return &canonical.Error{Code: canonical.InvalidRequest, Detail: "the data broke off", Err: err}
}

// examine tells what a file holds, holds it to what was declared and to the limits.
func (s *Store) examine(ctx context.Context, path string, declared Format) (_ Info, err error) {
	f, err := os.Open(path)
	if err != nil {
		return Info{}, diskError(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := fileSize(path)
	if err != nil {
		return Info{}, err
	}
	info, err := Inspect(f, size)
	switch {
	case err != nil:
		return Info{}, err
	case !agrees(declared, info.Format):
		return Info{}, refuse("the data are %s, and not %s", info.Format, declared)
	}
	if err := s.checkVirtual(info); err != nil || info.Format.driver() == string(Raw) {
		return info, err
	}
	if info.VirtualBytes, err = s.confirm(ctx, path, info); err != nil {
		return Info{}, err
	}
	return info, s.checkVirtual(info)
}

// checkVirtual bounds the disk. One that is converted to raw becomes a file of its size.
func (s *Store) checkVirtual(info Info) error {
	limit := s.cfg.MaxVirtualBytes
	if s.cfg.HostFormat == Raw && !s.keeps(info.Format) {
		limit = min(limit, s.cfg.MaxBytes)
	}
	if info.VirtualBytes > limit {
		return &canonical.Error{
			Code: canonical.InvalidRequest, Detail: fmt.Sprintf("the disk in the image has %d bytes; up to %d are taken", info.VirtualBytes, limit),
			Fields: []canonical.FieldError{{Field: field, Reason: "holds a disk that is too large"}},
		}
	}
	return nil
}

// convertedBytes is the most that a disk takes in the hosts' format: its size, and for
// qcow2 tables of less than a 64th of it.
func convertedBytes(info Info) int64 { return info.VirtualBytes + info.VirtualBytes/64 + 16<<20 }

// convertTo makes a file of the hosts' format, on the disk when it returns.
func (s *Store) convertTo(ctx context.Context, from string, info Info, to string) (_ sums, err error) {
	select {
	case s.convs <- struct{}{}:
		defer func() { <-s.convs }()
	case <-ctx.Done():
		return sums{}, canonical.AsError(ctx.Err())
	}
	free, err := freeBytes(s.lock)
	if err != nil {
		return sums{}, err
	}
	most := convertedBytes(info)
	limit, takeBack, err := s.promise(free, most)
	if err != nil {
		return sums{}, err
	}
	defer takeBack()
	if err := s.convert(ctx, from, info, to, limit); err != nil {
		if limit < min(most, s.cfg.MaxBytes) && canonical.CodeOf(err) == canonical.TooLarge {
			err = noSpace(err) // it was the room that was short
		}
		return sums{}, err
	}
	f, err := os.Open(to)
	if err != nil {
		return sums{}, diskError(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Sync(); err != nil {
		return sums{}, diskError(err)
	}
	got, err := sumFile(f)
	return got, diskError(err)
}
