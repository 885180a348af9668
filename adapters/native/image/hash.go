package image

import (
	"crypto/md5" //nolint:gosec // the checksum of the image API; trust lies in SHA-256
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
)

// sums are the checksums of a file, hexadecimal.
type sums struct{ sha256, md5 string }

// summer computes both checksums beside the writing of the same bytes. Its two
// goroutines end with close.
type summer struct {
	sha256, md5 hash.Hash
	work        [2]chan []byte
	done        chan struct{}
}

func newSummer() *summer {
	s := &summer{sha256: sha256.New(), md5: md5.New(), done: make(chan struct{})} //nolint:gosec // see the import
	for n, h := range []hash.Hash{s.sha256, s.md5} {
		s.work[n] = make(chan []byte)
		go func() {
			for p := range s.work[n] {
				h.Write(p) // never fails, says hash.Hash
				s.done <- struct{}{}
			}
		}()
	}
	return s
}

// start begins to add p, which must not change until wait.
func (s *summer) start(p []byte) {
	s.work[0] <- p
	s.work[1] <- p
}

func (s *summer) wait() {
	<-s.done
	<-s.done
}

func (s *summer) close() {
	close(s.work[0])
	close(s.work[1])
}

func (s *summer) sums() sums {
	return sums{hex.EncodeToString(s.sha256.Sum(nil)), hex.EncodeToString(s.md5.Sum(nil))}
}

// chunk is how much is read, written and summed at a time: few system calls, and a
// header of any format fits in the first.
const chunk = 1 << 20

// sumFile is the checksums of what r still holds.
func sumFile(r io.Reader) (sums, error) {
	s := newSummer()
	defer s.close()
	buf := make([]byte, chunk)
	for {
		n, err := r.Read(buf)
		s.start(buf[:n])
		s.wait()
		if err == io.EOF {
			return s.sums(), nil
		}
		if err != nil {
			return sums{}, err
		}
	}
}
