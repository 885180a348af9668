package image

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/google/uuid"
)

// Store is a directory of images. It is safe for concurrent use. Its errors hold
// a *canonical.Error.
type Store struct {
	cfg     Config
	lock    *os.File
	convs   chan struct{} // a slot per conversion: they are CPU-bound
	writes  sync.Mutex    // orders changes of records: held while one is written
	mu      sync.RWMutex  // guards images and their img; never held during I/O
	images  map[canonical.ID]*entry
	fetcher *fetcher

	promised int64 // bytes that conversions under way may write; guarded by mu
}

// entry is an image and the work on it, of which there is one at a time. Its fields are
// changed by holders of writes alone, and img only under mu as well.
type entry struct {
	img  Image
	work *work
}

// work is an upload or an import under way.
type work struct {
	cancel context.CancelFunc // nil for uploads: their end is the caller's
	done   chan struct{}
}

// New opens the store in cfg.Dir, and undoes what an earlier process left unfinished
// there. Close it.
func New(cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	if cfg.HostFormat != QCOW2 && cfg.HostFormat != Raw {
		return nil, canonical.Invalid("host_format", "must be qcow2 or raw")
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil || cfg.Dir == "" {
		return nil, canonical.Invalid("data", "is no directory")
	}
	cfg.Dir = dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, diskError(err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{
		cfg: cfg, lock: lock, convs: make(chan struct{}, 2),
		images: map[canonical.ID]*entry{}, fetcher: newFetcher(cfg),
	}
	if err := s.sweep(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// lockDir refuses a directory that another process uses.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, diskError(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(canonical.Errorf(canonical.FailedPrecondition, "%s is in use by another process", dir), f.Close())
	}
	return f, nil
}

// Close lets another process use the directory. Work under way must have ended.
func (s *Store) Close() error {
	s.fetcher.close()
	return s.lock.Close()
}

// Spec is a new image.
type Spec struct {
	ID         canonical.ID // a UUID; "": a random one
	Name       string       // up to 255 characters
	DiskFormat Format       // what the data will be; "": whatever they are
	MinDiskGiB int          // of flavors; raised to the disk's size when the data are there
	MinRAMMiB  int
	ProjectID  string
	Visibility string // "": private
	Protected  bool   // not to be deleted
	Properties map[string]string
	Tags       []string
}

// Create makes an image without data. It answers AlreadyExists when the id is taken.
func (s *Store) Create(spec Spec) (Image, error) {
	if spec.ID == "" {
		spec.ID = canonical.ID(uuid.NewString())
	}
	if err := spec.validate(); err != nil {
		return Image{}, err
	}
	now := s.now()
	i := Image{Image: canonical.Image{
		ID: spec.ID, Name: spec.Name, Status: canonical.ImageQueued,
		MinDiskGiB: spec.MinDiskGiB, MinRAMMiB: spec.MinRAMMiB,
		ContainerFormat: ptr("bare"), Visibility: orElse(spec.Visibility, "private"), Protected: spec.Protected,
		Properties: orEmpty(maps.Clone(spec.Properties)), Tags: append([]string{}, spec.Tags...),
		CreatedAt: now, UpdatedAt: now,
	}}
	if spec.DiskFormat != "" {
		i.DiskFormat = ptr(string(spec.DiskFormat))
	}
	if spec.ProjectID != "" {
		i.ProjectID = &spec.ProjectID
	}
	return i.clone(), s.add(i)
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func (s *Store) add(i Image) error {
	s.writes.Lock()
	defer s.writes.Unlock()
	if _, err := s.Get(i.ID); err == nil {
		return canonical.Errorf(canonical.AlreadyExists, "there is an image %s", i.ID)
	}
	if err := os.Mkdir(s.dir(i.ID), 0o700); err != nil {
		return diskError(err)
	}
	if err := errors.Join(s.save(i), syncDir(s.cfg.Dir)); err != nil {
		return errors.Join(diskErrorOnce(err), os.RemoveAll(s.dir(i.ID)))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.images[i.ID] = &entry{img: i}
	return nil
}

func diskErrorOnce(err error) error {
	var e *canonical.Error
	if errors.As(err, &e) {
		return e
	}
	return diskError(err)
}

var uuidText = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// validID keeps ids to names that are safe in paths.
func validID(id canonical.ID) bool { return uuidText.MatchString(string(id)) }

func (s Spec) validate() error {
	if !validID(s.ID) {
		return canonical.Invalid("id", "is no UUID in lower case")
	}
	if !utf8.ValidString(s.Name) || utf8.RuneCountInString(s.Name) > 255 || strings.ContainsFunc(s.Name, unicode.IsControl) {
		return canonical.Invalid("name", "must be at most 255 printable characters")
	}
	switch {
	case s.MinDiskGiB < 0:
		return canonical.Invalid("min_disk_gib", "must not be negative")
	case s.MinRAMMiB < 0:
		return canonical.Invalid("min_ram_mib", "must not be negative")
	}
	return checkDeclared(s.DiskFormat)
}

// Get is the image of that id, or NotFound.
func (s *Store) Get(id canonical.ID) (Image, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.images[id]
	if !ok {
		return Image{}, canonical.Errorf(canonical.NotFound, "there is no image %s", id)
	}
	return e.img.clone(), nil
}

// List is all images, the oldest first.
func (s *Store) List() []Image {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]Image, 0, len(s.images))
	for _, e := range s.images {
		all = append(all, e.img.clone())
	}
	slices.SortFunc(all, func(a, b Image) int {
		if a.CreatedAt != nil && b.CreatedAt != nil && !a.CreatedAt.Equal(*b.CreatedAt) {
			return a.CreatedAt.Compare(*b.CreatedAt)
		}
		return strings.Compare(string(a.ID), string(b.ID))
	})
	return all
}

// Update changes what describes an image: name, minimums, visibility, protection,
// properties and tags. Other fields that change sets are ignored.
func (s *Store) Update(id canonical.ID, change func(*Image)) (Image, error) {
	return s.change(id, func(e *entry) (Image, error) {
		next, old := e.img.clone(), e.img
		change(&next)
		spec := Spec{ID: id, Name: next.Name, MinDiskGiB: next.MinDiskGiB, MinRAMMiB: next.MinRAMMiB}
		if err := spec.validate(); err != nil {
			return Image{}, err
		}
		old.Name, old.MinDiskGiB, old.MinRAMMiB = next.Name, next.MinDiskGiB, next.MinRAMMiB
		old.Visibility, old.Protected = next.Visibility, next.Protected
		old.Properties, old.Tags, old.OS, old.Architecture = orEmpty(next.Properties), next.Tags, next.OS, next.Architecture
		return old, nil
	})
}

// change writes what next makes of an image, then shows it to readers.
func (s *Store) change(id canonical.ID, next func(*entry) (Image, error)) (Image, error) {
	s.writes.Lock()
	defer s.writes.Unlock()
	e := s.entry(id)
	if e == nil {
		return Image{}, canonical.Errorf(canonical.NotFound, "there is no image %s", id)
	}
	i, err := next(e) // reads e.img, which only holders of writes change
	if err != nil {
		return Image{}, err
	}
	i.UpdatedAt = s.now()
	if err := s.save(i); err != nil {
		return Image{}, err
	}
	s.show(e, i)
	return i.clone(), nil
}

// show lets readers see a record.
func (s *Store) show(e *entry, i Image) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.img = i
}

// entry is what is known of an image, or nil. Holders of writes may read it.
func (s *Store) entry(id canonical.ID) *entry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.images[id]
}

