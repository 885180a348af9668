package canonical

import (
	"io"
	"reflect"
)

// Content is bytes that are passed on as they come. In a request, who performs the
// operation reads it, at most once; in a result, the caller reads and closes it.
type Content struct {
	io.ReadCloser
	Size int64 // in bytes; negative: not known
}

var contentType = reflect.TypeFor[*Content]()

// holdsContent says whether a field of the struct t is a Content.
func holdsContent(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for i := range t.NumField() {
		if t.Field(i).Type == contentType {
			return true
		}
	}
	return false
}
