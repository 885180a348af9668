package translate_test

import (
	"encoding/json"
	"flag"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/easystack"
	"github.com/dragoman-cloud/dragoman/translate/h3c"
	"github.com/dragoman-cloud/dragoman/translate/huawei"
	"github.com/dragoman-cloud/dragoman/translate/nova"
)

// tables are all dialects.
func tables() []*translate.Table {
	return []*translate.Table{nova.Table(), easystack.Table(), h3c.Table(), huawei.Table()}
}

func TestMain(m *testing.M) {
	if err := flag.Set("rapid.nofailfile", "true"); err != nil { // the seed that a failure prints is enough
		panic(err)
	}
	os.Exit(m.Run())
}

// eachRow runs f for every row that carries an operation.
func eachRow(t *testing.T, f func(t *testing.T, table *translate.Table, row *translate.Route)) {
	for _, row := range allRows() {
		t.Run(row.ID, func(t *testing.T) { f(t, row.table, row.Route) })
	}
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func must(t fataler, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
}

func encode(t fataler, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	must(t, err)
	return b
}

// scene is an Env with the facts that rows need.
func scene() *translate.Env {
	return &translate.Env{
		Bases:   map[string]string{"compute": "http://c/compute/v2.1", "image": "http://c/image", "network": "http://c/network", "volume": "http://c/volume/v3"},
		Project: "p1", User: "u1", Role: canonical.Operator, Native: true,
		Facts: map[string]any{"vpc": "v", "zones": []canonical.AvailabilityZone{{ID: "zid", Name: "z"}}},
	}
}

func window(table *translate.Table, row *translate.Route, newest int) translate.Window {
	switch {
	case table.Version == nil:
		return translate.Window{}
	case row.Service == "volume": // Cinder's own numbers
		return translate.Window{Min: nova.MinVolumeVersion, Max: translate.Version{Major: 3, Minor: newest * 70 / 93}}
	}
	return translate.Window{Min: translate.Version{Major: 2, Minor: 1}, Max: translate.Version{Major: 2, Minor: newest}}
}

// alike compares canonical values; empty and absent lists are the same in requests.
var alike = cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b canonical.Opt[string]) bool {
	x, ok := a.Get()
	y, ok2 := b.Get()
	return x == y && ok == ok2 && a.IsNull() == b.IsNull()
}), cmp.Exporter(func(t reflect.Type) bool { return strings.HasPrefix(t.Name(), "Opt[") })}

// TestRequestsSurvive: a canonical request is heard as it was said, by the row that
// said it, or is refused by field.
func TestRequestsSurvive(t *testing.T) {
	eachRow(t, func(t *testing.T, table *translate.Table, row *translate.Route) {
		if _, list := row.Answer.(translate.Lister); list {
			t.Skip("the engines page and filter lists themselves")
		}
		rapid.Check(t, func(t *rapid.T) {
			req := request(t, table, row)
			if req == nil || row.Can != nil && !row.Can(req) {
				return
			}
			env := scene()
			cloud := window(table, row, rapid.SampledFrom([]int{1, 25, 53, 67, 79, 93}).Draw(t, "newest"))
			if !row.Offered(cloud) {
				return
			}
			if row.Op.Resource() == "compute_service" && row.Op.Verb() != "list" {
				env.Facts["service"] = canonical.ComputeService{ID: translate.IDOf(req), Host: "h", Name: "nova-compute"}
			}
			said, err := table.Say(row, req, env, cloud)
			if err != nil {
				if e := canonical.AsError(err); len(e.Fields) == 0 || e.Fields[0].Field == "" {
					t.Fatalf("%+v is refused without a field: %v", req, err)
				}
				return
			}
			if r, ok := req.(canonical.ServerSnapshotRollback); ok {
				env.Facts["snapshots"] = []canonical.ServerSnapshot{{ID: r.Snapshot}}
			}
			if row.Op.Resource() == "aggregate" && row.Op.Verb() != "create" {
				env.Facts["aggregate"] = canonical.Aggregate{ID: translate.IDOf(req)}
			}
			if r, ok := req.(canonical.HypervisorGet); ok {
				env.Facts["hypervisor"] = r.ID
			}
			if r, ok := req.(canonical.SecurityGroupRuleDelete); ok {
				env.Facts["group of the rule"] = r.ID
			}
			got := hear(t, table, row, said, env)
			if diff := cmp.Diff(asHeard(table, req, env.Version), asHeard(table, got, env.Version), alike); diff != "" {
				t.Fatalf("%s at %s (-asked +heard): %s", said.Body, env.Version, diff)
			}
		})
	})
}

