package image

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/google/go-cmp/cmp"
)

const someID = canonical.ID("11111111-2222-4333-8444-555555555555")

// TestRecord: what is written is read again, by this process and the next.
func TestRecord(t *testing.T) {
	cfg := Config{Dir: t.TempDir()}
	s := open(t, cfg)
	made := create(t, s, Spec{
		ID: someID, Name: "Debian 12 «день»", DiskFormat: QCOW2, MinDiskGiB: 3, MinRAMMiB: 128, ProjectID: "acme",
		Visibility: "public", Protected: true, Properties: map[string]string{"a": "'; DROP TABLE images; --"}, Tags: []string{"<x/>"},
	})
	got, err := s.Update(someID, func(i *Image) {
		i.Name, i.Protected = "../../etc/passwd", false
		i.Properties["b"] = "$(reboot)"
		i.Status, i.Users = canonical.ImageActive, []string{"ignored"}
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != canonical.ImageQueued || len(got.Users) != 0 || got.Name != "../../etc/passwd" || got.Properties["b"] != "$(reboot)" {
		t.Errorf("got %+v", got)
	}
	if made.Properties["b"] != "" {
		t.Error("the caller's copy changed")
	}
	s.Close()
	again := open(t, cfg)
	if diff := cmp.Diff([]Image{got}, again.List()); diff != "" {
		t.Error(diff)
	}
}

func TestCreateRefused(t *testing.T) {
	s := open(t, Config{})
	create(t, s, Spec{ID: someID})
	cases := map[string]struct {
		spec  Spec
		code  canonical.Code
		field string
	}{
		"Taken":          {Spec{ID: someID}, canonical.AlreadyExists, ""},
		"PathID":         {Spec{ID: "../../etc"}, canonical.InvalidRequest, "id"},
		"UpperID":        {Spec{ID: canonical.ID(strings.ToUpper("11111111-2222-4333-8444-55555555abcd"))}, canonical.InvalidRequest, "id"},
		"BracedID":       {Spec{ID: "{11111111-2222-4333-8444-555555555556}"}, canonical.InvalidRequest, "id"},
		"LongName":       {Spec{Name: strings.Repeat("é", 256)}, canonical.InvalidRequest, "name"},
		"ControlName":    {Spec{Name: "a\x00b"}, canonical.InvalidRequest, "name"},
		"LineName":       {Spec{Name: "a\nb"}, canonical.InvalidRequest, "name"},
		"BrokenName":     {Spec{Name: "a\xffb"}, canonical.InvalidRequest, "name"},
		"NegativeDisk":   {Spec{MinDiskGiB: -1}, canonical.InvalidRequest, "min_disk_gib"},
		"NegativeMemory": {Spec{MinRAMMiB: -1}, canonical.InvalidRequest, "min_ram_mib"},
		"NoFormat":       {Spec{DiskFormat: "ami"}, canonical.InvalidRequest, "disk_format"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := s.Create(tc.spec)
			wantError(t, err, tc.code, tc.field)
		})
	}
	if got := len(s.List()); got != 1 {
		t.Errorf("%d images", got)
	}
}

func TestNotFound(t *testing.T) {
	s := open(t, Config{})
	for _, id := range []canonical.ID{someID, "", "../..", "lock", "."} {
		_, err := s.Get(id)
		wantError(t, err, canonical.NotFound, "")
		_, _, err = s.Open(id)
		wantError(t, err, canonical.NotFound, "")
		_, err = s.Update(id, func(*Image) {})
		wantError(t, err, canonical.NotFound, "")
		wantError(t, s.Delete(t.Context(), id), canonical.NotFound, "")
		wantError(t, s.Use(id, "x"), canonical.NotFound, "")
		if err := s.Release(id, "x"); err != nil {
			t.Error(err)
		}
	}
}

// TestUse: an image is deleted when nobody builds on it any more.
func TestUse(t *testing.T) {
	cfg := Config{Dir: t.TempDir()}
	s := open(t, cfg)
	i, err := upload(t, s, Raw, disk(mib))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, user := range []string{"b", "a", "c/../d", "a"} {
		wg.Go(func() {
			if err := s.Use(i.ID, user); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, _ := s.Get(i.ID); !cmp.Equal(got.Users, []string{"a", "b", "c/../d"}) {
		t.Errorf("used by %v", got.Users)
	}
	for _, user := range []string{"a", "b", "b", "nobody", "c/../d"} {
		wantError(t, s.Delete(t.Context(), i.ID), canonical.FailedPrecondition, "")
		if err := s.Release(i.ID, user); err != nil {
			t.Fatal(err)
		}
	}
	f, _, err := s.Open(i.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), i.ID); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, f); err != nil || n != mib {
		t.Errorf("a download that was open reads %d bytes, %v", n, err)
	}
	f.Close()
	if left, _ := filepath.Glob(filepath.Join(cfg.Dir, "*-*")); len(left) != 0 {
		t.Errorf("%v are left", left)
	}
}

func TestUseNeedsData(t *testing.T) {
	s := open(t, Config{})
	i := create(t, s, Spec{})
	wantError(t, s.Use(i.ID, "a"), canonical.FailedPrecondition, "")
}

func TestProtected(t *testing.T) {
	s := open(t, Config{})
	i := create(t, s, Spec{Protected: true})
	wantError(t, s.Delete(t.Context(), i.ID), canonical.FailedPrecondition, "")
}

func TestOneProcess(t *testing.T) {
	s := open(t, Config{})
	_, err := New(Config{Dir: s.cfg.Dir})
	wantError(t, err, canonical.FailedPrecondition, "")
}

func TestConfigRefused(t *testing.T) {
	_, err := New(Config{})
	wantError(t, err, canonical.InvalidRequest, "data")
	_, err = New(Config{Dir: t.TempDir(), HostFormat: VMDK})
	wantError(t, err, canonical.InvalidRequest, "host_format")
}

// TestSweep starts on what a process left that was killed at each step.
func TestSweep(t *testing.T) {
	data := disk(mib)
	set := func(status canonical.ImageStatus) func(*testing.T, *Store, Image) {
		return func(t *testing.T, s *Store, i Image) {
			i.Status = status
			if err := s.save(i); err != nil {
				t.Fatal(err)
			}
		}
	}
	write := func(name string, data []byte) func(*testing.T, *Store, Image) {
		return func(t *testing.T, s *Store, i Image) {
			if err := os.WriteFile(filepath.Join(s.dir(i.ID), name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	type step = func(*testing.T, *Store, Image)
	cases := map[string]struct {
		reason string
		active bool
		steps  []step
		want   canonical.ImageStatus // "": gone
		files  []string
	}{
		"Queued":            {want: canonical.ImageQueued, files: []string{recordName}},
		"Uploading":         {steps: []step{set(canonical.ImageSaving), write("disk.part", data)}, want: canonical.ImageQueued, files: []string{recordName}},
		"Converting":        {steps: []step{set(canonical.ImageSaving), write("disk.part", data), write("disk.converted.part", data)}, want: canonical.ImageQueued, files: []string{recordName}},
		"UploadedUnnoted":   {steps: []step{set(canonical.ImageSaving), write("disk", data)}, want: canonical.ImageQueued, files: []string{recordName}},
		"Importing":         {steps: []step{set(canonical.ImageImporting), write("disk.part", data)}, want: canonical.ImageError, files: []string{recordName}},
		"RecordHalfWritten": {active: true, steps: []step{write("image.json.part", []byte("{"))}, want: canonical.ImageActive, files: []string{"disk", recordName}},
		"Active":            {active: true, want: canonical.ImageActive, files: []string{"disk", recordName}},
		"FileCut": {
			reason: "What is left of a file may still help; it stays.", active: true,
			steps: []step{write("disk", data[:512])}, want: canonical.ImageError, files: []string{"disk", recordName},
		},
		"FileGone": {active: true, steps: []step{func(t *testing.T, s *Store, i Image) {
			if err := os.Remove(s.disk(i.ID)); err != nil {
				t.Fatal(err)
			}
		}}, want: canonical.ImageError, files: []string{recordName}},
		"RecordDamaged": {active: true, steps: []step{write(recordName, []byte("{"))}, want: canonical.ImageError, files: []string{"disk", recordName}},
		"RecordOfOther": {active: true, steps: []step{write(recordName, []byte(`{"id":"x"}`))}, want: canonical.ImageError, files: []string{"disk", recordName}},
		"NeverNoted": {steps: []step{func(t *testing.T, s *Store, i Image) {
			if err := os.Remove(filepath.Join(s.dir(i.ID), recordName)); err != nil {
				t.Fatal(err)
			}
		}}},
		"Deleting": {active: true, steps: []step{func(t *testing.T, s *Store, i Image) {
			if err := os.Rename(s.dir(i.ID), s.dir(i.ID)+deletedSuffix); err != nil {
				t.Fatal(err)
			}
		}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cfg := Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)}
			s := open(t, cfg)
			i := create(t, s, Spec{Name: "image"})
			if tc.active {
				var err error
				if i, err = s.Upload(t.Context(), i.ID, Data{Body: bytes.NewReader(data), Size: mib}); err != nil {
					t.Fatal(err)
				}
			}
			for _, do := range tc.steps {
				do(t, s, i)
			}
			s.Close()
			for range 2 { // a second start finds nothing more to do
				s = open(t, cfg)
				got, err := s.Get(i.ID)
				if tc.want == "" {
					wantError(t, err, canonical.NotFound, "")
				} else if got.Status != tc.want || tc.want == canonical.ImageError && got.Reason == "" {
					t.Errorf("the image is %s (%s), %v", got.Status, got.Reason, err)
				}
				var files []string
				_ = filepath.WalkDir(cfg.Dir, func(path string, d os.DirEntry, _ error) error {
					if !d.IsDir() && d.Name() != "lock" {
						files = append(files, d.Name())
					}
					return nil
				})
				if diff := cmp.Diff(tc.files, files); diff != "" {
					t.Error(diff)
				}
				s.Close()
			}
		})
	}
}

// TestStrangers: what is no image's stays alone.
func TestStrangers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"lost+found", "notes"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, Config{Dir: dir})
	if len(s.List()) != 0 {
		t.Error("strangers became images")
	}
	if _, err := os.Stat(filepath.Join(dir, "notes")); err != nil {
		t.Error(err)
	}
}

func TestListOrder(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, Config{Now: func() time.Time { now = now.Add(time.Minute); return now }})
	var want, got []canonical.ID
	for range 20 {
		want = append(want, create(t, s, Spec{}).ID)
	}
	for _, i := range s.List() {
		got = append(got, i.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
