package kvm

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/digitalocean/go-libvirt"

	"github.com/dragoman-cloud/dragoman/canonical"
)

var errClosed = canonical.Errorf(canonical.Unavailable, "the host is no longer managed")

// codes maps libvirt's error numbers (virErrorNumber) to ours. What is missing is
// UpstreamError.
var codes = map[libvirt.ErrorNumber]canonical.Code{
	libvirt.ErrNoDomain:            canonical.NotFound,
	libvirt.ErrNoNetwork:           canonical.NotFound,
	libvirt.ErrNoStoragePool:       canonical.NotFound,
	libvirt.ErrNoStorageVol:        canonical.NotFound,
	libvirt.ErrNoDomainMetadata:    canonical.NotFound,
	libvirt.ErrStorageVolExist:     canonical.AlreadyExists,
	libvirt.ErrOperationInvalid:    canonical.FailedPrecondition,
	libvirt.ErrResourceBusy:        canonical.Conflict,
	libvirt.ErrOperationTimeout:    canonical.Timeout,
	libvirt.ErrConfigUnsupported:   canonical.Unsupported,
	libvirt.ErrArgumentUnsupported: canonical.Unsupported,
	libvirt.ErrNoSupport:           canonical.Unsupported,
	libvirt.ErrAuthFailed:          canonical.Unavailable,
	libvirt.ErrAuthCancelled:       canonical.Unavailable,
	libvirt.ErrAuthUnavailable:     canonical.Unavailable,
	libvirt.ErrAccessDenied:        canonical.Unavailable,
	libvirt.ErrRPC:                 canonical.Unavailable,
}

// retryAfter is what to wait for a host that cannot be reached.
const retryAfter = 5 * time.Second

// explain makes err canonical and says what was being done: "start the domain".
func (h *Host) explain(err error, doing string, args ...any) error {
	var known *canonical.Error
	var answer libvirt.Error
	doing = fmt.Sprintf(doing, args...)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.As(err, &answer):
		return h.refused(answer, doing)
	case lost(err):
		return &canonical.Error{
			Code: canonical.Unavailable, RetryAfter: retryAfter, Err: err,
			Detail: fmt.Sprintf("host %s: %s: the connection to libvirt was lost", h.opts.Name, doing),
		}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("host %s: %s: %w", h.opts.Name, doing, err)
	default:
		return &canonical.Error{
			Code: canonical.UpstreamError, Detail: fmt.Sprintf("host %s: %s: failed", h.opts.Name, doing), Err: err,
		}
	}
}

// refused is what the daemon said, as an error of ours.
func (h *Host) refused(e libvirt.Error, doing string) error {
	code, ok := codes[libvirt.ErrorNumber(e.Code)]
	if !ok {
		code = canonical.UpstreamError
	}
	detail := fmt.Sprintf("host %s: %s", h.opts.Name, doing)
	if diskFull(e) {
		code, detail = canonical.QuotaExceeded, detail+": its disk is full"
	}
	return &canonical.Error{
		Code: code, Detail: detail, Err: e,
		Upstream: &canonical.Upstream{Code: strconv.Itoa(int(e.Code)), Message: cut(e.Message, 1024)},
	}
}

// diskFull reads ENOSPC from the message, in libvirt's and the C library's words: the
// errno that libvirt sends along is not kept by go-libvirt, and qemu-img has none.
func diskFull(e libvirt.Error) bool { return strings.Contains(e.Message, "No space left on device") }

func answeredFull(err error) bool {
	var e libvirt.Error
	return errors.As(err, &e) && diskFull(e)
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// answered says whether err is what the daemon said: the connection is sound.
func answered(err error) bool {
	var answer libvirt.Error
	return errors.As(err, &answer)
}

// isCode says whether the daemon answered with one of these numbers.
func isCode(err error, numbers ...libvirt.ErrorNumber) bool {
	var answer libvirt.Error
	if !errors.As(err, &answer) {
		return false
	}
	for _, n := range numbers {
		if answer.Code == uint32(n) {
			return true
		}
	}
	return false
}

// gone says that what was asked for is not there: as good as deleted.
func gone(err error) bool {
	return isCode(err, libvirt.ErrNoDomain, libvirt.ErrNoStorageVol, libvirt.ErrNoStoragePool, libvirt.ErrNoNetwork)
}

// unlessGone is err, unless it says that the thing is not there.
func unlessGone(err error) error {
	if gone(err) {
		return nil
	}
	return err
}
