package openstack_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
)

// TestVolumes: the volume service is where the catalog says, and answers as Cinder does.
func TestVolumes(t *testing.T) {
	base := serveCloud(t, "", memory.New(memory.Options{Capacity: memory.Capacity{VolumeGiB: 5}}))
	token := login(t, base)
	volumes := base + "/volume/v3/volumes"
	var made struct {
		Volume struct{ ID, Status, Bootable string }
	}
	body := `{"volume":{"size":2,"name":"data","metadata":{"a":"1","b":"2"},"backup_id":null,"consistencygroup_id":null}}`
	if r := call(t, "POST", volumes, token, body, &made); r.StatusCode != 202 || made.Volume.Bootable != "false" ||
		r.Header.Get("Openstack-Api-Version") != "volume 3.0" {
		t.Fatalf("%d %v %+v", r.StatusCode, r.Header, made)
	}
	one := volumes + "/" + made.Volume.ID
	for _, tt := range []struct {
		what, method, url, body string
		status                  int
		says                    string
	}{
		{"an unknown volume", "GET", volumes + "/nope", "", 404, "Volume nope could not be found."},
		{"an unknown call", "GET", base + "/volume/v3/nope", "", 404, "could not be found"},
		{"more than there is", "POST", volumes, `{"volume":{"size":4}}`, 413, "overLimit"},
		{"an unknown type", "POST", volumes, `{"volume":{"size":1,"volume_type":"none"}}`, 404, "none"},
		{"no size", "POST", volumes, `{"volume":{}}`, 400, "badRequest"},
		{"what cannot be carried", "POST", volumes, `{"volume":{"size":1,"backup_id":"x"}}`, 400, "backup_id"},
		{"the present size", "POST", one + "/action", `{"os-extend":{"new_size":2}}`, 400, "present"},
		{"an unknown action", "POST", one + "/action", `{"os-odd":{}}`, 400, "os-odd"},
		{"the metadata replaced", "PUT", one + "/metadata", `{"metadata":{"a":"3"}}`, 200, `{"metadata":{"a":"3"}}`},
		{"an item that is not there", "DELETE", one + "/metadata/b", "", 404, "has no metadata with key b."},
		{"an item that is there", "DELETE", one + "/metadata/a", "", 200, ""},
		{"an extension", "POST", one + "/action", `{"os-extend":{"new_size":3}}`, 202, ""},
		{"a deletion", "DELETE", one, "", 202, ""},
	} {
		var raw json.RawMessage
		var into any
		if tt.says != "" {
			into = &raw
		}
		if r := call(t, tt.method, tt.url, token, tt.body, into); r.StatusCode != tt.status || !strings.Contains(string(raw), tt.says) {
			t.Errorf("%s: %d %s, want %d and %q", tt.what, r.StatusCode, raw, tt.status, tt.says)
		}
	}
}

// TestVolumeInUse: Cinder and Nova call it a bad request, where a server's own state is
// a conflict.
func TestVolumeInUse(t *testing.T) {
	base := serveCloud(t, "", memory.New(memory.Options{}))
	token := login(t, base)
	var server struct{ Server struct{ ID string } }
	call(t, "POST", base+"/compute/v2.1/servers", token, newServer, &server)
	var made struct{ Volume struct{ ID string } }
	call(t, "POST", base+"/volume/v3/volumes", token, `{"volume":{"size":1}}`, &made)
	attachments := base + "/compute/v2.1/servers/" + server.Server.ID + "/os-volume_attachments"
	body := `{"volumeAttachment":{"volumeId":"` + made.Volume.ID + `"}}`
	var got struct {
		VolumeAttachment struct{ ID, VolumeID, Device string }
	}
	if r := call(t, "POST", attachments, token, body, &got); r.StatusCode != 200 || got.VolumeAttachment.ID != made.Volume.ID || got.VolumeAttachment.Device != "/dev/vdb" {
		t.Errorf("%d %+v", r.StatusCode, got)
	}
	missing := strings.ReplaceAll(body, made.Volume.ID, "00000000-dead-4bad-8bad-000000000000")
	for what, status := range map[string]int{
		"POST " + attachments + " " + body:                              http.StatusBadRequest,
		"POST " + attachments + " " + missing:                           http.StatusNotFound,
		"DELETE " + base + "/volume/v3/volumes/" + made.Volume.ID + " ": http.StatusBadRequest,
	} {
		part := strings.SplitN(what, " ", 3)
		if r := call(t, part[0], part[1], token, part[2], nil); r.StatusCode != status {
			t.Errorf("%s: %d, want %d", what, r.StatusCode, status)
		}
	}
}
