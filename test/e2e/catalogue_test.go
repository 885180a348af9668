package e2e

import (
	"strings"
	"testing"
	"time"
)

// catalogue looks at what a server is made of, and makes and deletes a keypair.
func catalogue(t *testing.T, b behind, c client, keypair string) {
	things := []struct {
		noun, name string
		want       item // of show
	}{
		{"flavor", b.flavor, item{"vcpus": 1.0, "disk": 1.0, "os-flavor-access:is_public": true}},
		{"image", b.image, item{"status": "active", "visibility": "public"}},
		{"network", b.network, item{"status": "ACTIVE", "shared": true, "admin_state_up": true}},
	}
	if c.version != "" {
		things = things[:1] // the others are no part of compute
	}
	for _, thing := range things {
		row := find(c.rows(t, thing.noun+" list"), "Name", thing.name)
		like(t, thing.noun+" list", row, item{"Name": thing.name})
		thing.want["id"], thing.want["name"] = row["ID"], thing.name
		like(t, thing.noun+" show", c.item(t, thing.noun+" show "+thing.name), thing.want)
		id, _ := row["ID"].(string)
		like(t, thing.noun+" show by id", c.item(t, thing.noun+" show "+id), thing.want)
		if f := c.run(t, thing.noun+" show no-such"); f.code != 1 || !strings.Contains(f.diag, "no-such") {
			t.Errorf("%s: exit code %d, %s", f.line, f.code, f.diag)
		}
	}
	if rows := c.rows(t, "availability zone list"); len(rows) == 0 || rows[0]["Zone Status"] != "available" {
		t.Errorf("availability zone list: %v", rows)
	}
	keypairLife(t, b, c, keypair)
}

func keypairLife(t *testing.T, b behind, c client, name string) {
	made := c.run(t, "keypair create "+name).good(t)
	if !strings.Contains(made.out, "PRIVATE KEY") {
		t.Errorf("%s printed no private key", made.line)
	}
	if !b.keypair(t, name) {
		t.Errorf("the cloud does not hold keypair %s", name)
	}
	row := find(c.rows(t, "keypair list"), "Name", name)
	like(t, "keypair list", row, item{"Name": name})
	like(t, "keypair show", c.item(t, "keypair show "+name), item{"name": name, "fingerprint": row["Fingerprint"]})
	c.run(t, "keypair delete "+name).good(t)
	if b.keypair(t, name) {
		t.Errorf("the cloud still holds keypair %s", name)
	}
	if row := find(c.rows(t, "keypair list"), "Name", name); row != nil {
		t.Errorf("keypair list shows %v", row)
	}
}

// login looks at the token and the catalog, and at what a wrong password gets.
func login(t *testing.T, b behind, c client) {
	token := c.item(t, "token issue")
	expires, _ := token["expires"].(string)
	if end, err := time.Parse("2006-01-02T15:04:05-0700", expires); err != nil || time.Until(end) < 10*time.Minute {
		t.Errorf("the token expires at %q, %v", expires, err)
	}
	services := c.rows(t, "catalog list")
	for _, service := range []string{"identity", "compute", "image", "network"} {
		like(t, "catalog list", find(services, "Type", service), item{"Endpoints": b.url})
	}
	c.env = append(c.env, "OS_PASSWORD=wrong")
	if f := c.run(t, "token issue"); f.code != 1 || !strings.Contains(f.diag, "HTTP 401") {
		t.Errorf("%s with a wrong password: exit code %d, %s", f.line, f.code, f.diag)
	}
}
