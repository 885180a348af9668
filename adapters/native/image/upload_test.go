package image

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func wantSums(t testing.TB, i Image, data []byte) {
	t.Helper()
	sha, md := sha256.Sum256(data), md5.Sum(data)
	if i.SHA256 != hex.EncodeToString(sha[:]) || *i.Checksum != hex.EncodeToString(md[:]) || *i.SizeBytes != int64(len(data)) {
		t.Errorf("got %s, %s and %d bytes, want %x, %x and %d", i.SHA256, *i.Checksum, *i.SizeBytes, sha, md, len(data))
	}
}

// TestUpload sends bodies of awkward lengths and downloads them again.
func TestUpload(t *testing.T) {
	s := open(t, Config{})
	for _, size := range []int{1, 511, 512, chunk - 1, chunk, chunk + 1, 3*chunk + 17} {
		data := disk(size + 8)[:size]
		i := create(t, s, Spec{Name: "image", DiskFormat: Raw})
		sha := sha256.Sum256(data)
		got, err := s.Upload(t.Context(), i.ID, Data{Body: onlyReader{bytes.NewReader(data)}, Size: -1, SHA256: hex.EncodeToString(sha[:])})
		if err != nil {
			t.Fatal(err)
		}
		wantSums(t, got, data)
		f, opened, err := s.Open(i.ID)
		if err != nil {
			t.Fatal(err)
		}
		back, err := io.ReadAll(f)
		if err != nil || !bytes.Equal(back, data) || opened.Status != canonical.ImageActive {
			t.Errorf("%d bytes: downloaded %d, %v", size, len(back), err)
		}
		f.Close()
	}
}

// onlyReader gives few bytes at a time and has no other methods.
type onlyReader struct{ r io.Reader }

func (o onlyReader) Read(p []byte) (int, error) { return o.r.Read(p[:min(len(p), 100_000)]) }