// request draws a valid request of the row's operation; nil: it drew an invalid one.
func request(t *rapid.T, table *translate.Table, row *translate.Route) any {
	req := value(t, row.Op.Request, "request").Interface()
	if create, ok := req.(canonical.ServerCreate); ok {
		create.Cloud = "" // the broker's
		create.Native = nil
		if table.Dialect == "huawei" && rapid.Bool().Draw(t, "root volume") {
			create.Native = map[string]any{"root_volume_type": "SAS"}
		}
		if rapid.Bool().Draw(t, "plain") { // else some field or other is refused nearly always
			create = plain(create)
		}
		if create.Networks.Mode != canonical.NetworksList {
			create.Networks.List = nil
		} else if len(create.Networks.List) == 0 {
			return nil
		}
		req = create
	}
	if keypair, ok := req.(canonical.KeypairCreate); ok {
		keypair.Cloud = ""
		req = keypair
	}
	if v := reflect.ValueOf(req).FieldByName("Cloud"); v.IsValid() { // the broker's
		own := reflect.New(row.Op.Request).Elem()
		own.Set(reflect.ValueOf(req))
		own.FieldByName("Cloud").SetZero()
		req = own.Interface()
	}
	switch r := req.(type) { // the broker's
	case canonical.ImageCreate:
		r.Cloud = ""
		req = r
	case canonical.FlavorCreate:
		r.Cloud = ""
		req = r
	case canonical.VolumeCreate:
		r.Cloud = ""
		req = r
	case canonical.VolumeSnapshotCreate:
		r.Cloud = ""
		req = r
	}
	if v, ok := req.(interface{ Validate() error }); ok && v.Validate() != nil {
		return nil
	}
	return req
}

// plain keeps of a create what every dialect carries.
func plain(r canonical.ServerCreate) canonical.ServerCreate {
	return canonical.ServerCreate{
		Name: r.Name, Description: r.Description, Flavor: r.Flavor, Image: "img", Keypair: r.Keypair, AdminPassword: r.AdminPassword,
		AvailabilityZone: "z", SecurityGroups: r.SecurityGroups, ServerGroup: r.ServerGroup, Native: r.Native,
		Networks: canonical.Networks{Mode: canonical.NetworksList, List: []canonical.NetworkChoice{{Network: "net"}}},
	}
}

// asHeard is req as the other side must hear it: what is open is said aloud where the
// dialect has a word for it and wants one.
func asHeard(table *translate.Table, req any, v translate.Version) any {
	auto := v.AtLeast(translate.Version{Major: 2, Minor: 37}) // Nova wants networks from then on
	switch r := req.(type) {
	case canonical.QuotaDefaultsUpdate:
		r.Project = canonical.OwnProject // the defaults are those of all projects
		return r
	case canonical.ServerCreate:
		if r.Count == 1 { // as if nothing were said
			r.Count = 0
		}
		switch {
		case table.Version == nil: // none of Nova's
		case auto && r.Networks.Mode == canonical.NetworksUnset:
			r.Networks.Mode = canonical.NetworksAuto
		case !auto && r.Networks.Mode == canonical.NetworksAuto:
			r.Networks.Mode = canonical.NetworksUnset
		}
		return r
	case canonical.ConsoleOpen:
		return r.OrDefault()
	case canonical.KeypairCreate:
		if r.Kind == canonical.SSHKey { // the default
			r.Kind = ""
		}
		return r
	case canonical.ImageCreate:
		if r.ContainerFormat == "" {
			r.ContainerFormat = "bare"
		}
		if r.Visibility == "" {
			r.Visibility = "private"
		}
		return r
	case canonical.ImageUpdate: // a field without a value has its default
		defaulted(&r.Visibility, "private")
		defaulted(&r.MinDiskGiB, 0)
		defaulted(&r.MinRAMMiB, 0)
		defaulted(&r.Protected, false)
		defaulted(&r.Tags, nil)
		if changes, ok := r.Properties.Get(); ok && len(changes) == 0 {
			r.Properties = canonical.Opt[map[string]canonical.Opt[string]]{}
		}
		return r
	case canonical.VolumeSnapshotCreate: // Cinder forces all from 3.66 on
		r.Force = r.Force || v.AtLeast(translate.Version{Major: 3, Minor: 66})
		return r
	case canonical.AggregateSetMetadata:
		for key, value := range r.Metadata { // what has no value is taken out
			if value.IsZero() {
				r.Metadata[key] = canonical.Null[string]()
			}
		}
		return r
	case canonical.ComputeServiceUpdate:
		defaulted(&r.ForcedDown, false)
		return r
	case canonical.SecurityGroupRuleCreate:
		if r.IPVersion == 0 {
			r.IPVersion = 4
		}
		return r
	case canonical.NetworkUpdate:
		defaulted(&r.Description, "")
		return r
	case canonical.SubnetUpdate:
		defaulted(&r.Description, "")
		defaulted(&r.Pools, nil)
		defaulted(&r.DNSServers, nil)
		defaulted(&r.Routes, nil)
		return r
	case canonical.PortUpdate:
		defaulted(&r.Description, "")
		defaulted(&r.Device, "")
		defaulted(&r.DeviceOwner, "")
		defaulted(&r.FixedIPs, nil)
		defaulted(&r.SecurityGroups, nil)
		defaulted(&r.AddressPairs, nil)
		return r
	case canonical.SecurityGroupUpdate:
		defaulted(&r.Description, "")
		return r
	case canonical.FloatingIPUpdate:
		defaulted(&r.Description, "")
		if r.Port.IsZero() && r.FixedIP.IsZero() && r.Description.IsZero() {
			r.Port = canonical.Null[canonical.ID]()
		}
		return r
	case canonical.ServerReboot:
		if r.Kind == "" {
			r.Kind = canonical.RebootSoft
		}
		return r
	}
	return req
}

