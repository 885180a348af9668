package translate_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// toyCreate is a wire struct with every kind of field.
type toyCreate struct {
	Name     string            `json:"name"`
	Note     string            `json:"note,omitempty" since:"2.19"`
	Files    []string          `json:"files,omitempty" until:"2.56"`
	Tags     []string          `json:"tags,omitempty" since:"2.52"`
	Disk     string            `json:"disk,omitempty" wire:"advisory"`
	Warranty string            `json:"warranty,omitempty" wire:"binding"`
	Nic      []toyNic          `json:"nic,omitempty"`
	Meta     map[string]string `json:"meta,omitempty"`
}

type toyNic struct {
	Net string `json:"net"`
	Tag string `json:"tag,omitempty" since:"2.42"`
}

func toy() *translate.Table {
	return &translate.Table{
		Dialect: "toy",
		Rows: []translate.Route{{
			ID: "toy.create", Service: "compute", Method: "POST", Path: "/{tenant_id}/servers", Action: "make", Status: 202,
			Op: canonical.CreateServer.Spec(),
			Ask: translate.Ask[canonical.ServerCreate, toyCreate]{
				Say: func(r canonical.ServerCreate, _ *translate.Env, _ *translate.Request) (toyCreate, error) {
					w := toyCreate{Name: r.Name, Note: r.Description, Tags: r.Tags, Meta: r.Metadata}
					for _, f := range r.Files {
						w.Files = append(w.Files, f.Path)
					}
					return w, nil
				},
				Hear: func(w toyCreate, _ *translate.Request, _ *translate.Env) (canonical.ServerCreate, error) {
					return canonical.ServerCreate{Name: w.Name, Description: w.Note, Tags: w.Tags, Metadata: w.Meta}, nil
				},
			},
			Answer: translate.Nothing[canonical.ServersCreated](),
		}},
	}
}

func TestSayFindsTheLowestVersion(t *testing.T) {
	window := translate.Window{Min: translate.Version{Major: 2, Minor: 1}, Max: translate.Version{Major: 2, Minor: 60}}
	cases := map[string]struct {
		reason string
		req    canonical.ServerCreate
		max    translate.Version
		want   string
		body   string
		code   canonical.Code
	}{
		"Plain":     {reason: "2.1 carries it", req: canonical.ServerCreate{Name: "a"}, want: "2.1", body: `{"make":{"name":"a"}}`},
		"Note":      {reason: "2.19 has notes", req: canonical.ServerCreate{Name: "a", Description: "n"}, want: "2.19", body: `{"make":{"name":"a","note":"n"}}`},
		"Both":      {reason: "files and tags have five versions in common", req: canonical.ServerCreate{Name: "a", Tags: []string{"t"}, Files: []canonical.File{{Path: "/f"}}}, want: "2.52", body: `{"make":{"name":"a","files":["/f"],"tags":["t"]}}`},
		"TooOld":    {reason: "must be refused, not sent without", req: canonical.ServerCreate{Name: "a", Tags: []string{"t"}}, max: translate.Version{Major: 2, Minor: 40}, code: canonical.Unsupported},
		"HTMLStays": {reason: "escapes would change user data", req: canonical.ServerCreate{Name: "<&>"}, want: "2.1", body: `{"make":{"name":"<&>"}}`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := window
			if !c.max.IsZero() {
				w.Max = c.max
			}
			table := toy()
			env := &translate.Env{Project: "p1", Facts: map[string]any{}}
			got, err := table.Say(&table.Rows[0], c.req, env, w)
			if canonical.CodeOf(err) != c.code {
				t.Fatalf("%s: %v, want code %q", c.reason, err, c.code)
			}
			if err == nil && (env.Version.String() != c.want || string(got.Body) != c.body || got.Path != "/p1/servers") {
				t.Errorf("%s: %s %s at %s, want %s at %s", c.reason, got.Path, got.Body, env.Version, c.body, c.want)
			}
		})
	}
}

