package canonical

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOptStates(t *testing.T) {
	type update struct {
		Name Opt[string] `json:"name,omitzero"`
	}
	for text, want := range map[string]update{
		`{}`: {}, `{"name":null}`: {Null[string]()}, `{"name":""}`: {Some("")}, `{"name":"x"}`: {Some("x")},
	} {
		var got update
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
		back, err := json.Marshal(want)
		if err != nil || string(back) != text {
			t.Errorf("%+v became %s, %v, want %s", want, back, err, text)
		}
	}
	if v, ok := Null[int]().Get(); ok || v != 0 || Null[int]().Or(7) != 7 || Some(0).Or(7) != 0 {
		t.Error("Get and Or disagree about null")
	}
	if err := json.Unmarshal([]byte(`{"name":1}`), new(update)); err == nil {
		t.Error("a number was taken for a text")
	}
}

func TestProblemRoundTrip(t *testing.T) {
	for code := range codeInfo {
		e := &Error{
			Code: code, Detail: "why", Cloud: "os1", Operation: "server.get", Fields: []FieldError{{"a.0", "bad"}},
			Upstream: &Upstream{Status: 500, Code: "x"}, RetryAfter: 3 * time.Second, SupportedBy: []string{"os2"},
		}
		b, err := json.Marshal(ProblemOf(e, "req"))
		if err != nil {
			t.Fatal(err)
		}
		var p Problem
		if err := json.Unmarshal(b, &p); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, p.Err()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", code, diff)
		}
		if p.Status != code.HTTPStatus() || p.Title == string(code) || p.RequestID != "req" {
			t.Errorf("%s: %+v", code, p)
		}
	}
	if got := (&Problem{Code: InvalidRequest, Status: 405}).Err().HTTPStatus(); got != 405 {
		t.Errorf("a status of its own became %d", got)
	}
}

func TestErrors(t *testing.T) {
	cause := errors.New("cause")
	wrapped := Errorf(Unavailable, "down: %w", cause)
	if !errors.Is(wrapped, cause) || wrapped.Detail != "down: cause" {
		t.Errorf("got %v", wrapped)
	}
	for want, err := range map[Code]error{
		"": nil, Timeout: fmt.Errorf("x: %w", context.DeadlineExceeded), Canceled: context.Canceled,
		Internal: cause, NotFound: fmt.Errorf("x: %w", Errorf(NotFound, "y")),
	} {
		if got := CodeOf(err); got != want {
			t.Errorf("CodeOf(%v) = %s", err, got)
		}
	}
	if p := ProblemOf(cause, ""); p.Detail == cause.Error() {
		t.Error("the cause of an internal error is shown")
	}
	original := Errorf(NotFound, "gone")
	if named := AsError(InCloud(original, "os1")); named.Cloud != "os1" || original.Cloud != "" {
		t.Error("InCloud does not name the cloud on a copy")
	}
}
