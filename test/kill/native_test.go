package kill

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
	"github.com/dragoman-cloud/dragoman/test/guest"
	"github.com/dragoman-cloud/dragoman/test/libvirt"
	"github.com/dragoman-cloud/dragoman/test/process"
)

// TestNative: a dragoman that runs servers itself is killed so long after each request
// for one. The next process ends the work; what the tenant sees, the host's domains and
// volumes, and what the store counts as taken agree, and in the end nothing is left.
func TestNative(t *testing.T) {
	d := libvirt.Require(t)
	image := guest.Image(t)
	all := abreast{t: t}
	defer all.wait()
	for _, after := range []time.Duration{5 * time.Millisecond, 50 * time.Millisecond, 150 * time.Millisecond, 400 * time.Millisecond, 1200 * time.Millisecond} {
		all.run("after "+after.String(), func(t *testing.T) {
			prefix, dir := d.Names(t)
			h := &hosted{Daemon: d, prefix: prefix, after: after, dir: t.TempDir(), config: fmt.Sprintf(
				"clouds: [{name: kvm1, dialect: native, timeout: 3s, native: {prefix: %s, dir: %s, hosts: [{name: h1, uri: %q}]}}]\n", prefix, dir, d.URI)}
			h.front = process.Start(t, h.dir, h.config)
			h.run(t, image)
		})
	}
}

// hosted is a dragoman with servers of its own on a real libvirt.
type hosted struct {
	libvirt.Daemon
	prefix, dir, config string
	after               time.Duration
	front               *process.Process
}

func (h *hosted) run(t *testing.T, image string) {
	h.upload(t, image)
	networks := `"none"`
	if h.HasNetwork(t) {
		networks = fmt.Sprintf(`[{"network":%q}]`, h.named(t, "networks", libvirt.Network))
	}
	create := fmt.Sprintf(`{"name":"web","flavor":%q,"image":%q,"networks":%s}`,
		h.named(t, "flavors", "tiny"), h.named(t, "images", "guest"), networks)
	h.step(t, http.MethodPost, "/v1/servers", create)
	if len(servers(t, h.front.URL)) == 0 { // it fell before the cloud was asked
		anew(t, h.front, create)
	}
	made := servers(t, h.front.URL)
	if len(made) != 1 || made[0].Status != canonical.ServerRunning {
		t.Fatalf("after the create there is %+v", made)
	}
	path := "/v1/servers/" + url.PathEscape(string(made[0].ID))
	h.step(t, http.MethodPost, path+"/stop", `{"force":true}`)
	if s := servers(t, h.front.URL); len(s) != 1 || s[0].Status != canonical.ServerStopped {
		t.Errorf("after the stop there is %+v", s)
	}
	h.step(t, http.MethodPost, path+"/resize", fmt.Sprintf(`{"flavor":%q}`, h.named(t, "flavors", "small")))
	if s := servers(t, h.front.URL); len(s) != 1 || s[0].Status != canonical.ServerVerifyResize || *s[0].Flavor.Name != "small" {
		t.Errorf("after the resize there is %+v", s)
	}
	h.step(t, http.MethodPost, path+"/confirm-resize", "")
	if s := servers(t, h.front.URL); len(s) != 1 || s[0].Status != canonical.ServerStopped {
		t.Errorf("after the confirm there is %+v", s)
	}
	h.step(t, http.MethodDelete, path, "")
	call(t, http.MethodDelete, h.front.URL+path, "", nil, nil) // when it fell before it was accepted
	settled(t, h.front.URL)
	if s := servers(t, h.front.URL); len(s) != 0 {
		t.Errorf("after the delete there is %+v", s)
	}
	h.compare(t)
}

// upload makes an image of the file.
func (h *hosted) upload(t *testing.T, image string) {
	t.Helper()
	var made canonical.Image
	if status := call(t, http.MethodPost, h.front.URL+"/v1/images", `{"name":"guest","disk_format":"qcow2"}`, nil, &made); status != http.StatusCreated {
		t.Fatal(status)
	}
	content, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	status := call(t, http.MethodPut, h.front.URL+"/v1/images/"+url.PathEscape(string(made.ID))+"/file", string(content),
		map[string]string{"Content-Type": "application/octet-stream"}, nil)
	if status >= 300 {
		t.Fatal(status)
	}
}