func TestHearRefusesByName(t *testing.T) {
	cases := map[string]struct {
		body    string
		version translate.Version
		code    canonical.Code
		field   string
	}{
		"Known":           {`{"make":{"name":"a","disk":"AUTO"}}`, translate.Version{Major: 2, Minor: 1}, "", ""},
		"Unknown":         {`{"make":{"name":"a","bogus":1}}`, translate.Version{Major: 2, Minor: 1}, canonical.InvalidRequest, "make.bogus"},
		"TooNew":          {`{"make":{"name":"a","note":"n"}}`, translate.Version{Major: 2, Minor: 18}, canonical.InvalidRequest, "make.note"},
		"Dropped":         {`{"make":{"name":"a","files":["f"]}}`, translate.Version{Major: 2, Minor: 57}, canonical.InvalidRequest, "make.files"},
		"Nested":          {`{"make":{"name":"a","nic":[{"net":"n"},{"net":"n","tag":"x"}]}}`, translate.Version{Major: 2, Minor: 1}, canonical.InvalidRequest, "make.nic.1.tag"},
		"Binding":         {`{"make":{"name":"a","warranty":"gold"}}`, translate.Version{Major: 2, Minor: 1}, canonical.Unsupported, "make.warranty"},
		"BindingAndEmpty": {`{"make":{"name":"a","warranty":""}}`, translate.Version{Major: 2, Minor: 1}, "", ""},
		"FreeKeysInMaps":  {`{"make":{"name":"a","meta":{"any":"thing"}}}`, translate.Version{Major: 2, Minor: 1}, "", ""},
		"WrongType":       {`{"make":{"name":{}}}`, translate.Version{Major: 2, Minor: 1}, canonical.InvalidRequest, "name"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			table := toy()
			req := &translate.Request{Service: "compute", Method: http.MethodPost, Path: "/p1/servers", Body: []byte(c.body)}
			env := &translate.Env{Version: c.version, Facts: map[string]any{}}
			rows, _ := table.Candidates(req)
			row, err := translate.Pick(rows, req, env)
			if err != nil {
				t.Fatal(err)
			}
			_, err = row.Row.HearRequest(req, env)
			if canonical.CodeOf(err) != c.code {
				t.Fatalf("%v, want code %q", err, c.code)
			}
			if c.field != "" && (len(canonical.AsError(err).Fields) == 0 || canonical.AsError(err).Fields[0].Field != c.field) {
				t.Errorf("fields %v, want %s", canonical.AsError(err).Fields, c.field)
			}
		})
	}
}

// formed is a wire struct that two dialects share.
type formed struct {
	Name  string `json:"name"`
	Bin   string `json:"bin,omitempty" only:"other"`
	Tags  string `json:"tags,omitempty" since:"2.26" always:"other"`
	Files string `json:"files,omitempty" until:"2.56" always:"other"`
}

// optional is a wire struct whose parts may be absent or null.
type optional struct {
	Nics canonical.Opt[[]toyNic] `json:"nics,omitzero"`
}

// TestOptionalPartsHaveVersions: what an optional field holds is held to the versions and
// names of its own fields, in every direction.
func TestOptionalPartsHaveVersions(t *testing.T) {
	table := toy()
	table.Rows[0].Ask = translate.Ask[canonical.ServerCreate, optional]{
		Say: func(r canonical.ServerCreate, _ *translate.Env, _ *translate.Request) (optional, error) {
			return optional{canonical.Some([]toyNic{{Net: r.Name, Tag: r.Description}})}, nil
		},
		Hear: func(w optional, _ *translate.Request, _ *translate.Env) (canonical.ServerCreate, error) {
			return canonical.ServerCreate{Name: w.Nics.Or(nil)[0].Net}, nil
		},
	}
	row := &table.Rows[0]
	for body, heard := range map[string]bool{
		`{"make":{"nics":[{"net":"n"}]}}`:            true,
		`{"make":{"nics":[{"net":"n","tag":"t"}]}}`:  false, // a later version's
		`{"make":{"nics":[{"net":"n","port":"p"}]}}`: false,
	} {
		_, err := row.HearRequest(&translate.Request{Body: []byte(body)}, &translate.Env{Version: translate.Version{Major: 2, Minor: 1}})
		if (err == nil) != heard {
			t.Errorf("%s: %v", body, err)
		}
	}
	env := &translate.Env{Facts: map[string]any{}}
	old := translate.Window{Min: translate.Version{Major: 2, Minor: 1}, Max: translate.Version{Major: 2, Minor: 41}}
	if _, err := table.Say(row, canonical.ServerCreate{Name: "n", Description: "t"}, env, old); canonical.CodeOf(err) != canonical.Unsupported {
		t.Errorf("a field that the cloud lacks is sent: %v", err)
	}
	newer := translate.Window{Min: old.Min, Max: translate.Version{Major: 2, Minor: 60}}
	if _, err := table.Say(row, canonical.ServerCreate{Name: "n", Description: "t"}, env, newer); err != nil || env.Version.Minor != 42 {
		t.Errorf("at %s, %v", env.Version, err)
	}
}

