package kill

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/test/openstack"
	"github.com/dragoman-cloud/dragoman/test/process"
)

// local is an address of a service of the test's OpenStack.
var local = regexp.MustCompile(`http://127\.0\.0\.1:(\d+)`)

// throughGallows serves an OpenStack on loopback with every service behind one address,
// by the port: its catalogs and links lead to this address as well.
func throughGallows(t *testing.T, g *gallows) (base string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		port, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/port/"), "/")
		if _, err := strconv.Atoi(port); err != nil {
			http.NotFound(w, r)
			return
		}
		whole := httptest.NewRecorder()
		to := r.Clone(r.Context())
		to.Header.Del("Accept-Encoding")
		to.URL.Path, to.URL.RawPath = strings.TrimPrefix(r.URL.Path, "/port/"+port), strings.TrimPrefix(r.URL.RawPath, "/port/"+port)
		to.URL.Host = "127.0.0.1:" + port
		g.ServeHTTP(whole, to)
		here := []byte("http://" + r.Host + "/port/$1")
		for k, v := range whole.Header() {
			if k != "Content-Length" {
				w.Header()[k] = []string{string(local.ReplaceAll([]byte(v[0]), here))}
			}
		}
		w.WriteHeader(whole.Code)
		_, _ = io.Copy(w, bytes.NewReader(local.ReplaceAll(whole.Body.Bytes(), here))) // the front may have gone
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// toNova counts the requests to Nova from the first that is not a GET; that is to
// Keystone no more than to others.
func toNova(port string) func(*http.Request) bool {
	begun := fromWrite()
	return func(r *http.Request) bool { return r.URL.Port() == port && begun(r) }
}

// TestOpenStack: what is killed at any step of a create, a stop, a resize and a delete on a real
// OpenStack is ended by the next process, once; afterwards nothing is left.
func TestOpenStack(t *testing.T) {
	peer := openstack.Require(t)
	keystone, err := url.Parse(peer.AuthURL)
	if err != nil {
		t.Fatal(err)
	}
	first, err := strconv.Atoi(keystone.Port())
	if err != nil {
		t.Fatal(err)
	}
	config := func(endpoint string) string {
		u := peer.Demo
		return fmt.Sprintf("clouds: [{name: os1, dialect: nova, shared: true, timeout: 10s, endpoint: %q, auth: {username: %s, password: %s, project: %s, "+
			"user_domain: %s, project_domain: %s}}]\n", endpoint, u.Username, u.Password, u.Project, u.UserDomain, u.ProjectDomain)
	}
	witness := process.Start(t, t.TempDir(), strings.Replace(config(peer.AuthURL), "shared: true", "shared: false", 1)+
		fmt.Sprintf("tenants: [{name: bootstrap, accounts: {os1: {username: %s, password: %s, project: %s, user_domain: %s, project_domain: %s}}}]\n",
			peer.Demo.Username, peer.Demo.Password, peer.Demo.Project, peer.Demo.UserDomain, peer.Demo.ProjectDomain))
	all := abreast{t: t}
	defer all.wait()
	for _, after := range []bool{false, true} {
		for n := 1; n <= 2; n++ {
			all.run(fmt.Sprintf("request %d, after %v", n, after), func(t *testing.T) {
				s := &stage{dir: t.TempDir(), cloud: witness, gallows: &gallows{}}
				s.config = config(throughGallows(t, s.gallows) + "/port/" + keystone.Port() + "/v3")
				s.front = process.Start(t, s.dir, s.config)
				c := &course{stage: s, n: n, after: after, name: strings.ReplaceAll(fmt.Sprintf("kill-%d-%v-%s", n, after, s.dir[len(s.dir)-4:]), "/", "")}
				c.nova, c.larger = strconv.Itoa(first+4), peer.OtherFlavor
				c.run(t, fmt.Sprintf(`{"name":%q,"flavor":%q,"image":%q,"networks":[{"network":%q}]}`, c.name, peer.FlavorID, peer.ImageID, peer.NetworkID))
			})
		}
	}
}

// course is the life of one server, each step of which is killed.
type course struct {
	*stage
	n          int
	after      bool
	name, nova string
	larger     string // a flavor
}

func (c *course) run(t *testing.T, create string) {
	c.step(t, http.MethodPost, "/v1/servers", create)
	if len(c.seen(t, c.front)) == 0 { // it fell before the cloud was asked
		anew(t, c.front, create)
	}
	seen, there := c.seen(t, c.front), c.seen(t, c.cloud)
	if len(seen) != 1 || len(there) != 1 {
		t.Fatalf("after the create the tenant has %d servers, the cloud %d", len(seen), len(there))
	}
	path := "/v1/servers/" + url.PathEscape(string(seen[0].ID))
	c.step(t, http.MethodPost, path+"/stop", "")
	if now := c.seen(t, c.cloud); len(now) != 1 || now[0].Status != canonical.ServerStopped {
		t.Errorf("after the stop there is %+v", now)
	}
	c.step(t, http.MethodPost, path+"/resize", fmt.Sprintf(`{"flavor":%q}`, c.larger))
	if now := c.seen(t, c.cloud); len(now) != 1 || now[0].Status != canonical.ServerVerifyResize || *now[0].Flavor.Name != c.larger {
		t.Errorf("after the resize there is %+v", now)
	}
	c.step(t, http.MethodPost, path+"/confirm-resize", "")
	if now := c.seen(t, c.cloud); len(now) != 1 || now[0].Status != canonical.ServerStopped {
		t.Errorf("after the confirm there is %+v", now)
	}
	c.step(t, http.MethodDelete, path, "")
	call(t, http.MethodDelete, c.front.URL+path, "", map[string]string{"Prefer": "wait=30"}, nil) // when it fell before it was accepted
	settled(t, c.front.URL)
	if seen, there := c.seen(t, c.front), c.seen(t, c.cloud); len(seen)+len(there) > 0 {
		t.Errorf("after the delete the tenant has %d servers, the cloud %d", len(seen), len(there))
	}
}

// step performs one request through a fall, and has it ended.
func (c *course) step(t *testing.T, method, path, body string) {
	t.Helper()
	c.gallows.counts = toNova(c.nova)
	if !c.perform(t, c.n, c.after, method, path, body) {
		t.Logf("%s needs fewer requests", path)
	}
	for _, o := range settled(t, c.front.URL) {
		if o.Status != canonical.OperationSucceeded && !madeNothing(o) {
			t.Errorf("%s ended as %s: %+v", o.Operation, o.Status, o.Error)
		}
	}
}

// madeNothing says whether a create has ended so for want of an answer.
func madeNothing(o canonical.Operation) bool {
	return o.Operation == "server.create" && o.Error != nil && o.Error.Code == canonical.Timeout
}

// anew makes a server in the place of one that was not made.
func anew(t *testing.T, front *process.Process, create string) {
	t.Helper()
	if status := call(t, http.MethodPost, front.URL+"/v1/servers", create, map[string]string{"Prefer": "wait=60"}, nil); status != http.StatusCreated {
		t.Fatal(status)
	}
}

// seen are the servers of the course as a dragoman sees them.
func (c *course) seen(t *testing.T, by *process.Process) (own []canonical.Server) {
	t.Helper()
	for _, s := range servers(t, by.URL) {
		if s.Name == c.name {
			own = append(own, s)
		}
	}
	return own
}
