package canonical

import "testing"

func TestSummary(t *testing.T) {
	for want, op := range map[string]*Spec{
		"List availability zones":    ListAvailabilityZones.Spec(),
		"Stop a server":              StopServer.Spec(),
		"Create an image":            {Name: "image.create"},
		"Get limits":                 {Name: "limits.get"},
		"Console output of a server": {Name: "server.console_output"},
	} {
		if got := op.Summary(); got != want {
			t.Errorf("%s: %q, want %q", op.Name, got, want)
		}
	}
}