// Open reads an active image's file: for a download, or a copy on a host. The file stays readable until it is closed, even when the image is deleted.
func (s *Store) Open(id canonical.ID) (io.ReadSeekCloser, Image, error) {
	i, err := s.Get(id)
	if err != nil {
		return nil, Image{}, err
	}
	if i.Status != canonical.ImageActive {
		return nil, Image{}, canonical.Errorf(canonical.FailedPrecondition, "image %s is %s and has no data", id, i.Status)
	}
	f, err := os.Open(s.disk(id))
	if errors.Is(err, os.ErrNotExist) { // deleted since, or behind our back
		return nil, Image{}, canonical.Errorf(canonical.NotFound, "the file of image %s is gone", id)
	}
	if err != nil {
		return nil, Image{}, diskError(err)
	}
	return f, i, nil
}

// Use notes that user builds on the image, e.g. the id of a server whose disk is an
// overlay of it, and keeps it from being deleted. Repeating it is harmless. The image
// must be active. It is noted for the life of the store alone: who uses images knows it
// for longer.
func (s *Store) Use(id canonical.ID, user string) error {
	return s.users(id, func(i Image) ([]string, error) {
		if i.Status != canonical.ImageActive {
			return nil, canonical.Errorf(canonical.FailedPrecondition, "image %s is %s", id, i.Status)
		}
		at, found := slices.BinarySearch(i.Users, user)
		if found {
			return i.Users, nil
		}
		return slices.Insert(slices.Clone(i.Users), at, user), nil
	})
}

