package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"reflect"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// macSize is the length of a seal in bytes.
const macSize = 16

// seal is text with a MAC in front over it and the list that it belongs to.
func (g *Gateway) seal(text, scope string) string {
	return base64.RawURLEncoding.EncodeToString(append(mac(g.opts.CursorKeys[0], text, scope), text...))
}

// unseal is what seal was given; anything else is InvalidRequest.
func (g *Gateway) unseal(sealed, scope string) (string, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil || len(b) <= macSize {
		return "", canonical.Invalid("cursor", "is not a cursor of this API")
	}
	text := string(b[macSize:])
	for _, key := range g.opts.CursorKeys {
		if hmac.Equal(b[:macSize], mac(key, text, scope)) {
			return text, nil
		}
	}
	return "", canonical.Invalid("cursor", "is not a cursor of this list with these filters")
}

func mac(key []byte, text, scope string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("dragoman cursor 1\x00"))
	sum := sha256.Sum256([]byte(scope)) // of fixed length, so that scope and text cannot run together
	h.Write(sum[:])
	h.Write([]byte(text))
	return h.Sum(nil)[:macSize]
}

// unsealCursor puts the cloud's own cursor in the place of the client's.
func (g *Gateway) unsealCursor(in *input, scope string) error {
	f := in.request.FieldByName("Cursor")
	if !f.IsValid() || f.Kind() != reflect.String || f.Len() == 0 {
		return nil
	}
	text, err := g.unseal(f.String(), scope)
	if err == nil {
		f.SetString(text)
	}
	return err
}

// sealCursor is result, a page, with its next cursor sealed; other results are
// given back as they are.
func (g *Gateway) sealCursor(result any, scope string) (any, error) {
	v := reflect.ValueOf(result)
	if v.Kind() != reflect.Struct || v.Type().NumField() == 0 {
		return result, nil
	}
	next := v.FieldByName("NextCursor")
	if !next.IsValid() || next.Kind() != reflect.String || next.Len() == 0 {
		return result, nil
	}
	page := reflect.New(v.Type()).Elem()
	page.Set(v)
	page.FieldByName("NextCursor").SetString(g.seal(next.String(), scope))
	return page.Interface(), nil
}
