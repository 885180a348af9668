package canonical_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// reading is a cloud that reads the content of uploads.
type reading struct {
	canonical.Mux
	got string
	err error
}

func (r *reading) Do(_ context.Context, call canonical.Call) (canonical.Reply, error) {
	up, _ := call.Request.(canonical.ImageUpload)
	b, err := io.ReadAll(up.Content)
	r.got, r.err = string(b), err
	return canonical.Reply{Result: canonical.Image{}}, err
}

func TestContentIsAsLongAsItSays(t *testing.T) {
	broken := errors.New("broken")
	for name, tt := range map[string]struct {
		from io.Reader
		size int64
		want string
		code canonical.Code
	}{
		"Exact":        {strings.NewReader("abc"), 3, "abc", ""},
		"Unknown":      {strings.NewReader("abc"), -1, "abc", ""},
		"Empty":        {strings.NewReader(""), 0, "", ""},
		"Short":        {strings.NewReader("ab"), 3, "ab", canonical.InvalidRequest},
		"Long":         {strings.NewReader("abcd"), 3, "", canonical.InvalidRequest},
		"LongByOne":    {iotest.OneByteReader(strings.NewReader("abcd")), 3, "ab", canonical.InvalidRequest},
		"NotEmpty":     {strings.NewReader("a"), 0, "", canonical.InvalidRequest},
		"DataWithEOF":  {iotest.DataErrReader(strings.NewReader("abc")), 3, "abc", ""},
		"BreaksOff":    {io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(broken)), 3, "ab", canonical.InvalidRequest},
		"CallerIsGone": {iotest.ErrReader(context.Canceled), -1, "", canonical.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			var c reading
			_, err := canonical.UploadImage.Do(t.Context(), &c, canonical.ImageUpload{
				ID: "a", Content: &canonical.Content{ReadCloser: io.NopCloser(tt.from), Size: tt.size},
			})
			if c.got != tt.want || canonical.CodeOf(err) != tt.code {
				t.Errorf("read %q, %v; want %q, %q", c.got, err, tt.want, tt.code)
			}
		})
	}
	var c reading
	if _, err := canonical.UploadImage.Do(t.Context(), &c, canonical.ImageUpload{ID: "a"}); canonical.CodeOf(err) != canonical.InvalidRequest {
		t.Errorf("without content: %v", err)
	}
}
