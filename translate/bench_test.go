package translate_test

import (
	"testing"

	"github.com/dragoman-cloud/dragoman/translate"
)

// BenchmarkRequests hears the example of every row's request: north, a client's.
func BenchmarkRequests(b *testing.B) {
	rows := rowsByID()
	for _, e := range examples(b, "request") {
		row := rows[e.row]
		env := scene()
		env.Version = within(row.Route, window(row.table, row.Route, 93).Max)
		req := &translate.Request{Service: row.Service, Method: row.Method, Path: filled(row.Path), Query: map[string][]string{}, Body: e.body}
		candidates, err := row.table.Candidates(req)
		must(b, err)
		if _, err := translate.Pick(candidates, req, env); err != nil {
			continue // of facts that a scene lacks
		}
		if _, err := row.HearRequest(req, env); err != nil {
			continue
		}
		b.Run(e.row, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := row.HearRequest(req, env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAnswers hears the example of every row's answer, a cloud's, and says it to a
// client again.
func BenchmarkAnswers(b *testing.B) {
	rows := rowsByID()
	for _, e := range examples(b, "response") {
		row := rows[e.row]
		env := asking(row.Route, within(row.Route, window(row.table, row.Route, 93).Max))
		resp := &translate.Response{Status: row.Status, Body: e.body}
		heard, err := reply(row.Route, resp, env)
		if err != nil {
			continue // an example of an error
		}
		b.Run(e.row+"/hear", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := reply(row.Route, resp, env); err != nil {
					b.Fatal(err)
				}
			}
		})
		if _, err := row.SayReply(heard, env); err != nil {
			continue // what the other direction alone has
		}
		b.Run(e.row+"/say", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := row.SayReply(heard, env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
