package nova

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// hindered is Nova's sentence on what of a server's state forbids an action.
func hindered(by canonical.Hindrance, req *translate.Request) string {
	id, act := req.Params["id"], actName(req)
	switch {
	case by.Locked:
		return "Instance " + id + " is locked"
	case by.Task != "":
		return "Cannot '" + act + "' instance " + id + " while it is in task_state " + by.Task
	default:
		return "Cannot '" + act + "' instance " + id + " while it is in vm_state " + sayVMState(by.Status)
	}
}

// actName is how Nova calls in its sentences what a request asks for.
func actName(req *translate.Request) string {
	var body map[string]json.RawMessage
	switch {
	case req.Method == http.MethodDelete:
		return "delete"
	case strings.HasSuffix(req.Path, "/diagnostics"):
		return "get_diagnostics"
	case json.Unmarshal(req.Body, &body) != nil:
		return "update"
	}
	for key := range body {
		switch key {
		case "os-start", "os-stop":
			return strings.TrimPrefix(key, "os-")
		default:
			return key
		}
	}
	return "update"
}
