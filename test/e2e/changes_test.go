package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/test/openstack"
)

// TestChangesBehindOurBack: what another client does to a server on the real OpenStack is
// an event of dragoman, and a server of a list of what has changed.
func TestChangesBehindOurBack(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs an OpenStack: run without -short")
	}
	peer := openstack.Require(t)
	nova := compute(t, peer, peer.Demo)
	sweepLater(nova)
	d := start(t, strings.Replace(realConfig(peer, peer.Demo), `"shared":true`, `"shared":true,"poll":"1s"`, 1))
	var made canonical.ServersCreated
	body := `{"name": "` + ours + `-behind", "flavor": "` + peer.Flavor + `", "image": "cirros", "networks": [{"network": "` + peer.Network + `"}]}`
	d.call(t, http.MethodPost, "/v1/servers", body, http.StatusCreated, &made, "Prefer", "wait=100")
	id := made.Servers[0].ID
	_, native := id.Split()

	if err := servers.Stop(t.Context(), nova, native).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	stopped := d.tells(t, id, canonical.ServerStopped)
	if stopped.Tenant == nil || *stopped.Tenant != "bootstrap" || stopped.Name != ours+"-behind" {
		t.Errorf("the event tells of %+v", stopped)
	}
	if err := servers.Delete(t.Context(), nova, native).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	deleted := d.tells(t, id, canonical.ServerDeleted)
	var page canonical.Page[canonical.Server]
	since := deleted.CreatedAt.Format("2006-01-02T15:04:05Z")
	d.call(t, http.MethodGet, "/v1/servers?limit=1000&changed_since="+since, "", http.StatusOK, &page)
	found := false
	for _, s := range page.Items {
		found = found || s.ID == id && s.Status == canonical.ServerDeleted
	}
	if !found {
		t.Errorf("%s is not among the %d servers that changed since %s", id, len(page.Items), since)
	}
	c := d.openstack(t)
	rows := c.rows(t, "server list --changes-since "+since)
	like(t, "server list --changes-since", find(rows, "ID", native), item{"Status": "DELETED"})
}

// tells waits for the event that a server is in that state.
func (d *dragoman) tells(t *testing.T, id canonical.ID, status canonical.ServerStatus) (last canonical.Server) {
	t.Helper()
	after := int64(0)
	eventually(t, func() (string, bool) {
		var events canonical.Events
		d.call(t, http.MethodGet, fmt.Sprintf("/v1/events?after=%d", after), "", http.StatusOK, &events, "Accept", "application/json")
		for _, e := range events.Items {
			if e.Type == canonical.ServerEvent {
				if err := json.Unmarshal(e.Data, &last); err != nil {
					t.Fatal(err)
				}
			}
			if last.ID == id && last.Status == status {
				return "", true
			}
		}
		after = events.Last
		return fmt.Sprintf("no event tells that %s is %s; the last one is %s", id, status, last.Status), false
	})
	return last
}