func TestUploadRefused(t *testing.T) {
	data := disk(3 * mib)
	broken := errors.New("connection reset")
	cases := map[string]struct {
		reason string
		cfg    Config
		data   Data
		code   canonical.Code
		field  string
		status int
	}{
		"Shorter":       {data: Data{Body: bytes.NewReader(data), Size: 4 * mib}, code: canonical.InvalidRequest, field: "size_bytes"},
		"Longer":        {data: Data{Body: bytes.NewReader(data), Size: 2 * mib}, code: canonical.InvalidRequest, field: "size_bytes"},
		"OtherChecksum": {data: Data{Body: bytes.NewReader(data), Size: -1, SHA256: "00"}, code: canonical.InvalidRequest, field: "sha256"},
		"AnnouncedTooLarge": {
			reason: "Refused before a byte is read.",
			cfg:    Config{MaxBytes: mib}, data: Data{Body: unread{t}, Size: 3 * mib}, code: canonical.TooLarge,
		},
		"TooLarge": {cfg: Config{MaxBytes: mib}, data: Data{Body: bytes.NewReader(data), Size: -1}, code: canonical.TooLarge},
		"BrokenOff": {
			reason: "A body that ends in an error is no image, even when its length is not known.",
			data:   Data{Body: io.MultiReader(bytes.NewReader(data), failing{broken}), Size: -1}, code: canonical.InvalidRequest,
		},
		"BrokenOffInside": {
			reason: "net/http says so of bodies that are shorter than announced.",
			data:   Data{Body: io.MultiReader(bytes.NewReader(data), failing{io.ErrUnexpectedEOF}), Size: -1}, code: canonical.InvalidRequest,
		},
		"NoRoomAnnounced": {
			cfg: Config{ReserveBytes: 1 << 60}, data: Data{Body: unread{t}, Size: mib}, code: canonical.Unavailable, status: 507,
		},
		"NoRoom": {cfg: Config{ReserveBytes: 1 << 60}, data: Data{Body: bytes.NewReader(data), Size: -1}, code: canonical.Unavailable, status: 507},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := open(t, tc.cfg)
			i := create(t, s, Spec{Name: "image"})
			_, err := s.Upload(t.Context(), i.ID, tc.data)
			wantError(t, err, tc.code, tc.field)
			if tc.status != 0 && canonical.AsError(err).HTTPStatus() != tc.status {
				t.Errorf("status %d", canonical.AsError(err).HTTPStatus())
			}
			wantNothingLeft(t, s, i.ID)
			if got, _ := s.Get(i.ID); got.Status != canonical.ImageQueued {
				t.Errorf("the image is %s", got.Status)
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// unread fails the test when it is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

// TestUploadEarlyRefusal: a wrong format is known from the first bytes.
func TestUploadEarlyRefusal(t *testing.T) {
	s := open(t, Config{})
	i := create(t, s, Spec{Name: "image", DiskFormat: Raw})
	body := &limited{r: io.MultiReader(bytes.NewReader([]byte("QFI\xfb")), zeros{})}
	_, err := s.Upload(t.Context(), i.ID, Data{Body: body, Size: -1})
	wantError(t, err, canonical.InvalidRequest, "disk_format")
	if body.n > 2*chunk {
		t.Errorf("%d bytes were read", body.n)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type limited struct {
	r io.Reader
	n int
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.n += n
	return n, err
}

func TestUploadAgain(t *testing.T) {
	s := open(t, Config{})
	i := create(t, s, Spec{Name: "image"})
	data := disk(mib)
	if _, err := s.Upload(t.Context(), i.ID, Data{Body: failing{io.ErrUnexpectedEOF}, Size: -1}); err == nil {
		t.Fatal("a broken upload succeeded")
	}
	if _, err := s.Upload(t.Context(), i.ID, Data{Body: bytes.NewReader(data), Size: mib}); err != nil {
		t.Fatal(err)
	}
	_, err := s.Upload(t.Context(), i.ID, Data{Body: bytes.NewReader(data), Size: mib})
	wantError(t, err, canonical.Conflict, "")
	_, err = s.Upload(t.Context(), "00000000-0000-0000-0000-000000000000", Data{Body: bytes.NewReader(data)})
	wantError(t, err, canonical.NotFound, "")
}

// TestConcurrentUploads: of uploads to one image at one time, one wins, and its bytes
// are whole.
func TestConcurrentUploads(t *testing.T) {
	s := open(t, Config{})
	i := create(t, s, Spec{Name: "image"})
	const n = 8
	var wg sync.WaitGroup
	errs := make([]error, n)
	for k := range n {
		wg.Go(func() {
			_, errs[k] = s.Upload(t.Context(), i.ID, Data{Body: bytes.NewReader(bytes.Repeat([]byte{byte(k + 1)}, 3*mib)), Size: 3 * mib})
		})
	}
	wg.Wait()
	won := -1
	for k, err := range errs {
		if err == nil {
			won = k
		} else {
			wantError(t, err, canonical.Conflict, "")
		}
	}
	if won < 0 {
		t.Fatal("nobody won")
	}
	for _, err := range errs[won+1:] {
		if err == nil {
			t.Error("two won")
		}
	}
	if got := read(t, s.disk(i.ID)); !bytes.Equal(got, bytes.Repeat([]byte{byte(won + 1)}, 3*mib)) {
		t.Error("the bytes are mixed")
	}
}

func TestUploadWhileUploading(t *testing.T) {
	s := open(t, Config{})
	i := create(t, s, Spec{Name: "image"})
	body, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := s.Upload(t.Context(), i.ID, Data{Body: body, Size: -1})
		done <- err
	}()
	if _, err := w.Write([]byte("first")); err != nil {
		t.Fatal(err)
	}
	_, err := s.Upload(t.Context(), i.ID, Data{Body: unread{t}, Size: -1})
	wantError(t, err, canonical.Conflict, "")
	wantError(t, s.Delete(t.Context(), i.ID), canonical.Conflict, "")
	if got, _ := s.Get(i.ID); got.Status != canonical.ImageSaving {
		t.Errorf("the image is %s", got.Status)
	}
	_, _, err = s.Open(i.ID)
	wantError(t, err, canonical.FailedPrecondition, "")
	w.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestUploadCancelled(t *testing.T) {
	s := open(t, Config{})
	i := create(t, s, Spec{Name: "image"})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Upload(ctx, i.ID, Data{Body: &cancelling{cancel: cancel, after: 3}, Size: -1})
	wantError(t, err, canonical.Canceled, "")
	wantNothingLeft(t, s, i.ID)
}

// cancelling cancels a context while it is read, and has no end.
type cancelling struct {
	cancel context.CancelFunc
	after  int
}

func (c *cancelling) Read(p []byte) (int, error) {
	if c.after--; c.after == 0 {
		c.cancel()
	}
	clear(p)
	return len(p), nil
}

// TestDiskFull fills a real file system in the middle of an upload and of a conversion.
func TestDiskFull(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small file system needs root")
	}
	dir := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Skipf("cannot mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	s := open(t, Config{Dir: dir, ReserveBytes: 1})
	t.Run("Upload", func(t *testing.T) {
		i := create(t, s, Spec{Name: "image"})
		_, err := s.Upload(t.Context(), i.ID, Data{Body: onlyReader{io.LimitReader(rand.NewChaCha8([32]byte{}), 20*mib)}, Size: -1})
		wantError(t, err, canonical.Unavailable, "")
		wantNothingLeft(t, s, i.ID)
	})
	t.Run("Convert", func(t *testing.T) {
		vmdk := made(t, "vmdk", disk(4*mib))
		i := create(t, s, Spec{Name: "image"})
		_, err := s.Upload(t.Context(), i.ID, Data{Body: bytes.NewReader(vmdk), Size: -1})
		if e := canonical.AsError(err); e == nil || e.HTTPStatus() != 507 {
			t.Fatalf("got %v", err)
		}
		wantNothingLeft(t, s, i.ID)
	})
	t.Run("Afterwards", func(t *testing.T) {
		if _, err := upload(t, s, Raw, disk(mib)); err != nil {
			t.Fatal(err)
		}
	})
	s.Close()
}

// TestToolLimits: each limit on qemu-img ends it, and the image is at fault.
func TestToolLimits(t *testing.T) {
	data := made(t, "vmdk", disk(16*mib))
	for name, l := range map[string]Limits{
		"Memory": {CPU: time.Minute, MemoryBytes: 1 << 20, Time: time.Minute},
		"Time":   {CPU: time.Minute, MemoryBytes: 1 << 30, Time: time.Nanosecond},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Config{Convert: l})
			i, err := upload(t, s, VMDK, data)
			wantError(t, err, canonical.InvalidRequest, "disk_format")
			wantNothingLeft(t, s, i.ID)
		})
	}
}

// TestNoTool: without qemu-img the store is at fault, and not the image.
func TestNoTool(t *testing.T) {
	data := made(t, "qcow2", disk(mib))
	prlimit, err := exec.LookPath("prlimit")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(prlimit, filepath.Join(dir, "prlimit")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	s := open(t, Config{})
	i, err := upload(t, s, QCOW2, data)
	wantError(t, err, canonical.Unavailable, "")
	wantNothingLeft(t, s, i.ID)
}

// TestKilled kills a process in the middle of an upload and of an import, and opens the
// store again.
func TestKilled(t *testing.T) {
	src := serve(t, endless)
	for verb, want := range map[string]canonical.ImageStatus{"upload": canonical.ImageQueued, "import": canonical.ImageError} {
		t.Run(verb, func(t *testing.T) {
			dir := t.TempDir()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestVictim$")
			cmd.Env = append(os.Environ(), "VICTIM="+verb, "VICTIM_DIR="+dir, "VICTIM_URL="+src)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			part := filepath.Join(dir, string(someID), "disk.part")
			for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
				if st, err := os.Stat(part); err == nil && st.Size() > 8*mib {
					break
				}
				if time.Now().After(end) {
					t.Fatal("the victim wrote nothing")
				}
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			s := open(t, Config{Dir: dir})
			if got, err := s.Get(someID); err != nil || got.Status != want {
				t.Errorf("the image is %s, %v", got.Status, err)
			}
			wantNothingLeft(t, s, someID)
			if _, err := s.Upload(t.Context(), someID, Data{Body: bytes.NewReader(disk(mib)), Size: mib}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestVictim is the process that TestKilled kills.
func TestVictim(t *testing.T) {
	verb := os.Getenv("VICTIM")
	if verb == "" {
		t.Skip("is run by TestKilled")
	}
	s := open(t, Config{Dir: os.Getenv("VICTIM_DIR"), Allow: loopback, MaxBytes: 4 << 30})
	create(t, s, Spec{ID: someID})
	var err error
	if verb == "import" {
		_, err = s.Import(t.Context(), someID, Source{URL: os.Getenv("VICTIM_URL")})
	} else {
		_, err = s.Upload(t.Context(), someID, Data{Body: zeros{}, Size: -1})
	}
	t.Fatalf("the victim survived: %v", err)
}

// TestUploadMemory: what an upload allocates does not grow with its length.
func TestUploadMemory(t *testing.T) {
	s := open(t, Config{})
	allocated := func(bytes int64) uint64 {
		i := create(t, s, Spec{Name: "image"})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := s.Upload(t.Context(), i.ID, Data{Body: io.LimitReader(zeros{}, bytes), Size: bytes}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if err := s.Delete(t.Context(), i.ID); err != nil {
			t.Fatal(err)
		}
		return after.TotalAlloc - before.TotalAlloc
	}
	short, long := allocated(4*mib), allocated(128*mib)
	if long > short+256<<10 {
		t.Errorf("4 MiB allocate %d bytes, 128 MiB %d", short, long)
	}
}

// BenchmarkUpload sends 1 GiB; BenchmarkCopy writes the same to the same disk with
// io.Copy and fsync, which is what the store adds checksums and checks to.
func BenchmarkUpload(b *testing.B) {
	s := open(b, Config{})
	b.SetBytes(1 << 30)
	b.ReportAllocs()
	for b.Loop() {
		i := create(b, s, Spec{Name: "image"})
		if _, err := s.Upload(b.Context(), i.ID, Data{Body: gibibyte(), Size: 1 << 30}); err != nil {
			b.Fatal(err)
		}
		if err := s.Delete(b.Context(), i.ID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCopy(b *testing.B) {
	path := filepath.Join(b.TempDir(), "file")
	b.SetBytes(1 << 30)
	b.ReportAllocs()
	for b.Loop() {
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.CopyBuffer(struct{ io.Writer }{f}, gibibyte(), make([]byte, chunk)); err != nil {
			b.Fatal(err)
		}
		if err := errors.Join(f.Sync(), f.Close(), os.Remove(path)); err != nil {
			b.Fatal(err)
		}
	}
}

// gibibyte repeats a block that was made before the clock runs.
func gibibyte() io.Reader { return io.LimitReader(&repeating{}, 1<<30) }

var block = disk(chunk)

type repeating struct{}

func (*repeating) Read(p []byte) (int, error) { return copy(p, block), nil }
