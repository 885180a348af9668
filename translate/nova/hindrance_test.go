package nova

import (
	"net/http"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// TestLockedWithoutItsWord: Nova says so of some actions on locked servers.
func TestLockedWithoutItsWord(t *testing.T) {
	e := hearError(&translate.Response{Status: 409, Header: http.Header{}, Body: []byte(
		`{"conflictingRequest":{"code":409,"message":"Instance u1 is in an invalid state for 'changePassword'"}}`)})
	if e.Code != canonical.FailedPrecondition {
		t.Errorf("it is %s", e.Code)
	}
}

// TestHindrances: what of a state forbids an action is said in Nova's own sentences.
func TestHindrances(t *testing.T) {
	task := "powering-off"
	stopped := &canonical.Server{ID: "native", Status: canonical.ServerStopped}
	busy := &canonical.Server{ID: "native", Status: canonical.ServerRunning, Task: &task}
	for name, c := range map[string]struct {
		method, path, body string
		err                *canonical.Error
		want               string
	}{
		"State":  {"POST", "/servers/u1/action", `{"pause":null}`, canonical.Hindered("pause", stopped, canonical.ServerRunning), "Cannot 'pause' instance u1 while it is in vm_state stopped"},
		"Prefix": {"POST", "/servers/u1/action", `{"os-stop":null}`, canonical.Hindered("stop", stopped, canonical.ServerRunning), "Cannot 'stop' instance u1 while it is in vm_state stopped"},
		"Task":   {"POST", "/servers/u1/action", `{"os-migrateLive":{}}`, canonical.Hindered("move", busy, canonical.ServerRunning), "Cannot 'os-migrateLive' instance u1 while it is in task_state powering-off"},
		"Look":   {"GET", "/servers/u1/diagnostics", ``, canonical.Hindered("look into", stopped, canonical.ServerRunning), "Cannot 'get_diagnostics' instance u1 while it is in vm_state stopped"},
		"Locked": {"DELETE", "/servers/u1", ``, canonical.HinderedByLock("delete", stopped), "Instance u1 is locked"},
	} {
		t.Run(name, func(t *testing.T) {
			req := &translate.Request{Service: "compute", Method: c.method, Path: c.path, Body: []byte(c.body), Params: map[string]string{"id": "u1"}}
			resp := sayError(c.err, req, &translate.Env{Version: MaxVersion})
			if resp.Status != 409 || !strings.Contains(string(resp.Body), `"conflictingRequest"`) || !strings.Contains(string(resp.Body), c.want) {
				t.Errorf("%d %s, want %s", resp.Status, resp.Body, c.want)
			}
			if heard := hearError(resp); heard.Code != canonical.FailedPrecondition {
				t.Errorf("heard again it is %s", heard.Code)
			}
		})
	}
}