func defaulted[T any](o *canonical.Opt[T], def T) {
	if o.IsNull() {
		*o = canonical.Some(def)
	}
}

func hear(t *rapid.T, table *translate.Table, row *translate.Route, said *translate.Request, env *translate.Env) any {
	rows, err := table.Candidates(said)
	must(t, err)
	heard, err := translate.Pick(rows, said, env)
	must(t, err)
	if heard.Row.ID != row.ID {
		t.Fatalf("%s is heard by %s", said.Path, heard.Row.ID)
	}
	got, err := heard.Row.HearRequest(said, env)
	if err != nil {
		t.Fatalf("%s: %v", said.Body, err)
	}
	return got
}

// TestAnswersSettle: a result that was said and heard, said and heard again, changes
// no more.
func TestAnswersSettle(t *testing.T) {
	eachRow(t, func(t *testing.T, table *translate.Table, row *translate.Route) {
		rapid.Check(t, func(t *rapid.T) {
			v := window(table, row, rapid.SampledFrom([]int{1, 25, 53, 67, 79, 93}).Draw(t, "version")).Max
			if !row.Offered(translate.Window{Min: v, Max: v}) {
				return
			}
			first, err := row.SayReply(result(t, row), asking(row, v))
			if err != nil {
				return // a result that the dialect cannot tell
			}
			settled(t, row, v, first)
		})
	})
}

// result draws a reply of the row's operation.
func result(t *rapid.T, row *translate.Route) canonical.Reply {
	res := value(t, row.Op.Result, "result")
	task := &canonical.Task{Job: "job-1", Resources: []canonical.Resource{{Type: "server", ID: "s1"}}}
	if res.Kind() != reflect.Struct {
		return canonical.Reply{Result: res.Interface(), Task: task}
	}
	if f := res.FieldByName("NextCursor"); f.IsValid() { // one page of one item, for order is the engines'
		f.SetString("")
		items := res.FieldByName("Items")
		items.SetLen(min(items.Len(), 1))
	}
	if o, ok := res.Interface().(canonical.Operation); ok {
		return canonical.Reply{Result: ended(o)}
	}
	return canonical.Reply{Result: res.Interface(), Task: task}
}

// ended is o as operations are: those that failed, and no others, say why.
func ended(o canonical.Operation) canonical.Operation {
	o.Error = nil
	if o.Status == canonical.OperationFailed || o.Status == canonical.OperationCancelled {
		o.Error = canonical.ProblemOf(canonical.Errorf(canonical.Timeout, "it took too long"), "")
	}
	return o
}

// asking is the Env of an answer: in one that must be asked with an offset it is 1.
func asking(row *translate.Route, v translate.Version) *translate.Env {
	env := scene()
	env.Version = v
	env.Wire = &translate.Request{Path: row.Path, Query: url.Values{"offset": {"1"}}}
	if row.Service == "network" { // where that would be a filter
		env.Wire.Query = url.Values{}
	}
	req := reflect.New(row.Op.Request).Elem()
	for i := range req.NumField() {
		if req.Type().Field(i).Tag.Get("path") != "" {
			req.Field(i).SetString("x")
		}
	}
	env.Asked = req.Interface()
	return env
}

// settled fails unless what first tells is told the same way once it was heard.
func settled(t fataler, row *translate.Route, v translate.Version, first *translate.Response) {
	t.Helper()
	heard, err := reply(row, first, asking(row, v))
	if err != nil {
		t.Fatalf("%s says what it does not hear: %s: %v", row.ID, first.Body, err)
	}
	second, err := row.SayReply(heard, asking(row, v))
	must(t, err)
	if diff := cmp.Diff(tree(t, first.Body), tree(t, second.Body)); diff != "" {
		t.Fatalf("%s: %s\nsaid again (-first +second): %s", row.ID, first.Body, diff)
	}
}

