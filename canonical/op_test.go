package canonical

import (
	"bufio"
	"context"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// contract is the list of operations that this package declares bit by bit.
const contract = "../../shared/design/operations.tsv"

// ownOps are declared by canonical-api.md ("Settled details") and not by the list.
var ownOps = []string{
	"compute_service.update", "image.add_tag", "image.deactivate", "image.reactivate", "image.remove_tag", "image_member.create", "image_member.delete", "image_member.get", "image_member.list", "image_member.update", "quota.reset", "quota.update_defaults", "server_migration.list", "usage.list", "server.create_backup",
	"flavor.list_access", "flavor.update", "flavor_extra_specs.delete", "flavor_extra_specs.set",
	"application_credential.create", "application_credential.delete", "application_credential.get", "application_credential.list",
	"api_key.create", "api_key.delete", "api_key.list", "cloud.get", "cloud.list", "event.list", "network.get",
	"operation.cancel", "operation.get", "operation.list", "tenant.create", "tenant.list",
	"network.create", "network.update", "network.delete",
	"subnet.list", "subnet.get", "subnet.create", "subnet.update", "subnet.delete",
	"port.list", "port.get", "port.create", "port.update", "port.delete",
	"security_group_rule.list", "security_group_rule.get", "server.add_security_group", "server.remove_security_group",
	"floating_ip.update", "router.list", "router.get",
	"server.shelve_offload", "server.rescue", "server.unrescue", "server.get_diagnostics", "server.get_topology",
	"volume.extend", "volume.update", "volume_attachment.update",
	"volume_snapshot.list", "volume_snapshot.update", "volume_type.get", "volume_type.list",
}

func TestOpsAgreeWithTheContract(t *testing.T) {
	f, err := os.Open(contract)
	if os.IsNotExist(err) {
		t.Skip("the design is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	listed, missing := map[string]bool{}, []string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		cols := strings.Split(lines.Text(), "\t")
		if cols[0] == "operation" || len(cols) < 3 {
			continue
		}
		name := strings.Replace(cols[0], "job.get", "operation.get", 1)
		listed[name] = true
		switch op := Lookup(name); {
		case op == nil:
			missing = append(missing, name)
		case op.Method != cols[1] || op.Path != cols[2]:
			t.Errorf("%s is %s %s, the contract says %s %s", name, op.Method, op.Path, cols[1], cols[2])
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	for _, op := range Ops() {
		if !listed[op.Name] && !slices.Contains(ownOps, op.Name) {
			t.Errorf("%s is not in the contract", op.Name)
		}
	}
	t.Logf("%d of %d rows are not declared yet:\n%s", len(missing), len(listed), strings.Join(missing, "\n"))
}

var parameter = regexp.MustCompile(`\{(\w+)\}`)

func TestSpecsAreWhole(t *testing.T) {
	routes := map[string]string{}
	for _, op := range Ops() {
		route := op.Method + " " + op.Path
		if other := routes[route]; other != "" {
			t.Errorf("%s and %s share %s", op.Name, other, route)
		}
		routes[route] = op.Name
		if (op.Effect == Read) != (op.Method == "GET") || (op.Effect == Delete) != (op.Method == "DELETE") {
			t.Errorf("%s: effect %s, method %s", op.Name, op.Effect, op.Method)
		}
		want := []string{}
		for _, m := range parameter.FindAllStringSubmatch(op.Path, -1) {
			want = append(want, m[1])
		}
		got := []string{}
		for _, f := range reflect.VisibleFields(op.Request) {
			if p := f.Tag.Get("path"); p != "" {
				got = append(got, p)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: path parameters %v, fields %v", op.Name, want, got)
		}
		if Lookup(op.Name) != op {
			t.Errorf("Lookup(%q) is another", op.Name)
		}
	}
}

func TestDoRefusesBadRequestsBeforeTheCloud(t *testing.T) {
	var m Mux
	Handle(&m, CreateServer, func(context.Context, ServerCreate) (TypedReply[ServersCreated], error) {
		t.Error("the cloud was asked")
		return TypedReply[ServersCreated]{}, nil
	})
	_, err := CreateServer.Do(t.Context(), &m, ServerCreate{})
	if e := AsError(err); e.Code != InvalidRequest || e.Operation != "server.create" || e.Fields[0].Field != "name" {
		t.Errorf("got %#v", e)
	}
	if _, err := Do(t.Context(), &m, Call{Op: CreateServer.Spec(), Request: ServerGet{}}); CodeOf(err) != Internal {
		t.Errorf("a request of the wrong type: %v", err)
	}
	if _, err := GetServer.Do(t.Context(), &m, ServerGet{ID: "x"}); CodeOf(err) != Unsupported {
		t.Errorf("an operation that nobody registered: %v", err)
	}
}