// Release takes back what Use noted. That the image or the user is not known is fine.
func (s *Store) Release(id canonical.ID, user string) error {
	err := s.users(id, func(i Image) ([]string, error) {
		return slices.DeleteFunc(slices.Clone(i.Users), func(u string) bool { return u == user }), nil
	})
	if canonical.CodeOf(err) == canonical.NotFound {
		return nil
	}
	return err
}

// users changes who uses an image.
func (s *Store) users(id canonical.ID, next func(Image) ([]string, error)) error {
	s.writes.Lock()
	defer s.writes.Unlock()
	e := s.entry(id)
	if e == nil {
		return canonical.Errorf(canonical.NotFound, "there is no image %s", id)
	}
	i := e.img
	var err error
	if i.Users, err = next(i); err != nil {
		return err
	}
	s.show(e, i)
	return nil
}

const deletedSuffix = ".deleted"

func isDeleted(name string) bool { return strings.HasSuffix(name, deletedSuffix) }

// Delete removes an image and its file. It answers FailedPrecondition for one that is
// protected or in use, and Conflict while an upload is under way; an import is ended.
func (s *Store) Delete(ctx context.Context, id canonical.ID) error {
	for {
		w, err := s.remove(id)
		if w == nil {
			return err
		}
		w.cancel()
		select {
		case <-w.done:
		case <-ctx.Done():
			return canonical.AsError(ctx.Err())
		}
	}
}

// remove deletes an image, or returns the import that must end first.
func (s *Store) remove(id canonical.ID) (*work, error) {
	s.writes.Lock()
	defer s.writes.Unlock()
	e := s.entry(id)
	switch {
	case e == nil:
		return nil, canonical.Errorf(canonical.NotFound, "there is no image %s", id)
	case e.img.Protected:
		return nil, canonical.Errorf(canonical.FailedPrecondition, "image %s is protected", id)
	case len(e.img.Users) > 0:
		return nil, canonical.Errorf(canonical.FailedPrecondition, "image %s is in use by %d servers", id, len(e.img.Users))
	case e.work != nil && e.work.cancel == nil:
		return nil, canonical.Errorf(canonical.Conflict, "an upload to image %s is under way", id)
	case e.work != nil:
		return e.work, nil
	}
	// Its new name is the intent: sweep finishes what a crash leaves.
	gone := s.dir(id) + deletedSuffix
	if err := commit(s.dir(id), gone); err != nil {
		return nil, diskError(err)
	}
	s.mu.Lock()
	delete(s.images, id)
	s.mu.Unlock()
	return nil, diskError(os.RemoveAll(gone))
}
