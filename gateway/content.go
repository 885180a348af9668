package gateway

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/gin-gonic/gin"
)

// bytesType is the media type of contents.
const bytesType = "application/octet-stream"

var (
	contentField = reflect.TypeFor[*canonical.Content]()
	contentShape = reflect.TypeFor[canonical.ImageContent]()
)

// takesContent is the index of the field of a request that holds a content.
func takesContent(request reflect.Type) (index int, ok bool) {
	for i := range request.NumField() {
		if request.Field(i).Type == contentField {
			return i, true
		}
	}
	return 0, false
}

// readContent makes the body of a request its content. It is read as it comes, by
// who performs the operation; each part has the time of a whole body elsewhere.
func (r *reader) readContent(c *gin.Context, in *input, field int) error {
	kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || kind != bytesType {
		return refuse(http.StatusUnsupportedMediaType, "the body must be %s", bytesType)
	}
	body := &patient{ReadCloser: c.Request.Body, control: http.NewResponseController(c.Writer), limit: r.patience}
	in.request.Field(field).Set(reflect.ValueOf(&canonical.Content{ReadCloser: body, Size: c.Request.ContentLength}))
	return nil
}

// patient is a body that may be as long as it likes while parts of it come.
type patient struct {
	io.ReadCloser
	control *http.ResponseController
	limit   time.Duration
}

func (p *patient) Read(b []byte) (int, error) {
	deadline(p.control.SetReadDeadline, time.Now().Add(p.limit))
	return p.ReadCloser.Read(b)
}

// contentAnswer is the bytes of an image.
func contentAnswer(i canonical.ImageContent) *answer {
	a := (&answer{status: http.StatusOK, content: i.Content}).set("Content-Type", bytesType)
	if i.Content.Size >= 0 {
		a.set("Content-Length", strconv.FormatInt(i.Content.Size, 10))
	}
	if i.Checksum != nil {
		a.set("Content-MD5", *i.Checksum) // hexadecimal, as Glance has it
	}
	return a
}

// copyContent sends the content; each part of it may take writeTimeout.
func (a *answer) copyContent(w http.ResponseWriter) error {
	control := http.NewResponseController(w)
	buffer := make([]byte, 128<<10)
	for {
		n, err := a.content.Read(buffer)
		if n > 0 {
			deadline(control.SetWriteDeadline, time.Now().Add(writeTimeout))
			if _, err := w.Write(buffer[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil: // the client must not take the part for the whole
			panic(http.ErrAbortHandler)
		}
	}
}

// contentBody and contentResponse describe contents for OpenAPI.
func contentBody() *huma.RequestBody {
	return &huma.RequestBody{Required: true, Content: contentMedia()}
}

func contentMedia() map[string]*huma.MediaType {
	return map[string]*huma.MediaType{bytesType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
}
