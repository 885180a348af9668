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
	var fs syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.Fd()), &fs); err != nil {
		return diskError(err)
	}
	if free := int64(fs.Bavail) * fs.Bsize; free-bytes < s.cfg.ReserveBytes {
		return noSpace(fmt.Errorf("%d bytes are free, %d stay reserved", free, s.cfg.ReserveBytes))
	}
	return nil
}
