package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/config"
)

func env(m map[string]string) func(string) string { return func(k string) string { return m[k] } }

func TestParse(t *testing.T) {
	c, err := config.Parse([]byte(`
listen: 127.0.0.1:1
clouds:
  - {name: os1, dialect: nova, endpoint: "http://k/v3", timeout: 20s, auth: {username: app, password: env:PW}}
tenants:
  - {name: acme, accounts: {os1: {password: plain}}}
`), "/conf", env(map[string]string{"PW": "s3cret", "DRAGOMAN_LISTEN": "127.0.0.1:2"}))
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:2" || c.Store != "sqlite:/conf/dragoman.db" || c.Data != "/conf/data" || c.Clouds[0].Timeout != 20*time.Second {
		t.Error(c.Listen, c.Store, c.Data, c.Clouds[0].Timeout)
	}
	if got := c.Clouds[0].Auth.Password.Reveal() + c.Tenants[0].Accounts["os1"].Password.Reveal(); got != "s3cretplain" {
		t.Error("secrets are not read")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if strings.Contains(fmt.Sprintf(verb, c.Clouds), "s3cret") {
			t.Errorf("%s prints a secret", verb)
		}
	}
}

// Every scalar outside of lists can be set by the environment, over the file.
func TestEnvironment(t *testing.T) {
	c, err := config.Parse([]byte("listen: 127.0.0.1:1\ntls: {cert: c, key: k}\n"), "/conf", env(map[string]string{
		"DRAGOMAN_LISTEN": ":2", "DRAGOMAN_TLS_CERT": "/other", "DRAGOMAN_TLS_CLIENT_CA": "ca", "DRAGOMAN_STORE": "sqlite::memory:",
		"DRAGOMAN_SECRET_KEY": "env:KEY", "DRAGOMAN_DATA": "/data", "DRAGOMAN_PUBLIC_URL": "https://d.example",
		"DRAGOMAN_BOOTSTRAP_KEY": "id.secret",
	}))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{c.Listen, c.TLS.Cert, c.TLS.Key, c.TLS.ClientCA, c.Store, string(c.SecretKey), c.Data, c.PublicURL, c.BootstrapKey.Reveal()}
	want := []string{":2", "/other", "/conf/k", "/conf/ca", "sqlite::memory:", "env:KEY", "/data", "https://d.example", "id.secret"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	c, err = config.Parse(nil, "/conf", env(map[string]string{"DRAGOMAN_TLS_CERT": "c", "DRAGOMAN_TLS_KEY": "k"}))
	if err != nil || c.TLS == nil || c.TLS.Cert != "/conf/c" {
		t.Errorf("TLS by the environment alone: %+v, %v", c, err)
	}
}

// Each mistake is told with its line and its path, and all of a file at once.
func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		file string
		env  map[string]string
		want []string // the errors, each by its beginning
	}{
		"unknown keys":       {file: "listne: x\nclouds:\n- {name: b, dialect: memory, colour: red}\n", want: []string{"line 1: listne: is not", "line 3: clouds.0.colour: is not"}},
		"key twice":          {file: "listen: :1\nlisten: :2\n", want: []string{"line 2: listen: is given in line 1"}},
		"no YAML":            {file: "listen: [\n", want: []string{"line 1: did not find"}},
		"second document":    {file: "listen: :1\n---\nlisten: :2\n", want: []string{"line 2: a second document"}},
		"a list":             {file: "- a\n", want: []string{"line 1: 0: must be a map"}},
		"kinds":              {file: "clouds:\n- name: a\n  dialect: memory\n  shared: maybe\n  timeout: soon\n  limits:\n    burst: 1.5\n    rps: many\n", want: []string{"line 4: clouds.0.shared: must be true", "line 5: clouds.0.timeout: must be a duration", "line 7: clouds.0.limits.burst: must be a whole", "line 8: clouds.0.limits.rps: must be a number"}},
		"list for a map":     {file: "tls: [a]\n", want: []string{"line 1: must be a map", "line 1: tls: needs"}},
		"map for a list":     {file: "clouds: {a: b}\n", want: []string{"line 1: must be a list"}},
		"secret no text":     {file: "clouds:\n- {name: a, dialect: memory}\n- name: b\n  dialect: nova\n  endpoint: http://k\n  auth:\n    password: [hunter2]\n", want: []string{"line 7: must be a text"}},
		"duration unit":      {file: "clouds:\n- {name: a, dialect: memory,\n   timeout: 20}\n", want: []string{"line 3: clouds.0.timeout: must be a duration"}},
		"poll":               {file: "clouds:\n- {name: a, dialect: memory, poll: 10ms}\n- {name: b, dialect: memory, poll: 2h}\n- {name: c, dialect: memory, poll: -1s}\n- {name: d, dialect: memory, poll: 0s}\n", want: []string{"line 2: clouds.0.poll: must be 1s", "line 3: clouds.1.poll: must be 1s", "line 4: clouds.2.poll: must not"}},
		"below zero":         {file: "clouds:\n- {name: a, dialect: memory, timeout: -1s, limits: {rps: -1, burst: -2}, breaker: {failures: -1}}\n", want: []string{"line 2: clouds.0.timeout: must not", "line 2: clouds.0.limits.rps: must not", "line 2: clouds.0.limits.burst: must not", "line 2: clouds.0.breaker.failures: must not"}},
		"no number":          {file: "clouds:\n- {name: a, dialect: memory, limits: {rps: .nan}}\n", want: []string{"line 2: clouds.0.limits.rps: must not"}},
		"listen":             {file: "\nlisten: localhost\n", want: []string{"line 2: listen: "}},
		"port":               {file: "listen: :http\n", want: []string{"line 1: listen: "}},
		"port too high":      {file: "listen: 1.2.3.4:65536\n", want: []string{"line 1: listen: "}},
		"listen by env":      {env: map[string]string{"DRAGOMAN_LISTEN": "x"}, want: []string{"listen (DRAGOMAN_LISTEN): "}},
		"store":              {file: "store: mysql://u:hunter2@h/db\n", want: []string{"line 1: store: must be sqlite:PATH or postgres://"}},
		"store empty":        {file: "store: \"sqlite:\"\n", want: []string{"line 1: store: "}},
		"secret key":         {file: "secret_key: hunter2\n", want: []string{"line 1: secret_key: must be file:PATH"}},
		"postgres wants key": {file: "store: postgres://h/db\n", want: []string{"secret_key: must be there already"}},
		"public_url":         {file: "public_url: ftp://x\n", want: []string{"line 1: public_url: "}},
		"public_url user":    {file: "public_url: https://u:hunter2@x\n", want: []string{"line 1: public_url: "}},
		"half of TLS":        {file: "tls: {cert: a}\n", want: []string{"line 1: tls: needs"}},
		"cloud names":        {file: "clouds:\n- {name: A, dialect: memory}\n- {name: b, dialect: memory}\n- {name: b, dialect: memory}\n- {dialect: memory}\n", want: []string{`line 2: clouds.0.name: "A"`, `line 4: clouds.2.name: "b" is there twice`, `line 5: clouds.3.name: ""`}},
		"dialects":           {file: "clouds:\n- {name: a, dialect: memroy}\n- {name: b, dialect: h3c, endpoint: http://x}\n- {name: c}\n", want: []string{"line 2: clouds.0.dialect: ", "line 3: clouds.1.dialect: ", "line 4: clouds.2.dialect: "}},
		"endpoints":          {file: "clouds:\n- {name: a, dialect: nova}\n- {name: b, dialect: nova, endpoint: keystone:5000}\n- {name: c, dialect: memory, endpoint: http://x}\n- {name: d, dialect: dragoman, endpoint: http://x, shared: true}\n", want: []string{"line 2: clouds.0.endpoint: is required", "line 3: clouds.1.endpoint: must", "line 4: clouds.2.endpoint: ", "line 5: clouds.3.auth.key: is required"}},
		"foreign block":      {file: "clouds:\n- {name: b, dialect: nova, endpoint: http://x, memory: {delay: 1s}}\n", want: []string{"line 2: clouds.0.memory: "}},
		"tenants":            {file: "tenants:\n- {name: Acme}\n- {name: a, accounts: {os9: {username: u}}}\n- {name: a}\n", want: []string{"line 2: tenants.0.name: ", "line 3: tenants.1.accounts.os9: there is no", "line 4: tenants.2.name: "}},
		"facades":            {file: "facades: [{dialect: nova}, {dialect: nova}, {dialect: aws}]\n", want: []string{"line 1: facades.1.dialect: ", "line 1: facades.2.dialect: "}},
		"two of a kind":      {file: "facades: [{dialect: nova}, {dialect: easystack}]\n", want: []string{"line 1: facades.1.dialect: nova and easystack have the same paths"}},
		"hosts of our own":   {file: "clouds:\n- name: a\n  dialect: native\n  native:\n    prefix: \"A b\"\n    dir: x\n    hosts:\n    - {name: h1, uri: \"qemu:///system\"}\n", want: []string{"line 5: clouds.0.native.prefix: ", "line 6: clouds.0.native.dir: must be"}},
		"not offered":        {file: "redis: redis://x\nclouds:\n- {name: a, dialect: memory, native: {virt_type: kvm}}\ntenants:\n- name: a\n  quotas: {servers: 1}\n  rules: [{a: b}]\n  limits: {rps: 1}\nfacades:\n- {dialect: nova, listen: \":1\"}\n", want: []string{"line 1: redis: is not offered", "line 3: clouds.0.native: is of dialect native alone", "line 6: tenants.0.quotas: is not", "line 7: tenants.0.rules: is not", "line 8: tenants.0.limits: is not", "line 10: facades.0.listen: is not"}},
		"secrets":            {file: "clouds:\n- {name: a, dialect: nova, endpoint: http://x, auth: {password: env:NONE,\n  token: file:none}}\ntenants:\n- name: t\n  accounts:\n    a: {password: env:NONE}\n", want: []string{"line 2: clouds.0.auth.password: the environment variable NONE", "line 3: clouds.0.auth.token: open " + dir + "/none", "line 7: tenants.0.accounts.a.password: the env"}},
		"bootstrap key":      {env: map[string]string{"DRAGOMAN_BOOTSTRAP_KEY": "file:none"}, want: []string{"bootstrap_key (DRAGOMAN_BOOTSTRAP_KEY): open"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Parse([]byte(c.file), dir, env(c.env))
			if err == nil {
				t.Fatal("taken")
			}
			got := strings.Split(err.Error(), "\n")
			for _, want := range c.want {
				i := slices.IndexFunc(got, func(s string) bool { return strings.HasPrefix(s, want) })
				if i < 0 {
					t.Errorf("%q is missing in:\n%v", want, err)
				} else {
					got = slices.Delete(got, i, i+1)
				}
			}
			if len(got) > 0 {
				t.Errorf("too much: %q", got)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

// A file's relative paths start at its directory, wherever dragoman is started.
func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "d.yaml")
	for name, text := range map[string]string{path: "clouds: [{name: m, dialect: nova, endpoint: \"http://x\", auth: {password: file:pw}}]\n", filepath.Join(dir, "pw"): "s3cret\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Store != "sqlite:"+dir+"/dragoman.db" || c.SecretKey != config.Ref("file:"+dir+"/secret.key") || c.Clouds[0].Auth.Password.Reveal() != "s3cret" {
		t.Errorf("%+v", c)
	}
	if _, err := config.Load(filepath.Join(dir, "none.yaml")); err == nil {
		t.Error("a file that is missing was taken")
	}
	t.Chdir(t.TempDir())
	if c, err := config.Load(""); err != nil || len(c.Clouds) != 1 || c.Clouds[0].Dialect != "memory" {
		t.Errorf("without a file: %+v, %v", c, err)
	}
}

func FuzzParse(f *testing.F) {
	examples, err := filepath.Glob("../configs/*.yaml")
	if err != nil || len(examples) == 0 {
		f.Fatal(examples, err)
	}
	for _, name := range examples {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("clouds: &c\n- &d {name: a, dialect: memory}\ntenants: [*d]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if strings.Contains(string(data), "file:") {
			t.Skip("no files are read at random")
		}
		c, err := config.Parse(data, "/conf", env(nil))
		if (c == nil) != (err != nil) {
			t.Fatal("a configuration and an error, or neither")
		}
		if err != nil && strings.TrimSpace(err.Error()) == "" {
			t.Fatal("an error without words")
		}
	})
}
