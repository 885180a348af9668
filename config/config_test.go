package config_test

import (
	"fmt"
	"strings"
	"testing"

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
	if c.Listen != "127.0.0.1:2" || c.Store != "sqlite:/conf/dragoman.db" || c.Data != "/conf/data" {
		t.Error(c.Listen, c.Store, c.Data)
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

// All that is wrong is told at once, unknown keys by their line.
func TestAllErrors(t *testing.T) {
	_, err := config.Parse([]byte("listne: x\nclouds:\n- {name: A, dialect: memroy}\n- {name: b, dialect: nova, colour: red}\n"), ".", env(nil))
	for _, want := range []string{"line 1", "line 4", "clouds.0.name", "clouds.0.dialect", "clouds.1.endpoint"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in: %v", want, err)
		}
	}
}
