package h3c

import (
	"encoding/json"
	"net/http"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// failure is the body of every error (general part, lines 41-78).
type failure struct {
	Code  string `json:"code"`
	Msg   string `json:"msg"`
	Data  any    `json:"data"`
	Total int    `json:"total"`
}

func hearError(resp *translate.Response) *canonical.Error {
	e := canonical.Errorf(words.ByHTTP(resp.Status), "%s", http.StatusText(resp.Status))
	e.Upstream = &canonical.Upstream{Status: resp.Status}
	var f failure
	if json.Unmarshal(resp.Body, &f) == nil && f.Msg != "" {
		e.Detail = f.Msg[:min(len(f.Msg), 1024)]
		e.Upstream.Code, e.Upstream.Message = f.Code, e.Detail
	}
	return e
}

func sayError(e *canonical.Error, _ *translate.Request, _ *translate.Env) *translate.Response {
	body, err := json.Marshal(failure{Code: string(e.Code), Msg: e.Detail})
	if err != nil { // texts always marshal
		panic(err)
	}
	return &translate.Response{Status: e.HTTPStatus(), Header: http.Header{}, Body: body}
}
