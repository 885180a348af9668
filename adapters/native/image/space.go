package image

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"syscall"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// noSpace is Unavailable, with the HTTP status of its own.
func noSpace(cause error) *canonical.Error {
	return &canonical.Error{
		Code: canonical.Unavailable, Status: http.StatusInsufficientStorage,
		Detail: "the image store has no space left", Err: cause,
	}
}

// diskError tells full disks from other failures of files.
func diskError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return noSpace(err)
	default:
		return &canonical.Error{Code: canonical.Internal, Detail: "the image store cannot be written", Err: err}
	}
}

// checkRoom refuses what would take the file system below its reserve.
func (s *Store) checkRoom(bytes int64) error { return s.checkRoomAt(s.lock, bytes) }

// checkRoomAt is checkRoom for the file system of f.
func (s *Store) checkRoomAt(f *os.File, bytes int64) error {
	free, err := freeBytes(f)
	if err == nil && free-bytes < s.cfg.ReserveBytes {
		return s.reserved(free)
	}
	return err
}

func (s *Store) reserved(free int64) error {
	return noSpace(fmt.Errorf("%d bytes are free, %d stay reserved", free, s.cfg.ReserveBytes))
}

// freeBytes is what is free on the file system of f.
func freeBytes(f *os.File) (int64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.Fd()), &fs); err != nil {
		return 0, diskError(err)
	}
	return int64(fs.Bavail) * fs.Bsize, nil
}

// promise sets aside of the free bytes what a conversion may write, up to most, until it
// is taken back: other conversions under way have promises too.
func (s *Store) promise(free, most int64) (bytes int64, takeBack func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bytes = min(most, s.cfg.MaxBytes, free-s.cfg.ReserveBytes-s.promised)
	if bytes <= 0 {
		return 0, nil, s.reserved(free)
	}
	s.promised += bytes
	return bytes, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.promised -= bytes
	}, nil
}
