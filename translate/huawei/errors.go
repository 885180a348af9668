package huawei

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// failure is both forms of error bodies; code is a number in places.
type failure struct {
	Error *struct {
		Message string `json:"message"`
		Code    any    `json:"code"`
	} `json:"error,omitempty"`
	Msg  string `json:"error_msg,omitempty"`
	Code string `json:"error_code,omitempty"`
}

func hearError(resp *translate.Response) *canonical.Error {
	e := canonical.Errorf(words.ByHTTP(resp.Status), "%s", http.StatusText(resp.Status))
	e.Upstream = &canonical.Upstream{Status: resp.Status}
	var f failure
	if json.Unmarshal(resp.Body, &f) != nil {
		return e
	}
	if f.Error != nil {
		f.Msg, f.Code = f.Error.Message, fmt.Sprint(f.Error.Code)
	}
	e.Detail = cmp.Or(f.Msg[:min(len(f.Msg), 1024)], e.Detail)
	e.Upstream.Code, e.Upstream.Message = f.Code, f.Msg[:min(len(f.Msg), 1024)]
	return e
}

func sayError(e *canonical.Error, _ *translate.Request, _ *translate.Env) *translate.Response {
	body, err := json.Marshal(map[string]any{"error": map[string]string{"message": e.Detail, "code": "Ecs." + fmt.Sprintf("%04d", e.HTTPStatus())}})
	if err != nil { // texts always marshal
		panic(err)
	}
	return &translate.Response{Status: e.HTTPStatus(), Header: http.Header{}, Body: body}
}