// TestDialectsShareStructs: the fields of one dialect are unknown to the other, those
// that it always has need no version, and what a row wants gives way to what it holds.
func TestDialectsShareStructs(t *testing.T) {
	full := canonical.ServerCreate{Name: "n", Description: "b", UserData: "f"}
	row := func(dialect string) (*translate.Table, *translate.Route) {
		table := toy()
		table.Rows[0].Dialect, table.Rows[0].Want = dialect, translate.Version{Major: 2, Minor: 60}
		table.Rows[0].Ask = translate.Ask[canonical.ServerCreate, formed]{
			Say: func(r canonical.ServerCreate, _ *translate.Env, _ *translate.Request) (formed, error) {
				return formed{Name: r.Name, Bin: r.Description, Files: r.UserData}, nil
			},
			Hear: func(w formed, _ *translate.Request, _ *translate.Env) (canonical.ServerCreate, error) {
				return canonical.ServerCreate{Name: w.Name, Description: w.Bin + w.Tags, UserData: w.Files}, nil
			},
		}
		return table, &table.Rows[0]
	}
	window := translate.Window{Min: translate.Version{Major: 2, Minor: 1}, Max: translate.Version{Major: 2, Minor: 90}}
	table, other := row("other")
	env := &translate.Env{Facts: map[string]any{}}
	said, err := table.Say(other, full, env, window)
	if err != nil || string(said.Body) != `{"make":{"name":"n","bin":"b","files":"f"}}` || env.Version.Minor > 56 {
		t.Errorf("%s at %s, %v", said.Body, env.Version, err)
	}
	table, first := row("")
	if _, err := table.Say(first, full, env, window); canonical.CodeOf(err) != canonical.Unsupported {
		t.Errorf("a field of another dialect is sent: %v", err)
	}
	full.Description = ""
	if said, err := table.Say(first, full, env, window); err != nil || env.Version.Minor > 56 {
		t.Errorf("%+v at %s, %v", said, env.Version, err)
	}
	for body, known := range map[string]bool{`{"make":{"name":"n","bin":"b"}}`: false, `{"make":{"name":"n","tags":"t"}}`: false, `{"make":{"name":"n"}}`: true} {
		_, e1 := other.HearRequest(&translate.Request{Body: []byte(body)}, &translate.Env{Version: window.Min})
		_, e2 := first.HearRequest(&translate.Request{Body: []byte(body)}, &translate.Env{Version: window.Min})
		if e1 != nil || (e2 == nil) != known {
			t.Errorf("%s: %v, %v", body, e1, e2)
		}
	}
}

func TestVersionText(t *testing.T) {
	for _, bad := range []string{"", "2", "2.", ".1", "2.01", "-2.1", "2.1.1", "a.b", " 2.1"} {
		if v, err := translate.ParseVersion(bad); err == nil {
			t.Errorf("%q is read as %s", bad, v)
		}
	}
	if v, err := translate.ParseVersion("2.93"); err != nil || v.String() != "2.93" {
		t.Errorf("2.93 is read as %s: %v", v, err)
	}
}

// FuzzHear holds that whatever bytes come, a row answers with a request or an
// error that has a code, and that what it accepts is JSON.
func FuzzHear(f *testing.F) {
	f.Add([]byte(`{"make":{"name":"a","nic":[{"net":"n"}],"meta":{"k":"v"}}}`))
	f.Add([]byte(`{"make":null}`))
	f.Add([]byte(`{"make":[[[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		table := toy()
		env := &translate.Env{Version: translate.Version{Major: 2, Minor: 60}, Facts: map[string]any{}}
		_, err := table.Rows[0].HearRequest(&translate.Request{Body: body}, env)
		if err == nil && !json.Valid(body) {
			t.Errorf("%q is accepted", body)
		}
		if canonical.CodeOf(err) == canonical.Internal {
			t.Errorf("%q: %v", body, err)
		}
	})
}
