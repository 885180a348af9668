package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// qemuInfo is what `qemu-img info --output=json` says.
type qemuInfo struct {
	VirtualSize int64           `json:"virtual-size"`
	Format      string          `json:"format"`
	Encrypted   bool            `json:"encrypted"`
	Backing     string          `json:"backing-filename"`
	Specific    json.RawMessage `json:"format-specific"`
}

// confirm lets qemu-img read the headers as well, as the format that Inspect found,
// and holds it to the same rules. It returns the size that qemu gives the disk.
func (s *Store) confirm(ctx context.Context, path string, info Info) (int64, error) {
	out, err := s.qemuImg(ctx, inspectLimits, 0, "info", "--output=json", "-f", info.Format.driver(), "--", path)
	if err != nil {
		return 0, err
	}
	var said qemuInfo
	if err := json.Unmarshal(out, &said); err != nil {
		return 0, canonical.Errorf(canonical.Internal, "qemu-img info: %w", err)
	}
	var specific struct {
		Data struct {
			DataFile string `json:"data-file"`
		} `json:"data"`
	}
	if len(said.Specific) > 0 {
		if err := json.Unmarshal(said.Specific, &specific); err != nil {
			return 0, canonical.Errorf(canonical.Internal, "qemu-img info: %w", err)
		}
	}
	switch {
	case said.Format != info.Format.driver():
		return 0, refuse("is %s to qemu, and not %s", said.Format, info.Format)
	case said.Backing != "":
		return 0, refuse("has a backing file")
	case said.Encrypted:
		return 0, refuse("is encrypted")
	case specific.Data.DataFile != "":
		return 0, refuse("has an external data file")
	}
	return said.VirtualSize, nil
}

// convert writes the disk of one file to another in the hosts' format, of up to so many
// bytes.
func (s *Store) convert(ctx context.Context, from string, info Info, to string, limit int64) error {
	_, err := s.qemuImg(ctx, s.cfg.Convert, limit,
		"convert", "-q", "-f", info.Format.driver(), "-O", s.cfg.HostFormat.driver(), "--", from, to)
	return err
}

// What is kept of a tool's words.
const (
	stdoutLimit = 1 << 20
	stderrLimit = 4 << 10
)

// qemuImg runs qemu-img under limits, which prlimit(1) sets: Go cannot set them on a
// child before it runs. fileBytes is the largest file that it may write. A failure is
// the fault of the image unless the limits, the disk or the caller ended the run.
func (s *Store) qemuImg(ctx context.Context, l Limits, fileBytes int64, args ...string) ([]byte, error) {
	tool, err := exec.LookPath("qemu-img") // prlimit's own failure to start it looks like the image's
	if err != nil {
		return nil, cannotRun(err)
	}
	ctx, cancel := context.WithTimeout(ctx, l.Time)
	defer cancel()
	limited := append([]string{
		"--core=0", "--nofile=64",
		"--cpu=" + strconv.FormatInt(int64(max(l.CPU/time.Second, 1)), 10),
		"--as=" + strconv.FormatInt(l.MemoryBytes, 10),
		"--fsize=" + strconv.FormatInt(fileBytes, 10),
		"--", tool,
	}, args...)
	cmd := exec.CommandContext(ctx, "prlimit", limited...) //nolint:gosec // paths and formats are the store's own
	cmd.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = 5 * time.Second
	stdout, stderr := &capped{limit: stdoutLimit}, &capped{limit: stderrLimit}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	// Pdeathsig is sent when the thread that made the child ends (go.dev/issue/27505).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err = cmd.Run()
	if err == nil {
		return stdout.buf.Bytes(), nil
	}
	return nil, toolError(ctx, args[0], err, stderr.buf.String())
}

func cannotRun(err error) error {
	return &canonical.Error{Code: canonical.Unavailable, Detail: "qemu-img cannot be run", Err: err}
}

// toolError says whose fault it was. A full disk is told from the text alone: qemu-img
// has no exit status for it.
func toolError(ctx context.Context, verb string, err error, stderr string) error {
	var exit *exec.ExitError
	cause := fmt.Errorf("qemu-img %s: %w: %s", verb, err, strings.TrimSpace(stderr))
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &canonical.Error{Code: canonical.InvalidRequest, Detail: "reading the image takes too long", Fields: tooCostly, Err: cause}
	case ctx.Err() != nil:
		return canonical.AsError(ctx.Err())
	case !errors.As(err, &exit):
		return cannotRun(cause)
	case strings.Contains(strings.ToLower(stderr), syscall.ENOSPC.Error()):
		return noSpace(cause)
	case strings.Contains(strings.ToLower(stderr), syscall.EFBIG.Error()), killedBy(exit, syscall.SIGXFSZ):
		return &canonical.Error{Code: canonical.TooLarge, Detail: "the image grows beyond the limit when it is converted", Fields: tooCostly, Err: cause}
	case killedBy(exit, syscall.SIGXCPU), killedBy(exit, syscall.SIGKILL), killedBy(exit, syscall.SIGABRT):
		return &canonical.Error{Code: canonical.InvalidRequest, Detail: "reading the image takes too much time or memory", Fields: tooCostly, Err: cause}
	default:
		return &canonical.Error{Code: canonical.InvalidRequest, Detail: "disk_format: the image is damaged", Fields: []canonical.FieldError{{Field: field, Reason: "is damaged"}}, Err: cause}
	}
}

var tooCostly = []canonical.FieldError{{Field: field, Reason: "costs more to read than the limits allow"}}

func killedBy(exit *exec.ExitError, sig syscall.Signal) bool {
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == sig
}

// capped keeps the first bytes written to it, and takes the rest without keeping it.
type capped struct {
	buf   bytes.Buffer
	limit int
}

func (c *capped) Write(p []byte) (int, error) {
	if room := c.limit - c.buf.Len(); room > 0 {
		c.buf.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