// named is the id of the resource of that name.
func (h *hosted) named(t *testing.T, kind, name string) canonical.ID {
	t.Helper()
	var page canonical.Page[struct {
		ID   canonical.ID `json:"id"`
		Name string       `json:"name"`
	}]
	call(t, http.MethodGet, h.front.URL+"/v1/"+kind, "", nil, &page)
	for _, r := range page.Items {
		if r.Name == name {
			return r.ID
		}
	}
	t.Fatalf("there is no %s in %+v", name, page.Items)
	return ""
}

// step sends a request, kills dragoman meanwhile or soon after, starts it again, and
// sees that all work ends well and that everybody agrees on what there is.
func (h *hosted) step(t *testing.T, method, path, body string) {
	t.Helper()
	header := map[string]string{}
	if method == http.MethodPost {
		header["Idempotency-Key"] = "key:" + path
	}
	var asked sync.WaitGroup
	killed := make(chan error, 1)
	asked.Go(func() {
		timer := time.NewTimer(h.after)
		defer timer.Stop()
		<-timer.C
		killed <- h.front.Kill()
	})
	call(t, method, h.front.URL+path, body, header, nil)
	asked.Wait()
	if err := <-killed; err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	h.front = process.Start(t, h.dir, h.config)
	for end := time.Now().Add(patience); method == http.MethodPost; time.Sleep(100 * time.Millisecond) {
		status := call(t, method, h.front.URL+path, body, header, nil)
		if status == http.StatusAccepted || status == http.StatusOK {
			break
		}
		if time.Now().After(end) || status == http.StatusBadRequest {
			t.Fatalf("the repeated %s is answered with %d", path, status)
		}
	}
	for _, o := range settled(t, h.front.URL) {
		if o.Status != canonical.OperationSucceeded && !madeNothing(o) {
			t.Errorf("%s ended as %s: %+v", o.Operation, o.Status, o.Error)
		}
	}
	t.Logf("%s %s: ended %.1f s after the next start", method, path, time.Since(began).Seconds())
	h.compare(t)
}

// compare holds what the tenant sees against the host and the store.
func (h *hosted) compare(t *testing.T) {
	t.Helper()
	var want []string
	for _, s := range servers(t, h.front.URL) {
		want = append(want, strings.TrimPrefix(string(s.ID), "kvm1:"))
	}
	slices.Sort(want)
	var domains, volumes []string
	for name := range strings.FieldsSeq(h.Virsh(t, "list", "--all", "--name")) {
		if id, ok := strings.CutPrefix(name, h.prefix+"-"); ok {
			domains = append(domains, id)
		}
	}
	if pool := h.prefix + "-servers"; slices.Contains(strings.Fields(h.Virsh(t, "pool-list", "--name")), pool) {
		h.Virsh(t, "pool-refresh", pool)
		for line := range strings.Lines(h.Virsh(t, "vol-list", pool)) {
			id, _, _ := strings.Cut(strings.Fields(line)[0], ".")
			volumes = append(volumes, id)
		}
	}
	slices.Sort(domains)
	slices.Sort(volumes)
	if !slices.Equal(domains, want) || !slices.Equal(slices.Compact(volumes), want) {
		t.Errorf("the tenant has %v, the host the domains %v and volumes of %v", want, domains, volumes)
	}
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(h.dir, "dragoman.db"))
	if err != nil {
		t.Fatal(err)
	}
	claims, err := s.Claims(t.Context(), "kvm1")
	if err2 := s.Close(); err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	var claimed []string
	for _, c := range claims {
		claimed = append(claimed, c.Server)
	}
	slices.Sort(claimed)
	if !slices.Equal(claimed, want) {
		t.Errorf("the tenant has %v, and %v take room", want, claimed)
	}
}
