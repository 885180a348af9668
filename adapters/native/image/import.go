package image

import (
	"context"
	"errors"
	"io"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Source says where an import reads.
type Source struct {
	URL    string // http or https, without credentials
	SHA256 string // that the file must have, hexadecimal; "": any
}

// Import fills an image that has no data yet from a URL, and returns it active. It
// takes as long as the transfer: run it in the background. Only public addresses are
// reached, and those that the configuration allows, also by redirects.
//
// A URL that can never do is refused at once and leaves the image as it was. After any
// other failure the image is in error, with the reason, and nothing of the data is
// left; another Import or Upload may be tried. Deleting the image ends its import.
func (s *Store) Import(ctx context.Context, id canonical.ID, src Source) (Image, error) {
	u, err := checkURL(src.URL)
	if err != nil {
		return Image{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ImportTimeout)
	defer cancel()
	w, err := s.begin(id, canonical.ImageImporting, cancel)
	if err != nil {
		return Image{}, err
	}
	defer s.end(id, w)
	body, size, err := s.fetcher.get(ctx, u)
	var i Image
	if err == nil {
		i, err = s.pour(ctx, id, body, Data{Size: size, SHA256: src.SHA256})
	}
	if err != nil {
		return Image{}, errors.Join(err, s.fail(id, canonical.ImageError, err))
	}
	return i, nil
}

func (s *Store) pour(ctx context.Context, id canonical.ID, body io.ReadCloser, d Data) (Image, error) {
	defer body.Close()
	d.Body = body
	return s.fill(ctx, id, d)
}
