package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/test/openstack"
)

// TestBothClouds: one dragoman, a cloud in memory and a real OpenStack: lists are
// merged, creates go where they are sent, and ids find their cloud.
func TestBothClouds(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs an OpenStack: run without -short")
	}
	peer := openstack.Require(t)
	nova := compute(t, peer, peer.Demo)
	sweepLater(nova)
	d := start(t, realConfig(peer, peer.Demo)+"  - {name: memory, dialect: memory, shared: true}\n")

	create := `{"name": "` + ours + `-both", "flavor": "FLAVOR", "image": "cirros", "cloud": "CLOUD"}`
	var made [2]canonical.ServersCreated
	for i, fill := range []*strings.Replacer{
		strings.NewReplacer("FLAVOR", "small", "CLOUD", "memory"), strings.NewReplacer("FLAVOR", peer.Flavor, "CLOUD", "os1"),
	} {
		body := fill.Replace(create)
		if i == 1 { // two networks can be seen there: auto would be ambiguous
			body = strings.Replace(body, "{", `{"networks": [{"network": "`+peer.Network+`"}], `, 1)
		}
		d.call(t, http.MethodPost, "/v1/servers", body, http.StatusCreated, &made[i], "Prefer", "wait=100")
	}
	inMemory, real := made[0].Servers[0].ID, made[1].Servers[0].ID
	if s, there := realServer(t, nova, strings.TrimPrefix(string(real), "os1:")); !there || s.Status != "ACTIVE" {
		t.Errorf("the OpenStack holds %+v (%v)", s, there)
	}

	for query, want := range map[string][]canonical.ID{
		"":              {real, inMemory},
		"&cloud=memory": {inMemory},
		"&cloud=os1":    {real},
	} {
		var page canonical.Page[canonical.Server]
		d.call(t, http.MethodGet, "/v1/servers?name="+ours+"-both"+query, "", http.StatusOK, &page)
		found := map[canonical.ID]bool{}
		for _, s := range page.Items {
			found[s.ID] = true
		}
		if len(found) != len(want) || !found[want[0]] || !found[want[len(want)-1]] || len(page.Unreachable) > 0 {
			t.Errorf("%q lists %v (unreachable %v), want %v", query, found, page.Unreachable, want)
		}
	}
	unpinned := strings.NewReplacer("FLAVOR", "small", `, "cloud": "CLOUD"`, "").Replace(create)
	if f := d.ask(t, "server", "list"); !strings.Contains(f.good(t).out, string(real)) || !strings.Contains(f.out, string(inMemory)) {
		t.Errorf("%s printed\n%s", f.line, f.out)
	}
	var third canonical.ServersCreated // only one of the clouds has that flavor
	d.call(t, http.MethodPost, "/v1/servers", unpinned, http.StatusCreated, &third, "Prefer", "wait=100")
	if s := third.Servers[0]; s.Cloud != "memory" {
		t.Errorf("a server of a flavor that only memory has is on %s", s.Cloud)
	}
	d.bothByOpenStack(t, peer, string(inMemory), string(real))
	for _, id := range []canonical.ID{inMemory, real} {
		d.call(t, http.MethodDelete, "/v1/servers/"+escaped(string(id)), "", http.StatusNoContent, nil, "Prefer", "wait=100")
	}
	if _, there := realServer(t, nova, strings.TrimPrefix(string(real), "os1:")); there {
		t.Error("the OpenStack still holds the server")
	}
}

// bothByOpenStack: the openstack command sees one cloud that is both.
func (d *dragoman) bothByOpenStack(t *testing.T, peer openstack.Peer, ids ...string) {
	c := d.openstack(t)
	rows := c.rows(t, "server list --name "+ours+"-both")
	for _, id := range ids {
		_, native, _ := strings.Cut(id, ":")
		like(t, "server list", find(rows, "ID", native), item{"Status": "ACTIVE"})
		like(t, "server show", c.item(t, "server show "+native), item{"status": "ACTIVE", "image": "cirros"})
	}
	flavors := c.rows(t, "flavor list")
	if find(flavors, "Name", "small") == nil || find(flavors, "Name", peer.Flavor) == nil {
		t.Errorf("flavor list shows %v", flavors)
	}
}
