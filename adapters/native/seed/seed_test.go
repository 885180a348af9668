package seed

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem/iso9660"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	id  = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
	key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIexample one@example"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func mac(s string) net.HardwareAddr {
	m, err := net.ParseMAC(s)
	if err != nil {
		panic(err)
	}
	return m
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }
func addr(s string) netip.Addr     { return netip.MustParseAddr(s) }

var nics = []NIC{
	{MAC: mac("52:54:00:00:00:01")},
	{
		MAC: mac("52:54:00:00:00:02"), Addresses: []netip.Prefix{prefix("10.0.0.5/24"), prefix("fd00::5/64")}, MTU: 1450,
		Gateways: []netip.Addr{addr("10.0.0.1"), addr("fd00::1")}, DNS: []netip.Addr{addr("10.0.0.2")},
	},
}

// TestGolden holds what guests read to files of testdata.
func TestGolden(t *testing.T) {
	base := Server{ID: id, Hostname: "web-1"}
	with := func(change func(*Server)) Server { s := base; change(&s); return s }
	cases := map[string]Server{
		"least": base,
		"full": with(func(s *Server) {
			s.PublicKeys, s.AdminPassword, s.NICs = []string{key}, "pass: #word", nics
			s.Files = []canonical.File{{Path: "/etc/motd", Contents: b64("hello\n")}}
		}),
		"script":     with(func(s *Server) { s.UserData, s.PublicKeys = b64("#!/bin/sh\necho hi\n"), []string{key} }),
		"script-too": with(func(s *Server) { s.UserData, s.AdminPassword = b64("#!/bin/sh\necho hi\n"), "secret" }),
		"message-too": with(func(s *Server) {
			s.AdminPassword = "secret"
			s.UserData = b64("Content-Type: multipart/mixed; boundary=\"x\"\nMIME-Version: 1.0\n\n--x\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n--x--\n")
		}),
	}
	for name, server := range cases {
		t.Run(name, func(t *testing.T) {
			got := build(t, server)
			var text strings.Builder
			for _, f := range []string{"meta-data", "network-config", "user-data"} {
				if content, ok := got[f]; ok {
					text.WriteString("--- " + f + "\n" + content)
				}
			}
			golden := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(text.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), text.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// build makes an image and reads its files back, by a reader that is not ours.
func build(t testing.TB, s Server) map[string]string {
	t.Helper()
	image, err := Build(s)
	if err != nil {
		t.Fatal(err)
	}
	return contents(t, image)
}

func contents(t testing.TB, image []byte) map[string]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seed.iso")
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fs, err := iso9660.Read(file.New(f, true), int64(len(image)), 0, sector)
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimRight(fs.Label(), " ") != "cidata" {
		t.Errorf("label %q", fs.Label())
	}
	entries, err := fs.ReadDir("/")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		in, err := fs.OpenFile("/"+e.Name(), os.O_RDONLY)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(strings.ToLower(e.Name()), ".")] = string(data)
	}
	return out
}

// TestJoliet reads the other directory, which Linux and Windows prefer.
func TestJoliet(t *testing.T) {
	if _, err := exec.LookPath("isoinfo"); err != nil {
		t.Skip("isoinfo is missing: apt-get install genisoimage")
	}
	server := Server{ID: id, Hostname: "web-1", NICs: nics}
	image, err := Build(server)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "seed.iso")
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range contents(t, image) {
		got, err := exec.CommandContext(t.Context(), "isoinfo", "-J", "-i", path, "-x", "/"+name+";1").Output()
		if err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestSameBytes(t *testing.T) {
	s := Server{ID: id, Hostname: "web-1", AdminPassword: "x", UserData: b64("#!/bin/sh\n"), NICs: nics}
	one, err := Build(s)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Build(s)
	if err != nil || !bytes.Equal(one, two) {
		t.Errorf("the images differ: %v", err)
	}
}

func TestRefused(t *testing.T) {
	cases := map[string]struct {
		change func(*Server)
		field  string
	}{
		"NoID":              {func(s *Server) { s.ID = "" }, "id"},
		"NoHostname":        {func(s *Server) { s.Hostname = "" }, "hostname"},
		"HostnameOfShell":   {func(s *Server) { s.Hostname = "a;reboot" }, "hostname"},
		"UserDataNoBase64":  {func(s *Server) { s.UserData = "#!/bin/sh" }, "user_data"},
		"UserDataCutBase64": {func(s *Server) { s.UserData = b64("hello")[:6] }, "user_data"},
		"UserDataTooLong":   {func(s *Server) { s.UserData = b64(strings.Repeat("x", 48<<10)) }, "user_data"},
		"PasswordOfLines":   {func(s *Server) { s.AdminPassword = "a\nroot:b" }, "admin_password"},
		"PasswordNoText":    {func(s *Server) { s.AdminPassword = "\xff" }, "admin_password"},
		"KeyOfLines":        {func(s *Server) { s.PublicKeys = []string{key, key + "\n" + key} }, "keypair.1"},
		"KeyEmpty":          {func(s *Server) { s.PublicKeys = []string{""} }, "keypair.0"},
		"FileRelative":      {func(s *Server) { s.Files = []canonical.File{{Path: "etc/x"}} }, "files.0.path"},
		"FileOfLines":       {func(s *Server) { s.Files = []canonical.File{{Path: "/a"}, {Path: "/b\n"}} }, "files.1.path"},
		"FileNoBase64":      {func(s *Server) { s.Files = []canonical.File{{Path: "/a", Contents: "!"}} }, "files.0.contents"},
		"NICNoMAC":          {func(s *Server) { s.NICs = []NIC{{}} }, "networks.0.mac"},
		"NICNoAddress":      {func(s *Server) { s.NICs = []NIC{nics[0], {MAC: nics[1].MAC, Addresses: []netip.Prefix{{}}}} }, "networks.1.ip"},
		"NICNoGateway":      {func(s *Server) { s.NICs = []NIC{{MAC: nics[1].MAC, Gateways: []netip.Addr{{}}}} }, "networks.0.gateway"},
		"NICNoDNS":          {func(s *Server) { s.NICs = []NIC{{MAC: nics[1].MAC, DNS: []netip.Addr{{}}}} }, "networks.0.dns"},
		"NICHugeMTU":        {func(s *Server) { s.NICs = []NIC{{MAC: nics[1].MAC, MTU: 1 << 20}} }, "networks.0.mtu"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := Server{ID: id, Hostname: "web-1"}
			tc.change(&s)
			_, err := Build(s)
			var e *canonical.Error
			if !errors.As(err, &e) || e.Code != canonical.InvalidRequest || e.Fields[0].Field != tc.field {
				t.Errorf("got %v, want field %q", err, tc.field)
			}
		})
	}
}

func TestUserDataAtTheLimit(t *testing.T) {
	data := "#!/bin/sh\n" + strings.Repeat("#", 49_139)
	got := build(t, Server{ID: id, Hostname: "web-1", UserData: b64(data)})
	if len(b64(data)) > MaxUserData || got["user-data"] != data {
		t.Errorf("%d bytes came back as %d", len(data), len(got["user-data"]))
	}
}

func TestHostname(t *testing.T) {
	for name, want := range map[string]string{
		"web-1": "web-1", "Web 1": "web-1", "a.b_c": "a-b-c", "день": "fallback", "": "fallback", "--": "fallback",
		"$(reboot)": "reboot", "x\nruncmd: [reboot]": "xruncmd-reboot", "../../etc": "etc",
		strings.Repeat("a", 70):         strings.Repeat("a", 63),
		strings.Repeat("a", 62) + "-bc": strings.Repeat("a", 62),
	} {
		if got := Hostname(name, "fallback"); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

// FuzzBuild: whatever the texts are, a guest reads them as they are and nothing else.
func FuzzBuild(f *testing.F) {
	f.Add("web-1", "secret", "/etc/motd", []byte("#!/bin/sh\n"), key)
	f.Add("a: b", "=", "/x: [y]", []byte("#cloud-config\n{}"), "yes")
	f.Add("- x", "1:20", "/'\"\\", []byte("Content-Type: multipart/mixed\n\n"), "*a")
	f.Add("web", "\u2028\u0085\ufeff", "/\t", []byte("\x00\xff"), "!!binary x")
	f.Fuzz(func(t *testing.T, name, password, path string, data []byte, key string) {
		s := Server{
			ID: id, Hostname: Hostname(name, "guest"), AdminPassword: password, PublicKeys: []string{key},
			Files: []canonical.File{{Path: path, Contents: b64("x")}}, UserData: base64.StdEncoding.EncodeToString(data),
		}
		image, err := Build(s)
		if err != nil {
			if canonical.CodeOf(err) != canonical.InvalidRequest {
				t.Fatal(err)
			}
			return
		}
		files := contents(t, image)
		var meta struct {
			Hostname string   `yaml:"local-hostname"`
			Keys     []string `yaml:"public-keys"`
		}
		parse(t, files["meta-data"], &meta)
		if meta.Hostname != s.Hostname || !cmp.Equal(meta.Keys, s.PublicKeys) {
			t.Errorf("got %+v", meta)
		}
		checkConfig(t, s, ourPart(t, files["user-data"], len(data) > 0))
	})
}

func checkConfig(t testing.TB, s Server, text string) {
	t.Helper()
	var c struct {
		Password string `yaml:"password"`
		Files    []struct {
			Path    string `yaml:"path"`
			Content string `yaml:"content"`
		} `yaml:"write_files"`
	}
	parse(t, text, &c)
	if c.Password != s.AdminPassword || len(c.Files) != 1 || c.Files[0].Path != s.Files[0].Path || c.Files[0].Content != b64("x") {
		t.Errorf("got %+v", c)
	}
}

func parse(t testing.TB, text string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
}

// ourPart is the #cloud-config of user data: all of it, or the last part of a message.
func ourPart(t testing.TB, text string, message bool) string {
	t.Helper()
	if !message {
		return text
	}
	msg, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(msg.Body)
	if err != nil {
		t.Fatal(err)
	}
	// The first part may be a broken message of the caller's: begin at the last.
	parts := strings.Split(string(body), "--"+params["boundary"]+"\n")
	last := "--" + params["boundary"] + "\n" + parts[len(parts)-1]
	part, err := multipart.NewReader(strings.NewReader(last), params["boundary"]).NextPart()
	if err != nil {
		t.Fatalf("%v:\n%s", err, last)
	}
	ours, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, part))
	if err != nil {
		t.Fatal(err)
	}
	return string(ours)
}