// reply hears an answer; of a list it is a page.
func reply(row *translate.Route, resp *translate.Response, env *translate.Env) (canonical.Reply, error) {
	l, ok := row.Answer.(translate.Lister)
	if !ok {
		return row.HearReply(resp, env)
	}
	all := l.Collect()
	if _, err := all.Add(resp, env.Wire, env); err != nil {
		return canonical.Reply{}, err
	}
	req := reflect.New(row.Op.Request).Elem()
	req.FieldByName("Limit").SetInt(canonical.MaxLimit)
	if f := req.FieldByName("ChangedSince"); f.IsValid() { // the deleted ones, too
		f.Set(reflect.ValueOf(&time.Time{}))
	}
	page, err := all.Result(req.Interface())
	return canonical.Reply{Result: page}, err
}

func tree(t fataler, body []byte) any {
	t.Helper()
	if len(body) == 0 {
		return nil
	}
	var v any
	must(t, json.Unmarshal(body, &v))
	return v
}

// FuzzRequests: whatever body comes, a row makes a request of it, which can be said
// again or is refused, or an error that is not our own.
func FuzzRequests(f *testing.F) {
	rows := allRows()
	seeds(f, rows, "request")
	f.Fuzz(func(t *testing.T, which uint16, minor uint8, body []byte) {
		row := rows[int(which)%len(rows)]
		env := scene()
		env.Version = window(row.table, row.Route, 1+int(minor)%93).Max
		from := &translate.Request{Params: map[string]string{"id": "x", "server_id": "x"}, Query: url.Values{}, Body: body}
		req, err := row.HearRequest(from, env)
		if err == nil {
			_, err = row.table.Say(row.Route, req, scene(), window(row.table, row.Route, 93))
		}
		if canonical.CodeOf(err) == canonical.Internal {
			t.Errorf("%s: %v", row.ID, err)
		}
	})
}

// FuzzAnswers: whatever a cloud answers is heard and settles, or is the cloud's fault.
func FuzzAnswers(f *testing.F) {
	rows := allRows()
	seeds(f, rows, "response")
	f.Fuzz(func(t *testing.T, which uint16, minor uint8, body []byte) {
		row := rows[int(which)%len(rows)]
		v := window(row.table, row.Route, 1+int(minor)%93).Max
		heard, err := reply(row.Route, &translate.Response{Status: row.Status, Header: http.Header{}, Body: body}, asking(row.Route, v))
		if err == nil && heard.Result != nil {
			var said *translate.Response
			if said, err = row.SayReply(heard, asking(row.Route, v)); err == nil {
				settled(t, row.Route, v, said)
			}
		}
		if canonical.CodeOf(err) == canonical.Internal {
			t.Errorf("%s: %v", row.ID, err)
		}
	})
}

func seeds(f *testing.F, rows []tabled, kind string) {
	f.Helper()
	for _, e := range examples(f, kind) {
		i := slices.IndexFunc(rows, func(r tabled) bool { return r.ID == e.row })
		f.Add(uint16(i), uint8(92), e.body)
	}
}

// tabled is a row with its dialect.
type tabled struct {
	*translate.Route
	table *translate.Table
}

// allRows are the rows that carry an operation, of all dialects; those that dialects
// share, once.
func allRows() []tabled {
	var rows []tabled
	seen := map[string]bool{}
	for _, table := range tables() {
		for i := range table.Rows {
			if row := &table.Rows[i]; row.Op != nil && !seen[row.ID] {
				seen[row.ID] = true
				rows = append(rows, tabled{row, table})
			}
		}
	}
	return rows
}

// FuzzErrors: any answer of any status becomes an error that can be told.
func FuzzErrors(f *testing.F) {
	f.Add(409, []byte(`{"NeutronError":{"type":"OverQuota","message":"x"}}`))
	f.Add(404, []byte(`{"code":"7","msg":"x","data":null,"total":0}`))
	f.Add(400, []byte(`{"error":{"message":"x","code":7}}`))
	f.Add(413, []byte(`{"error_msg":"x","error_code":"Ecs.1"}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		for _, table := range tables() {
			err := table.HearError(&translate.Response{Status: status, Header: http.Header{}, Body: body})
			if err.Code == "" || err.Upstream == nil || len(err.Detail) > 1100 {
				t.Errorf("%s: %+v", table.Dialect, err)
			}
			said := table.SayError(err, &translate.Request{Service: "compute"}, scene())
			if !json.Valid(said.Body) || said.Status < 400 {
				t.Errorf("%s: %d %q", table.Dialect, said.Status, said.Body)
			}
		}
	})
}

func TestRowIDsAreUnique(t *testing.T) {
	for _, table := range tables() {
		var ids []string
		for _, row := range table.Rows {
			if slices.Contains(ids, row.ID) {
				t.Errorf("%s twice", row.ID)
			}
			ids = append(ids, row.ID)
		}
	}
}
