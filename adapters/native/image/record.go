package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Image is the record of an image.
//
// Its Status is queued (no data), saving or importing (under way), active, or error
// (Reason says why; data may be sent again). SizeBytes and Checksum are of the file as
// it is kept and downloaded. Cloud is left to the caller.
type Image struct {
	canonical.Image
	VirtualBytes int64    `json:"virtual_bytes"`           // of the disk; 0 without data
	SHA256       string   `json:"sha256,omitempty"`        // hexadecimal, of the file as kept
	SourceFormat Format   `json:"source_format,omitempty"` // as sent; another than DiskFormat when converted
	Reason       string   `json:"reason,omitempty"`        // why Status is error
	Users        []string `json:"-"`                       // see Store.Use; sorted
}

// clone shares nothing with i that changes.
func (i Image) clone() Image {
	i.Properties = maps.Clone(i.Properties)
	i.Tags = slices.Clone(i.Tags)
	i.Users = slices.Clone(i.Users)
	return i
}

// The names in an image's directory.
const (
	recordName = "image.json"
	diskName   = "disk"
	partSuffix = ".part" // of what is being written
)

func (s *Store) dir(id canonical.ID) string { return filepath.Join(s.cfg.Dir, string(id)) }
func (s *Store) disk(id canonical.ID) string {
	return filepath.Join(s.dir(id), diskName)
}

// save writes the record so that a crash leaves the old one or the new one.
func (s *Store) save(i Image) error {
	text, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return fmt.Errorf("record of image %s: %w", i.ID, err)
	}
	path := filepath.Join(s.dir(i.ID), recordName)
	if err := writeSynced(path+partSuffix, text); err != nil {
		return diskError(err)
	}
	return diskError(commit(path+partSuffix, path))
}

func writeSynced(path string, text []byte) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(text); err != nil {
		return err
	}
	return f.Sync()
}

// commit renames a file that is on the disk, and waits until its name is too.
func commit(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

func syncDir(path string) (err error) {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.Sync()
}

func (s *Store) load(id canonical.ID) (Image, error) {
	text, err := os.ReadFile(filepath.Join(s.dir(id), recordName))
	if err != nil {
		return Image{}, err
	}
	var i Image
	if err := json.Unmarshal(text, &i); err != nil {
		return Image{}, err
	}
	if i.ID != id {
		return Image{}, fmt.Errorf("the record says it is of %q", i.ID)
	}
	return i, nil
}

// sweep reads all records and undoes what was under way when the process ended.
func (s *Store) sweep() error {
	entries, err := os.ReadDir(s.cfg.Dir)
	if err != nil {
		return diskError(err)
	}
	for _, e := range entries {
		switch id := canonical.ID(e.Name()); {
		case !e.IsDir():
		case isDeleted(e.Name()):
			err = errors.Join(err, os.RemoveAll(filepath.Join(s.cfg.Dir, e.Name())))
		case validID(id):
			err = errors.Join(err, s.recover(id))
		default:
			s.cfg.Log.Warn("a directory among the images is no image", "name", e.Name())
		}
	}
	return err
}

// recover settles one image after a start.
func (s *Store) recover(id canonical.ID) error {
	parts, err := filepath.Glob(filepath.Join(s.dir(id), "*"+partSuffix))
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := os.Remove(p); err != nil {
			return diskError(err)
		}
	}
	i, err := s.load(id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return diskError(os.RemoveAll(s.dir(id))) // its create was never answered
	case err != nil:
		s.cfg.Log.Error("the record of an image cannot be read; its files stay", "image", id, "error", err)
		i = Image{Image: canonical.Image{ID: id, Status: canonical.ImageError}, Reason: "its record cannot be read"}
		s.images[id] = &entry{img: i}
		return nil
	}
	changed, err := s.settle(&i)
	if err != nil {
		return err
	}
	s.images[id] = &entry{img: i}
	if changed {
		return s.save(i)
	}
	return nil
}

// settle makes record and file agree.
func (s *Store) settle(i *Image) (changed bool, err error) {
	if i.Status == canonical.ImageActive {
		st, err := os.Stat(s.disk(i.ID))
		if err == nil && i.SizeBytes != nil && st.Size() == *i.SizeBytes {
			return false, nil
		}
		i.Status, i.Reason = canonical.ImageError, "its file is missing or has another size"
		return true, nil
	}
	switch i.Status { //nolint:exhaustive // all others rest
	case canonical.ImageSaving:
		i.Status, i.Reason = canonical.ImageQueued, ""
	case canonical.ImageImporting:
		i.Status, i.Reason = canonical.ImageError, "the import was interrupted"
	default:
		return false, nil
	}
	return true, removeAll(s.disk(i.ID)) // its last step was not taken
}

func ptr[T any](v T) *T { return &v }

func (s *Store) now() *time.Time { return ptr(s.cfg.Now().UTC().Truncate(time.Second)) }
