package e2e

import (
	"strings"
	"testing"
)

// versions are the compute versions that the openstack command is told to speak: its
// own choice, the oldest, and one with much more in a server.
var versions = []string{"", "2.1", "2.79"}

// clouds are what may stand behind a dragoman.
var clouds = map[string]func(*testing.T) behind{"Memory": withMemory, "OpenStack": withOpenStack}

// TestOpenStackCommand: the unmodified command does with dragoman, whatever cloud
// stands behind, what it does with an OpenStack.
func TestOpenStackCommand(t *testing.T) {
	for name, open := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			for _, version := range versions {
				c := b.openstack(t)
				c.version = version
				label := strings.TrimPrefix(version, "2.")
				t.Run("Server"+label, func(t *testing.T) {
					t.Parallel()
					life(t, b, c, ours+"-server"+label)
				})
				t.Run("Catalogue"+label, func(t *testing.T) {
					t.Parallel()
					catalogue(t, b, c, ours+"-key"+label)
				})
			}
			t.Run("Login", func(t *testing.T) {
				t.Parallel()
				login(t, b, b.openstack(t))
			})
		})
	}
}

// step is one command of a server's life. In the command NAME, FLAVOR, IMAGE and
// NETWORK stand for those of the server.
type step struct {
	line string
	once bool  // at the command's own version only: the others tell nothing more
	item item  // what it prints has these fields
	row  item  // what it prints has a row for the server, with these fields
	none bool  // what it prints has no row for the server
	then *held // the cloud then holds it so, soon
}

// lifeOf a server: every step begins where the one before it ended.
var lifeOf = []step{
	{line: "server list --name NAME", once: true, none: true},
	{
		line: "server create --image IMAGE --flavor FLAVOR --network NETWORK --property a=b --wait NAME",
		item: item{"name": "NAME", "status": "ACTIVE", "properties": item{"a": "b"}},
		then: &held{Name: "NAME", Status: "ACTIVE", Metadata: map[string]string{"a": "b"}},
	},
	{line: "server list", row: item{"Status": "ACTIVE", "Image": "IMAGE", "Flavor": "FLAVOR", "Networks": "NETWORK"}},
	{line: "server list --name NAME --status ACTIVE", once: true, row: item{"Status": "ACTIVE"}},
	{line: "server list --name NAME --status SHUTOFF", once: true, none: true},
	{line: "server list --long", row: item{"Status": "ACTIVE", "Power State": 1.0, "Task State": nil, "Properties": item{"a": "b"}}},
	{line: "server show NAME", item: item{
		"status": "ACTIVE", "flavor": "FLAVOR", "image": "IMAGE", "addresses": "NETWORK",
		"OS-EXT-STS:vm_state": "active", "properties": item{"a": "b"},
	}},
	{line: "server stop NAME", then: &held{Status: "SHUTOFF"}},
	{line: "server list --status SHUTOFF", once: true, row: item{"Status": "SHUTOFF"}},
	{line: "server show NAME", once: true, item: item{"status": "SHUTOFF", "OS-EXT-STS:power_state": 4.0}},
	{line: "server start NAME", then: &held{Status: "ACTIVE"}},
	{line: "server reboot --soft --wait NAME", once: true, then: &held{Status: "ACTIVE"}},
	{line: "server reboot --hard --wait NAME", once: true, then: &held{Status: "ACTIVE"}},
	{line: "server set --property k=v NAME", then: &held{Metadata: map[string]string{"a": "b", "k": "v"}}},
	{line: "server set --name NAME-renamed NAME", then: &held{Name: "NAME-renamed", Status: "ACTIVE"}},
	{line: "server show NAME-renamed", item: item{"name": "NAME-renamed", "properties": item{"a": "b", "k": "v"}}},
	{line: "server delete --wait NAME-renamed"},
	{line: "server list", once: true, none: true},
}

// life takes a server through its life, and looks at the output and at the cloud.
func life(t *testing.T, b behind, c client, name string) {
	fill := strings.NewReplacer("NAME", name, "FLAVOR", b.flavor, "IMAGE", b.image, "NETWORK", b.network)
	id := ""
	for _, s := range lifeOf {
		line := fill.Replace(s.line)
		switch {
		case s.once && c.version != "":
			continue
		case s.item != nil:
			got := c.item(t, line)
			like(t, line, got, filled(fill, s.item))
			id, _ = got["id"].(string)
		case s.row != nil:
			row := find(c.rows(t, line), "ID", id)
			like(t, line, row, filled(fill, s.row))
			like(t, line, row, item{"Name": name})
		case s.none:
			for _, row := range c.rows(t, line) {
				if row["ID"] == id || row["Name"] == name {
					t.Errorf("%s shows %v", line, row)
				}
			}
		default:
			c.run(t, line).good(t)
		}
		if s.then != nil {
			b.holds(t, id, held{fill.Replace(s.then.Name), s.then.Status, s.then.Metadata})
		}
	}
	b.gone(t, id)
	if f := c.run(t, "server show "+name); f.code != 1 || !strings.Contains(f.diag, "No server with a name or ID") {
		t.Errorf("%s: exit code %d, %s", f.line, f.code, f.diag)
	}
}

func filled(fill *strings.Replacer, want item) item {
	out := item{}
	for k, v := range want {
		if s, ok := v.(string); ok {
			v = fill.Replace(s)
		}
		out[k] = v
	}
	return out
}
