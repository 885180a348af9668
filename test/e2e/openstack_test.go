package e2e

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/test/openstack"
)

// openstackCommand is Debian's; it needs Debian's Python, hence the PATH in
// environment.
const openstackCommand = "/usr/bin/openstack"

// client is the unmodified openstack command with its settings.
type client struct {
	env     []string
	version string // of compute, "": the command's own choice
}

// openstackOf is the openstack command for a dragoman. It differs from that for an
// OpenStack in its OS_ variables alone.
func (d *dragoman) openstack(t *testing.T) client {
	t.Helper()
	if _, err := os.Stat(openstackCommand); err != nil {
		t.Skip("needs the openstack command: run 'apt-get install python3-openstackclient'")
	}
	return client{env: environment(d.dir,
		"OS_AUTH_URL="+d.url+"/identity/v3", "OS_IDENTITY_API_VERSION=3",
		"OS_USERNAME="+keyID, "OS_PASSWORD="+keySecret, "OS_PROJECT_NAME=bootstrap",
		"OS_USER_DOMAIN_NAME=Default", "OS_PROJECT_DOMAIN_NAME=Default")}
}

// run runs `openstack` with the words of line.
func (c client) run(t *testing.T, line string) finished {
	t.Helper()
	args := strings.Fields(line)
	if c.version != "" {
		args = append([]string{"--os-compute-api-version", c.version}, args...)
	}
	return command(t, c.env, openstackCommand, args...)
}

// item is what show and create print, and row what list does, of -f json.
type item = map[string]any

func (c client) item(t *testing.T, line string) item {
	t.Helper()
	var i item
	c.run(t, line+" -f json").good(t).json(t, &i)
	return i
}

func (c client) rows(t *testing.T, line string) []item {
	t.Helper()
	var rows []item
	c.run(t, line+" -f json").good(t).json(t, &rows)
	return rows
}

// find is the row with that value in a column.
func find(rows []item, column, value string) item {
	for _, r := range rows {
		if r[column] == value {
			return r
		}
	}
	return nil
}

// like fails the test where a wanted field is not as wanted; others do not count. A
// text is also found in an object's JSON: versions differ in how much they embed.
func like(t *testing.T, what string, got, want item) {
	t.Helper()
	if got == nil {
		t.Fatalf("%s: there is none", what)
	}
	for name, value := range want {
		if reflect.DeepEqual(got[name], value) {
			continue
		}
		b, err := json.Marshal(got[name])
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := value.(string); !ok || name == "Status" || name == "status" || !strings.Contains(string(b), text) {
			t.Errorf("%s: %s is %s, want %v", what, name, b, value)
		}
	}
}

// realConfig is a configuration whose cloud os1 is a project of the real
// OpenStack.
func realConfig(peer openstack.Peer, as openstack.Credentials) string {
	b, err := json.Marshal(map[string]any{
		"name": "os1", "dialect": "nova", "shared": true, "endpoint": peer.AuthURL, "region": peer.Region,
		"auth": map[string]string{
			"username": as.Username, "password": as.Password, "project": as.Project,
			"user_domain": as.UserDomain, "project_domain": as.ProjectDomain,
		},
	})
	if err != nil {
		panic(err)
	}
	return "clouds:\n  - " + string(b) + "\n" // JSON is YAML
}
