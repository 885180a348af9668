package memory_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/canonical"
)

func create(tb testing.TB, c canonical.Cloud, name string, count int) []canonical.ServerWithPassword {
	tb.Helper()
	r, err := canonical.CreateServer.Do(tb.Context(), c, canonical.ServerCreate{
		Name: name, Flavor: "small", Image: "cirros", Count: count, Metadata: map[string]string{"a": "1"},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return r.Result.Servers
}

func get(tb testing.TB, c canonical.Cloud, id canonical.ID) canonical.Server {
	tb.Helper()
	r, err := canonical.GetServer.Do(tb.Context(), c, canonical.ServerGet{ID: id})
	if err != nil {
		tb.Fatal(err)
	}
	return r.Result
}

func wantCode(t *testing.T, what string, err error, want canonical.Code) {
	t.Helper()
	if got := canonical.CodeOf(err); got != want {
		t.Errorf("%s: got %q (%v), want %q", what, got, err, want)
	}
}

func slow() (*memory.Cloud, *memory.FakeClock) {
	clock := memory.NewFakeClock(time.Unix(1_800_000_000, 0))
	return memory.New(memory.Options{Delay: time.Second, Clock: clock}), clock
}

func TestWorkTakesItsTime(t *testing.T) {
	c, clock := slow()
	id := create(t, c, "a", 1)[0].ID
	if s := get(t, c, id); s.Status != canonical.ServerBuilding || s.Task == nil || *s.Task != "spawning" {
		t.Errorf("at first: %s, task %v", s.Status, s.Task)
	}
	_, err := canonical.StopServer.Do(t.Context(), c, canonical.ServerStop{ID: id})
	wantCode(t, "stop of a server under way", err, canonical.FailedPrecondition)
	clock.Advance(time.Second)
	if s := get(t, c, id); s.Status != canonical.ServerRunning || s.Task != nil || s.LaunchedAt == nil {
		t.Errorf("in the end: %+v", s)
	}
}

func TestTaskIsAnsweredUntilTheEnd(t *testing.T) {
	c, clock := slow()
	id := create(t, c, "a", 1)[0].ID
	clock.Advance(time.Second)
	r, err := canonical.RebootServer.Do(t.Context(), c, canonical.ServerReboot{ID: id})
	if err != nil || r.Task == nil || r.Result.Status != canonical.ServerRebooting {
		t.Fatalf("got %+v, %v", r, err)
	}
	for _, want := range []canonical.Verdict{canonical.TaskRunning, canonical.TaskSucceeded} {
		p, err := r.Task.Check(t.Context(), c)
		if err != nil || p.Verdict != want {
			t.Errorf("got %+v, %v, want %s", p, err, want)
		}
		clock.Advance(time.Second)
	}
}

func TestDeleteWhileBuildingWins(t *testing.T) {
	c, clock := slow()
	id := create(t, c, "a", 1)[0].ID
	for range 2 { // the second is harmless
		if _, err := canonical.DeleteServer.Do(t.Context(), c, canonical.ServerDelete{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	clock.Advance(time.Second)
	_, err := canonical.GetServer.Do(t.Context(), c, canonical.ServerGet{ID: id})
	wantCode(t, "get after delete", err, canonical.NotFound)
}

func TestOutcomeSendsIntoError(t *testing.T) {
	c := memory.New(memory.Options{Outcome: func(op *canonical.Spec, _ canonical.Server) *canonical.Fault {
		if op == canonical.CreateServer.Spec() {
			return &canonical.Fault{Code: 500, Message: "no valid host"}
		}
		return nil
	}})
	id := create(t, c, "a", 1)[0].ID
	if s := get(t, c, id); s.Status != canonical.ServerError || s.Fault == nil || s.Fault.Message != "no valid host" {
		t.Errorf("got %s, %+v", s.Status, s.Fault)
	}
	_, err := canonical.StartServer.Do(t.Context(), c, canonical.ServerStart{ID: id})
	wantCode(t, "start in error", err, canonical.FailedPrecondition)
	r, err := canonical.RebuildServer.Do(t.Context(), c, canonical.ServerRebuild{ID: id, Image: "cirros"})
	if err != nil || r.Result.Status != canonical.ServerRunning || r.Result.Fault != nil {
		t.Errorf("after the rebuild: %+v, %v", r.Result, err)
	}
}

func TestFaultsAndLatency(t *testing.T) {
	c := memory.New(memory.Options{})
	c.SetFaults(func(_ context.Context, op *canonical.Spec) error {
		return canonical.Errorf(canonical.Unavailable, "%s is down", op.Name)
	})
	_, err := canonical.ListFlavors.Do(t.Context(), c, canonical.FlavorList{})
	wantCode(t, "a faulty call", err, canonical.Unavailable)
	c.SetFaults(nil)
	if _, err := canonical.ListFlavors.Do(t.Context(), c, canonical.FlavorList{}); err != nil {
		t.Error(err)
	}

	clock := memory.NewFakeClock(time.Unix(0, 0))
	late := memory.New(memory.Options{Latency: time.Hour, Clock: clock})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = canonical.ListFlavors.Do(ctx, late, canonical.FlavorList{})
	wantCode(t, "a late call", err, canonical.Timeout)
	if clock.Timers() != 0 {
		t.Error("the timer of the call is left")
	}
}

// TestImagesHaveABound: what does not fit is refused, and what is deleted makes room.
func TestImagesHaveABound(t *testing.T) {
	c := memory.New(memory.Options{ImageBytes: 10})
	image := func() canonical.ID {
		r, err := canonical.CreateImage.Do(t.Context(), c, canonical.ImageCreate{Name: "i", DiskFormat: "raw"})
		if err != nil {
			t.Fatal(err)
		}
		return r.Result.ID
	}
	upload := func(id canonical.ID, n int, size int64) error {
		_, err := canonical.UploadImage.Do(t.Context(), c, canonical.ImageUpload{ID: id, Content: &canonical.Content{
			ReadCloser: io.NopCloser(strings.NewReader(strings.Repeat("x", n))), Size: size,
		}})
		return err
	}
	first, second := image(), image()
	for what, err := range map[string]error{"told": upload(first, 11, 11), "not told": upload(first, 11, -1)} {
		if canonical.CodeOf(err) != canonical.QuotaExceeded {
			t.Errorf("11 bytes, %s: %v", what, err)
		}
	}
	if err := upload(first, 10, 10); err != nil {
		t.Fatal(err)
	}
	if err := upload(second, 1, 1); canonical.CodeOf(err) != canonical.QuotaExceeded {
		t.Errorf("an eleventh byte: %v", err)
	}
	if _, err := canonical.DeleteImage.Do(t.Context(), c, canonical.ImageDelete{ID: first}); err != nil {
		t.Fatal(err)
	}
	if err := upload(second, 10, 10); err != nil {
		t.Errorf("after the delete: %v", err)
	}
}

func TestCapacity(t *testing.T) {
	c := memory.New(memory.Options{Capacity: memory.Capacity{Servers: 2}})
	create(t, c, "a", 2)
	_, err := canonical.CreateServer.Do(t.Context(), c, canonical.ServerCreate{Name: "b", Flavor: "small", Image: "cirros"})
	wantCode(t, "the third of two", err, canonical.QuotaExceeded)
}

func TestResultsAreCopies(t *testing.T) {
	c := memory.New(memory.Options{})
	id := create(t, c, "a", 1)[0].ID
	want, spoilt := get(t, c, id), get(t, c, id)
	spoilt.Metadata["a"], *spoilt.Flavor.VCPUs, *spoilt.Image.Name, spoilt.Addresses[0].IP = "2", 99, "x", "x"
	*spoilt.AvailabilityZone, *spoilt.Addresses[0].NetworkID, *spoilt.CreatedAt = "x", "x", time.Time{}
	if diff := cmp.Diff(want, get(t, c, id)); diff != "" {
		t.Errorf("the cloud changed with a result (-want +got):\n%s", diff)
	}
}

func TestAddressesAreUnique(t *testing.T) {
	c, seen := memory.New(memory.Options{}), map[string]bool{}
	for _, s := range create(t, c, "a", 100) {
		if ip := s.Addresses[0].IP; seen[ip] {
			t.Errorf("%s was given twice", ip)
		} else {
			seen[ip] = true
		}
	}
}

func TestIDsAreStable(t *testing.T) {
	list := func() []canonical.Flavor {
		r, err := canonical.ListFlavors.Do(t.Context(), memory.New(memory.Options{}), canonical.FlavorList{})
		if err != nil {
			t.Fatal(err)
		}
		return r.Result.Items
	}
	if diff := cmp.Diff(list(), list()); diff != "" {
		t.Error(diff)
	}
}

func TestGeneratedKeypair(t *testing.T) {
	c := memory.New(memory.Options{})
	r, err := canonical.CreateKeypair.Do(t.Context(), c, canonical.KeypairCreate{Name: "k"})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey([]byte(*r.Result.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	public := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	if public != r.Result.PublicKey || ssh.FingerprintLegacyMD5(signer.PublicKey()) != r.Result.Fingerprint {
		t.Errorf("the halves do not fit: %+v", r.Result)
	}
	got, err := canonical.GetKeypair.Do(t.Context(), c, canonical.KeypairGet{ID: "k"})
	if err != nil || got.Result.PrivateKey != nil {
		t.Errorf("the private half is told twice, or %v", err)
	}
}

func TestImportedKeypairs(t *testing.T) {
	c := memory.New(memory.Options{})
	rsaKey, err1 := rsa.GenerateKey(rand.Reader, 2048)
	ecKey, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for i, key := range []any{&rsaKey.PublicKey, &ecKey.PublicKey} {
		pub, err := ssh.NewPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		r, err := canonical.CreateKeypair.Do(t.Context(), c, canonical.KeypairCreate{
			Name: fmt.Sprintf("k%d", i), PublicKey: string(ssh.MarshalAuthorizedKey(pub)),
		})
		if err != nil || r.Result.Fingerprint != ssh.FingerprintLegacyMD5(pub) {
			t.Errorf("%T: %+v, %v", key, r.Result, err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	c := memory.New(memory.Options{})
	id := create(b, c, "a", 1)[0].ID
	b.ReportAllocs()
	for b.Loop() {
		get(b, c, id)
	}
}

func BenchmarkPage1000Of10000(b *testing.B) {
	c := memory.New(memory.Options{})
	for i := range 100 {
		create(b, c, fmt.Sprintf("s%d", i), 100)
	}
	b.ReportAllocs()
	for b.Loop() {
		r, err := canonical.ListServers.Do(b.Context(), c, canonical.ServerList{ListOptions: canonical.ListOptions{Limit: 1000}})
		if err != nil || len(r.Result.Items) != 1000 {
			b.Fatal(len(r.Result.Items), err)
		}
	}
}

func TestHealth(t *testing.T) {
	c := memory.New(memory.Options{})
	for _, tt := range []struct {
		fault canonical.Code
		want  canonical.CloudStatus
	}{
		{"", canonical.CloudUp},
		{canonical.Unavailable, canonical.CloudDown},
		{canonical.Timeout, canonical.CloudDegraded},
		{canonical.NotFound, canonical.CloudUp},
		{canonical.UpstreamError, canonical.CloudDegraded},
		{"", canonical.CloudUp},
	} {
		c.SetFaults(func(context.Context, *canonical.Spec) error {
			if tt.fault == "" {
				return nil
			}
			return canonical.Errorf(tt.fault, "injected")
		})
		_, err := canonical.ListFlavors.Do(t.Context(), c, canonical.FlavorList{})
		wantCode(t, "the call", err, tt.fault)
		if h := canonical.HealthOf(c); h.Status != tt.want || (h.Detail == "") != (tt.want == canonical.CloudUp) || h.Versions == nil {
			t.Errorf("after %q: %+v", tt.fault, h)
		}
	}
}

// TestAccessAddressesAreShortened: as clouds do, which keep addresses and not texts.
func TestAccessAddressesAreShortened(t *testing.T) {
	c := memory.New(memory.Options{})
	made, err := canonical.CreateServer.Do(t.Context(), c, canonical.ServerCreate{
		Name: "a", Flavor: "small", Image: "cirros", AccessIPv6: "::babe:220.12.22.2",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := made.Result.Servers[0].AccessIPv6; got == nil || *got != "::babe:dc0c:1602" {
		t.Errorf("access_ipv6 is %v", got)
	}
}
