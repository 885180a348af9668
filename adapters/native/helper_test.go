package native

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
}

func testStore(t testing.TB, path string) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return st
}

func testBox(t testing.TB) *store.Box {
	t.Helper()
	box, err := store.NewBox(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	return box
}

// caller is the tenant of the tests.
func caller(ctx context.Context) context.Context {
	return canonical.WithCaller(ctx, canonical.Caller{Tenant: "acme", Role: canonical.Member})
}

func admin(ctx context.Context) context.Context {
	return canonical.WithCaller(ctx, canonical.Caller{Tenant: "acme", Role: canonical.Admin})
}

// do performs an operation and, if it is long, waits for its end.
func do[Req, Res any](t testing.TB, c canonical.Cloud, op canonical.Op[Req, Res], r Req) Res {
	t.Helper()
	out, err := op.Do(caller(t.Context()), c, r)
	if err == nil {
		err = end(t, c, out.Task)
	}
	if err != nil {
		t.Fatalf("%s: %v", op.Spec().Name, err)
	}
	return out.Result
}

// try is do for what may fail, at once or later.
func try[Req, Res any](t testing.TB, c canonical.Cloud, op canonical.Op[Req, Res], r Req) error {
	t.Helper()
	out, err := op.Do(caller(t.Context()), c, r)
	if err != nil {
		return err
	}
	return end(t, c, out.Task)
}

// jobTime is how long jobs may take on a busy machine without KVM.
const jobTime = 2 * time.Minute

// end waits until a task has ended.
func end(t testing.TB, c canonical.Cloud, task *canonical.Task) error {
	t.Helper()
	if task == nil {
		return nil
	}
	var p canonical.Progress
	eventually(t, jobTime, "the job ends", func() bool {
		var err error
		if p, err = task.Check(t.Context(), c); err != nil {
			t.Fatalf("asking about a job: %v", err)
		}
		return p.Verdict != canonical.TaskRunning
	})
	if p.Verdict == canonical.TaskFailed {
		return p.Err
	}
	return nil
}

// eventually polls until ok, or fails at the deadline.
func eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}

// code fails the test unless err has the code.
func code(t testing.TB, what string, err error, want canonical.Code) {
	t.Helper()
	if got := canonical.CodeOf(err); got != want {
		t.Errorf("%s: got code %q (%v), want %q", what, got, err, want)
	}
}

// addImage makes an active image of a file.
func addImage(t testing.TB, c canonical.Cloud, name, format, path string) canonical.Image {
	t.Helper()
	i := do(t, c, canonical.CreateImage, canonical.ImageCreate{Name: name, DiskFormat: format})
	return do(t, c, canonical.UploadImage, canonical.ImageUpload{ID: i.ID, Content: fileContent(t, path)})
}

func fileContent(t testing.TB, path string) *canonical.Content {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return &canonical.Content{ReadCloser: f, Size: info.Size()}
}

func file(t testing.TB, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
