package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
)

const mib = 1 << 20

// open makes a store in a directory of the test, unless cfg names one.
func open(t testing.TB, cfg Config) *Store {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func create(t testing.TB, s *Store, spec Spec) Image {
	t.Helper()
	i, err := s.Create(spec)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// upload sends data to a new image.
func upload(t testing.TB, s *Store, declared Format, data []byte) (Image, error) {
	t.Helper()
	i := create(t, s, Spec{Name: "image", DiskFormat: declared})
	_, err := s.Upload(t.Context(), i.ID, Data{Body: bytes.NewReader(data), Size: int64(len(data))})
	got, getErr := s.Get(i.ID)
	if getErr != nil {
		t.Fatal(getErr)
	}
	return got, err
}

// wantError checks the code and the first field of an error.
func wantError(t testing.TB, err error, code canonical.Code, field string) {
	t.Helper()
	if canonical.CodeOf(err) != code {
		t.Fatalf("got %q (%v), want code %q", canonical.CodeOf(err), err, code)
	}
	if field == "" {
		return
	}
	var e *canonical.Error
	if !errors.As(err, &e) || len(e.Fields) == 0 || e.Fields[0].Field != field {
		t.Fatalf("got %v, want field %q", err, field)
	}
}

// wantNothingLeft checks that an image has its record and no other file.
func wantNothingLeft(t testing.TB, s *Store, id canonical.ID) {
	t.Helper()
	files, err := os.ReadDir(s.dir(id))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Name() != recordName {
			t.Errorf("%s is left", f.Name())
		}
	}
}

// qemuImg runs the real tool, or skips the test.
func qemuImg(t testing.TB, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("qemu-img"); err != nil {
		t.Skip("qemu-img is missing: apt-get install qemu-utils")
	}
	if out, err := exec.CommandContext(t.Context(), "qemu-img", args...).CombinedOutput(); err != nil {
		t.Fatalf("qemu-img %v: %v: %s", args, err, out)
	}
}

// disk is some bytes that compress badly, the same for each size.
func disk(size int) []byte {
	data := make([]byte, size)
	x := uint64(88172645463325252)
	for i := 0; i+8 <= size; i += 8 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		binary.LittleEndian.PutUint64(data[i:], x)
	}
	return data
}

// made converts data to a format with the real tool.
func made(t testing.TB, format string, data []byte, options ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	raw, out := filepath.Join(dir, "raw"), filepath.Join(dir, "out")
	if err := os.WriteFile(raw, data, 0o600); err != nil {
		t.Fatal(err)
	}
	qemuImg(t, append(append([]string{"convert", "-f", "raw", "-O", format}, options...), raw, out)...)
	return read(t, out)
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// iso is a file that begins like an ISO 9660 image.
func iso(size int) []byte {
	data := make([]byte, size)
	copy(data[16*2048:], "\x01CD001\x01")
	return data
}
