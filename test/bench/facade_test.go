package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/test/process"
)

const (
	server  = "11111111-aaaa-4000-8000-000000000001" // of the example
	example = "../../translate/nova/testdata/wire/server-show.2.67.json"
	version = "2.67"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := process.Clean(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// call is what a client does again and again.
type call struct {
	name, method, path, body string
	status                   int
}

var calls = []call{
	{"show", http.MethodGet, "/servers/" + server, "", http.StatusOK},
	{"list1000", http.MethodGet, "/servers/detail?limit=1000", "", http.StatusOK},
	{
		"create", http.MethodPost, "/servers",
		`{"server":{"name":"web","flavorRef":"` + flavor + `","imageRef":"` + image + `","networks":"none"}}`, http.StatusAccepted,
	},
}

// BenchmarkFacade shows, lists and creates servers, one request after the other: at the
// cloud itself, through nginx, and through dragoman. CPU-µs/op is what the process
// between takes; a create goes on in it after the answer.
func BenchmarkFacade(b *testing.B) {
	cloud := newCloud(b)
	proxied, nginx := startNginx(b, cloud)
	d := process.Start(b, b.TempDir(), "clouds: [{name: c, dialect: nova, shared: true, endpoint: "+cloud+
		"/v3, auth: {username: u, password: p, project: p, user_domain: Default, project_domain: Default}}]\n")
	token := logIn(b, d.URL+"/identity/v3")
	for _, c := range calls {
		b.Run(c.name+"/direct", func(b *testing.B) { c.repeat(b, cloud+"/v2.1", "t", 0) })
		b.Run(c.name+"/nginx", func(b *testing.B) { c.repeat(b, proxied+"/v2.1", "t", nginx) })
		b.Run(c.name+"/dragoman", func(b *testing.B) { c.repeat(b, d.URL+"/compute/v2.1", token, d.PID()) })
	}
}

// newCloud is the URL of a cloud with one server, whose answers cost it next to nothing.
func newCloud(b *testing.B) string {
	b.Helper()
	raw, err := os.ReadFile(example)
	if err != nil {
		b.Fatal(err)
	}
	var recorded struct {
		Response struct{ Body json.RawMessage }
	}
	if err := json.Unmarshal(raw, &recorded); err != nil {
		b.Fatal(err)
	}
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	b.Cleanup(s.Close)
	answers := func(pattern string, status int, body string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Subject-Token", "t")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
	answers("POST /v3/auth/tokens", http.StatusCreated, fmt.Sprintf(
		`{"token":{"expires_at":%[1]q,"user":{"id":"u1"},"project":{"id":"p1"},"catalog":[{"type":"compute","endpoints":[{"interface":"public","region_id":"r","url":"%[2]s/v2.1"}]},{"type":"image","endpoints":[{"interface":"public","region_id":"r","url":"%[2]s/image"}]}]}}`,
		time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05.000000Z"), s.URL))
	answers("GET /v2.1/{$}", http.StatusOK, `{"version":{"id":"v2.1","status":"CURRENT","version":"2.93","min_version":"2.1"}}`)
	one := string(recorded.Response.Body)
	answers("GET /v2.1/servers/{id}", http.StatusOK, one)
	answers("GET /v2.1/servers/detail", http.StatusOK, thousand(b, recorded.Response.Body))
	answers("GET /v2.1/flavors/{id}", http.StatusOK, `{"flavor":`+flavorText+`}`)
	answers("GET /v2.1/flavors/detail", http.StatusOK, `{"flavors":[`+flavorText+`]}`)
	answers("GET /image/v2/images/{id}", http.StatusOK, `{"id":"`+image+`","name":"i","status":"active","visibility":"public","disk_format":"qcow2","container_format":"bare","min_disk":0,"min_ram":0,"size":1}`)
	made := 0
	var mu sync.Mutex
	mux.HandleFunc("POST /v2.1/servers", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		made++
		id := fmt.Sprintf("%08x-bbbb-4000-8000-000000000001", made)
		mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"server":{"id":"`+id+`","links":[],"OS-DCF:diskConfig":"MANUAL","security_groups":[{"name":"default"}],"adminPass":"x"}}`)
	})
	return s.URL
}

// thousand is a list of servers like the one in body, each with an id of its own.
func thousand(b *testing.B, body []byte) string {
	b.Helper()
	var one struct{ Server json.RawMessage }
	if err := json.Unmarshal(body, &one); err != nil {
		b.Fatal(err)
	}
	servers := make([]string, 1000)
	for i := range servers {
		servers[i] = strings.ReplaceAll(string(one.Server), server, fmt.Sprintf("%08x%s", i, server[8:]))
	}
	return `{"servers":[` + strings.Join(servers, ",") + `]}`
}

const (
	flavor     = "22222222-aaaa-4000-8000-000000000001"
	image      = "33333333-aaaa-4000-8000-000000000001"
	flavorText = `{"id":"` + flavor + `","name":"m1","ram":512,"disk":1,"vcpus":1,"swap":"","rxtx_factor":1,"OS-FLV-EXT-DATA:ephemeral":0,` +
		`"OS-FLV-DISABLED:disabled":false,"os-flavor-access:is_public":true,"links":[]}`
)

// startNginx is the URL and the process of an nginx before the cloud, with connections
// kept open and a log of accesses, as dragoman has.
func startNginx(b *testing.B, cloud string) (url string, pid int) {
	b.Helper()
	binary, err := exec.LookPath("nginx")
	if err != nil {
		b.Skip("needs nginx: run 'apt-get install nginx-light'")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address, dir := l.Addr().String(), b.TempDir()
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/errors;
events {}
http {
  access_log %[1]s/accesses;
  keepalive_requests 1000000000;
  client_body_temp_path %[1]s/1; proxy_temp_path %[1]s/2; fastcgi_temp_path %[1]s/3; uwsgi_temp_path %[1]s/4; scgi_temp_path %[1]s/5;
  upstream cloud { server %[2]s; keepalive 16; keepalive_requests 1000000000; }
  server {
    listen %[3]s;
    location / { proxy_pass http://cloud; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`, dir, strings.TrimPrefix(cloud, "http://"), address)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(binary, "-e", dir+"/errors", "-c", conf)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	for end := time.Now().Add(10 * time.Second); ; <-time.After(10 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
			return "http://" + address, cmd.Process.Pid
		}
		if time.Now().After(end) {
			b.Fatal("nginx does not serve: ", err)
		}
	}
}

// logIn is a token of dragoman's for the key that every process starts with.
func logIn(b *testing.B, identity string) string {
	b.Helper()
	id, secret, _ := strings.Cut(process.Key, ".")
	body := fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":%q,"domain":{"name":"Default"},"password":%q}}}}}`, id, secret)
	resp, err := http.Post(identity+"/auth/tokens", "application/json", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		b.Fatal(resp.Status)
	}
	return resp.Header.Get("X-Subject-Token")
}

func (c call) repeat(b *testing.B, base, token string, pid int) {
	before := time.Duration(0)
	var n int
	for b.Loop() {
		if n++; n == 1 {
			before = cpu(b, pid)
		}
		req, err := http.NewRequest(c.method, base+c.path, strings.NewReader(c.body))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("X-Auth-Token", token)
		req.Header.Set("OpenStack-API-Version", "compute "+version)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != c.status || !bytes.Contains(body, []byte(`"server`)) {
			b.Fatalf("%s, %v: %.300s", resp.Status, err, body)
		}
		resp.Body.Close()
	}
	b.ReportMetric(float64((cpu(b, pid)-before).Microseconds())/float64(n), "CPU-µs/op")
}

// cpu is the time that a process has used, by proc(5) in ticks of 10 ms; 0: none.
func cpu(b *testing.B, pid int) time.Duration {
	b.Helper()
	if pid == 0 {
		return 0
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), ") ") // the name before it may hold blanks
	fields := strings.Fields(rest)
	var ticks int
	for _, f := range fields[11:13] { // utime and stime, fields 14 and 15
		t, err := strconv.Atoi(f)
		if err != nil {
			b.Fatal(err)
		}
		ticks += t
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
