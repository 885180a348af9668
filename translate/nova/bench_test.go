package nova

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	var first struct{ ID string }
	if err := json.Unmarshal(x.Response.Body.Servers[0], &first); err != nil {
		b.Fatal(err)
	}
	all := [][]byte{}
	for i := range many { // each with an id of its own: lists hold a server once
		id := fmt.Sprintf("%08x%s", i, first.ID[8:])
		all = append(all, bytes.ReplaceAll(x.Response.Body.Servers[0], []byte(first.ID), []byte(id)))
	}
	return append(append([]byte(`{"servers":[`), bytes.Join(all, []byte(","))...), "]}"...)
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
