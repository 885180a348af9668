package image

import (
	"crypto/md5" //nolint:gosec // the checksum of the image API; trust lies in SHA-256
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"sync"
	"sync/atomic"
)

// sums are the checksums of a file, hexadecimal.
type sums struct{ sha256, md5 string }

// chunk is how much is read and written at a time: few system calls, and the header of
// any format fits in the first.
const chunk = 1 << 20

// chunksAhead is how many chunks the reader may be ahead of the checksums; with it the
// memory of an upload is 4 MiB.
const chunksAhead = 4

// slab is a chunk that both checksums read before it is used again.
type slab struct {
	buf  []byte
	p    []byte // the part that is filled
	left atomic.Int32
}

// summer computes both checksums beside the reading and writing of the same bytes. It
// owns two goroutines, which end with finish.
type summer struct {
	free   chan *slab
	hashes [2]hash.Hash // SHA-256, MD5
	queues [2]chan *slab
	wg     sync.WaitGroup
}

func newSummer() *summer {
	s := &summer{free: make(chan *slab, chunksAhead)}
	s.hashes = [2]hash.Hash{sha256.New(), md5.New()} //nolint:gosec // see the import
	for range chunksAhead {
		s.free <- &slab{buf: make([]byte, chunk)}
	}
	for n, h := range s.hashes {
		queue := make(chan *slab, chunksAhead)
		s.queues[n] = queue
		s.wg.Go(func() { s.sum(h, queue) })
	}
	return s
}

func (s *summer) sum(h hash.Hash, queue <-chan *slab) {
	for b := range queue {
		h.Write(b.p) // never fails, says hash.Hash
		if b.left.Add(-1) == 0 {
			s.free <- b
		}
	}
}

// slab is one that the caller may fill, and gives back by add.
func (s *summer) slab() *slab { return <-s.free }

// add sums the first n bytes of b, in the background. They must not be changed.
func (s *summer) add(b *slab, n int) {
	b.p = b.buf[:n]
	b.left.Store(int32(len(s.queues)))
	for _, q := range s.queues {
		q <- b
	}
}

// finish ends the goroutines and returns the checksums of all that was added.
func (s *summer) finish() sums {
	for _, q := range s.queues {
		close(q)
	}
	s.wg.Wait()
	return sums{hex.EncodeToString(s.hashes[0].Sum(nil)), hex.EncodeToString(s.hashes[1].Sum(nil))}
}

// sumFile is the checksums of what r still holds.
func sumFile(r io.Reader) (sums, error) {
	s := newSummer()
	for {
		b := s.slab()
		n, err := r.Read(b.buf)
		s.add(b, n)
		if err != nil {
			sum := s.finish()
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return sum, err
		}
	}
}
