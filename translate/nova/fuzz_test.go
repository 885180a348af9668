package nova

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

func routeByID(tb testing.TB, id string) *translate.Route {
	tb.Helper()
	rows := Table().Rows
	for i := range rows {
		if rows[i].ID == id {
			return &rows[i]
		}
	}
	tb.Fatalf("no row %s", id)
	return nil
}

// fuzzAnswer feeds answers to a row; what is read must be sayable again.
func fuzzAnswer(f *testing.F, id string, seeds ...string) {
	f.Helper()
	row := routeByID(f, id)
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		env := &translate.Env{Version: v(93), Native: true, Role: canonical.Operator, Bases: map[string]string{}}
		resp := &translate.Response{Status: 200, Header: http.Header{}, Body: body}
		if l, ok := row.Answer.(translate.Lister); ok {
			asked := &translate.Request{Query: url.Values{}}
			if _, err := l.Collect().Add(resp, asked, env); err == nil {
				return
			}
			return
		}
		reply, err := row.HearReply(resp, env)
		if err != nil {
			return
		}
		if _, err := row.SayReply(reply, env); err != nil && canonical.CodeOf(err) == canonical.Internal {
			t.Error(err)
		}
	})
}

// fuzzRequest feeds bodies to a row; what is heard must be sayable or be refused.
func fuzzRequest(f *testing.F, id string, seeds ...string) {
	f.Helper()
	row := routeByID(f, id)
	for _, seed := range seeds {
		f.Add([]byte(seed), 93)
	}
	f.Fuzz(func(t *testing.T, body []byte, minor int) {
		env := &translate.Env{Version: v(1 + (minor&0x7fff)%93)}
		req := &translate.Request{Service: "compute", Params: map[string]string{"id": "x"}, Query: url.Values{}, Body: body}
		asked, err := row.HearRequest(req, env)
		if err != nil {
			return
		}
		_, err = Table().Say(row, asked, &translate.Env{}, translate.Window{Min: v(1), Max: v(93)})
		if canonical.CodeOf(err) == canonical.Internal {
			t.Error(err)
		}
	})
}

func FuzzServerAnswer(f *testing.F) {
	fuzzAnswer(f, "nova.server.show", `{"server":{"id":"a","image":"","config_drive":"True","addresses":{"n":[{"version":4}]}}}`)
}

func FuzzServersAnswer(f *testing.F) {
	fuzzAnswer(f, "nova.server.list_detail", `{"servers":[{"id":"a"}],"servers_links":[{"rel":"next","href":"http://x?marker=a"}]}`)
}

func FuzzCreatedAnswer(f *testing.F) {
	fuzzAnswer(f, "nova.server.create", `{"server":{"id":"a","adminPass":"x"}}`)
}

func FuzzFlavorAnswer(f *testing.F) {
	fuzzAnswer(f, "nova.flavor.show", `{"flavor":{"id":"1","swap":"","rxtx_factor":1.0}}`)
}

func FuzzKeypairAnswer(f *testing.F) {
	fuzzAnswer(f, "nova.keypair.show", `{"keypair":{"name":"k","type":"ssh"}}`)
}

func FuzzZonesAnswer(f *testing.F) {
	fuzzAnswer(f, "nova.availability_zone.list_detail", `{"availabilityZoneInfo":[{"zoneName":"n","hosts":null}]}`)
}

func FuzzImageAnswer(f *testing.F) {
	fuzzAnswer(f, "glance.image.show", `{"id":"a","os_type":"linux","size":1}`)
}

func FuzzNetworkAnswer(f *testing.F) {
	fuzzAnswer(f, "neutron.network.show", `{"network":{"id":"a","subnets":["s"]}}`)
}

func FuzzServerCreate(f *testing.F) {
	fuzzRequest(f, "nova.server.create", `{"server":{"name":"a","flavorRef":"1","imageRef":"i","networks":"auto"}}`,
		`{"server":{"name":"a","flavorRef":"1","networks":[{"uuid":"n"}],"block_device_mapping_v2":[{"boot_index":0,"uuid":"v","source_type":"volume"}]},"os:scheduler_hints":{"group":"g"}}`)
}

func FuzzServerUpdate(f *testing.F) {
	fuzzRequest(f, "nova.server.update", `{"server":{"name":"a","description":null}}`)
}

func FuzzServerRebuild(f *testing.F) {
	fuzzRequest(f, "nova.server.rebuild", `{"rebuild":{"imageRef":"i","key_name":null}}`)
}

func FuzzServerReboot(f *testing.F) {
	fuzzRequest(f, "nova.server.reboot", `{"reboot":{"type":"SOFT"}}`)
}

func FuzzKeypairCreate(f *testing.F) {
	fuzzRequest(f, "nova.keypair.create", `{"keypair":{"name":"k"}}`)
}

func FuzzError(f *testing.F) {
	f.Add(409, []byte(`{"NeutronError":{"type":"OverQuota","message":"x"}}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		err := hearError(&translate.Response{Status: status, Header: http.Header{}, Body: body})
		if err.Code == "" || err.Detail == "" {
			t.Error("an error without a code or text")
		}
		if said := sayError(err, nil, &translate.Env{}); !json.Valid(said.Body) {
			t.Error("not JSON")
		}
	})
}

// benchmarkBody is the answer with one server, or with many like it.
func benchmarkBody(b *testing.B, many int) []byte {
	b.Helper()
	raw, err := os.ReadFile("testdata/wire/servers-detail.2.67.json")
	if err != nil {
		b.Fatal(err)
	}
	var x struct {
		Response struct {
			Body struct {
				Servers []json.RawMessage `json:"servers"`
			}
		}
	}
	if err := json.Unmarshal(raw, &x); err != nil {
		b.Fatal(err)
	}
	one := [][]byte{}
	for range many {
		one = append(one, x.Response.Body.Servers[0])
	}
	return append(append([]byte(`{"servers":[`), bytes.Join(one, []byte(","))...), "]}"...)
}

func benchmarkList(b *testing.B, many int) {
	row := routeByID(b, "nova.server.list_detail")
	l, ok := row.Answer.(translate.Lister)
	if !ok {
		b.Fatal("no list")
	}
	env := &translate.Env{Version: v(79), Bases: map[string]string{"compute": "http://x/compute/v2.1"}}
	resp := &translate.Response{Status: 200, Body: benchmarkBody(b, many)}
	read := func() any {
		c := l.Collect()
		if _, err := c.Add(resp, &translate.Request{Query: url.Values{}}, env); err != nil {
			b.Fatal(err)
		}
		page, err := c.Result(canonical.ServerList{ListOptions: canonical.ListOptions{Limit: 1000}})
		if err != nil {
			b.Fatal(err)
		}
		return page
	}
	b.Run("hear", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			read()
		}
	})
	page := read()
	b.Run("say", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := row.SayReply(canonical.Reply{Result: page}, env); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkServer(b *testing.B)      { benchmarkList(b, 1) }
func BenchmarkServers1000(b *testing.B) { benchmarkList(b, 1000) }
