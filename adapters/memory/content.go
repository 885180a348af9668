package memory

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // the checksum of images is MD5 in every cloud's API; it guards against accidents
	"encoding/hex"
	"io"
	"sync"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// defaultImageBytes is what all images together may hold, in bytes.
const defaultImageBytes = 256 << 20

// blankSize is the size of the image that every cloud begins with, in bytes: its
// disk is empty.
const blankSize = 1 << 20

// blankChecksum is the MD5 of a blank disk.
var blankChecksum = sync.OnceValue(func() string {
	h := md5.New() //nolint:gosec // see the import
	if _, err := io.Copy(h, io.LimitReader(zeros{}, blankSize)); err != nil {
		panic(err) // neither side can fail
	}
	return hex.EncodeToString(h.Sum(nil))
})

// zeros reads as zeros without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// uploadImage reads the bytes without the lock; the image is saving meanwhile, and
// queued again where they do not come whole.
func (c *Cloud) uploadImage(ctx context.Context, r canonical.ImageUpload) (canonical.TypedReply[canonical.Image], error) {
	if err := c.beginUpload(r.ID); err != nil {
		return refuse[canonical.Image](err)
	}
	data, err := c.receive(ctx, r.Content)
	c.mu.Lock()
	defer c.mu.Unlock()
	i, gone := c.findImage(r.ID)
	switch {
	case gone != nil:
		return refuse[canonical.Image](gone)
	case err == nil && c.stored+int64(len(data)) > c.most():
		err = c.full()
	}
	if err != nil {
		restImage(i, canonical.ImageQueued)
		return refuse[canonical.Image](err)
	}
	sum, size, now := md5.Sum(data), int64(len(data)), c.now() //nolint:gosec // see the import
	c.content[r.ID] = data
	c.stored += size
	restImage(i, canonical.ImageActive)
	if i.DiskFormat == nil { // nobody looks at the bytes
		i.DiskFormat = optional("raw")
	}
	i.SizeBytes, i.Checksum, i.UpdatedAt = &size, optional(hex.EncodeToString(sum[:])), &now
	return reply(copyImage(*i), nil)
}

func (c *Cloud) beginUpload(id canonical.ID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, err := c.findImage(id)
	switch {
	case err != nil:
		return err
	case i.Status != canonical.ImageQueued:
		return canonical.Errorf(canonical.FailedPrecondition, "image %s is %s: it has its bytes", id, i.Status)
	}
	restImage(i, canonical.ImageSaving)
	return nil
}

// receive reads all of the content.
func (c *Cloud) receive(ctx context.Context, from *canonical.Content) ([]byte, error) {
	if from.Size > c.most() {
		return nil, c.full()
	}
	var data bytes.Buffer
	_, err := io.Copy(&data, io.LimitReader(untilEnd{ctx, from}, c.most()+1))
	switch {
	case ctx.Err() != nil:
		return nil, canonical.AsError(ctx.Err())
	case err != nil:
		return nil, canonical.AsError(err)
	case int64(data.Len()) > c.most():
		return nil, c.full()
	}
	return data.Bytes(), nil
}

// untilEnd reads until a context ends.
type untilEnd struct {
	ctx context.Context //nolint:containedctx // a reader cannot be given one
	io.Reader
}

func (u untilEnd) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.Reader.Read(p)
}

func (c *Cloud) most() int64 {
	if c.opts.ImageBytes > 0 {
		return c.opts.ImageBytes
	}
	return defaultImageBytes
}

func (c *Cloud) full() error {
	return canonical.Errorf(canonical.QuotaExceeded, "quota exceeded for images: all together may have %d bytes", c.most())
}

func (c *Cloud) downloadImage(r canonical.ImageDownload) (canonical.TypedReply[canonical.ImageContent], error) {
	i, err := c.findImage(r.ID)
	switch {
	case err != nil:
		return refuse[canonical.ImageContent](err)
	case i.Status == canonical.ImageDeactivated:
		return refuse[canonical.ImageContent](canonical.Errorf(canonical.Forbidden, "The requested image has been deactivated. Image data download is forbidden."))
	case i.Status != canonical.ImageActive:
		return refuse[canonical.ImageContent](canonical.Errorf(canonical.FailedPrecondition, "image %s is %s: it has no bytes", r.ID, i.Status))
	}
	var from io.Reader = bytes.NewReader(c.content[r.ID]) // nobody changes them
	if _, uploaded := c.content[r.ID]; !uploaded {
		from = io.LimitReader(zeros{}, *i.SizeBytes)
	}
	return reply(canonical.ImageContent{
		Content: &canonical.Content{ReadCloser: io.NopCloser(from), Size: *i.SizeBytes}, Checksum: own(i.Checksum),
	}, nil)
}
