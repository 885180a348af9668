// Package easystack is EasyStack's dialect (its compute service 6.1.2): the table of
// package nova with rows replaced. What EasyStack documents has rows of its own ids, at
// the versions that it recommends; what it shares with Nova besides is Nova's rows.
package easystack

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/nova"
)

// Dialect is the dialect's name.
const Dialect = "easystack"

// own is what EasyStack calls a row of Nova's.
type own struct {
	id   string
	want int // minor version that it recommends; 0: none, and Nova's own wish stands
}

// rows are Nova's rows that EasyStack documents.
var rows = map[string]own{
	"nova.server.list":                   {"easystack.server.list", 25},
	"nova.server.list_detail":            {"easystack.server.list_detail", 25},
	"nova.server.show":                   {"easystack.server.show", 25},
	"nova.server.create":                 {"easystack.server.create", 67},
	"nova.server.start":                  {"easystack.server.start", 0},
	"nova.server.stop":                   {"easystack.server.stop", 0},
	"nova.server.reboot":                 {"easystack.server.reboot", 0},
	"nova.server.pause":                  {"easystack.server.pause", 0},
	"nova.server.unpause":                {"easystack.server.unpause", 0},
	"nova.server.suspend":                {"easystack.server.suspend", 0},
	"nova.server.resume":                 {"easystack.server.resume", 0},
	"nova.server.update":                 {"easystack.server.update", 0},
	"nova.server.resize":                 {"easystack.server.resize", 0},
	"nova.server.create_image_2_1":       {"easystack.server.create_image", 0},
	"nova.server.interface.attach":       {"easystack.interface_attachment.create", 0},
	"nova.server.interface.detach":       {"easystack.interface_attachment.delete", 0},
	"nova.volume_attachment.create":      {"easystack.volume_attachment.create", 67},
	"nova.volume_attachment.delete":      {"easystack.volume_attachment.delete", 0},
	"nova.server.migrate":                {"easystack.server.migrate", 56},
	"nova.server.live_migrate":           {"easystack.server.live_migrate", 25},
	"nova.server.evacuate":               {"easystack.server.evacuate", 25},
	"nova.server.reset_state":            {"easystack.server.reset_state", 0},
	"nova.server.lock":                   {"easystack.server.lock", 0},
	"nova.server.unlock":                 {"easystack.server.unlock", 0},
	"nova.server.rebuild":                {"easystack.server.rebuild", 0},
	"nova.server.delete":                 {"easystack.server.delete", 0},
	"nova.server.change_password":        {"easystack.server.change_password", 0},
	"glance.image.list":                  {"easystack.server_snapshot.list", 0},
	"glance.image.delete":                {"easystack.server_snapshot.delete", 0},
	"nova.server.restore":                {"easystack.recycle_bin.restore", 0},
	"nova.server.force_delete":           {"easystack.recycle_bin.force_delete", 0},
	"nova.server_group.list":             {"easystack.server_group.list", 15},
	"nova.server_group.create":           {"easystack.server_group.create", 15},
	"nova.server_group.delete":           {"easystack.server_group.delete", 15},
	"nova.keypair.list":                  {"easystack.keypair.list", 0},
	"nova.keypair.create":                {"easystack.keypair.create", 0},
	"nova.keypair.delete":                {"easystack.keypair.delete", 0},
	"nova.flavor.list":                   {"easystack.flavor.list", 61},
	"nova.flavor.create":                 {"easystack.flavor.create", 0},
	"nova.flavor.delete":                 {"easystack.flavor.delete", 0},
	"nova.flavor.access.grant":           {"easystack.flavor.add_tenant_access", 0},
	"nova.flavor.access.revoke":          {"easystack.flavor.remove_tenant_access", 0},
	"nova.aggregate.list":                {"easystack.aggregate.list", 0},
	"nova.aggregate.create":              {"easystack.aggregate.create", 0},
	"nova.availability_zone.list_detail": {"easystack.availability_zone.list_detail", 0},
	"nova.aggregate.update":              {"easystack.aggregate.update", 0},
	"nova.aggregate.delete":              {"easystack.aggregate.delete", 0},
	"nova.aggregate.add_host":            {"easystack.aggregate.add_host", 0},
	"nova.aggregate.remove_host":         {"easystack.aggregate.remove_host", 0},
	"nova.hypervisor.list_detail":        {"easystack.hypervisor.list_detail", 53},
	"nova.service.disable_named":         {"easystack.compute_service.disable", 0},
	"nova.service.enable_named":          {"easystack.compute_service.enable", 0},
}

// Table is the EasyStack dialect. Each call makes a new one, to be changed freely.
func Table() *translate.Table {
	t := nova.Table()
	t.Dialect = Dialect
	for i := range t.Rows {
		row := &t.Rows[i]
		mine, ok := rows[row.ID]
		if !ok {
			continue
		}
		row.ID, row.Dialect = mine.id, Dialect
		if mine.want != 0 {
			row.Want = translate.Version{Major: 2, Minor: mine.want}
		}
		if change, ok := changes[mine.id]; ok {
			change(row)
		}
	}
	bin := detail(t)
	bin.ID, bin.Can, bin.When = "easystack.recycle_bin.list", nova.InBin, nova.Deleted
	live := nova.LiveResize("easystack.server.live_resize")
	live.Dialect = Dialect
	with := t.Replace([]translate.Route{bin, live})
	return &with
}

// changes are what rows do otherwise than Nova's.
var changes = map[string]func(row *translate.Route){
	// What lists of servers are asked for is theirs too: deleted=True is the recycle bin.
	"easystack.server.list":        func(row *translate.Route) { row.Ask = nova.AskBin },
	"easystack.server.list_detail": func(row *translate.Route) { row.Ask, row.Can = nova.AskBin, notInBin },
	// Whether a resize waits to be confirmed is not documented.
	"easystack.server.resize":  func(row *translate.Route) { row.Done, row.Can = nova.Settles, nova.NotLive },
	"easystack.server.migrate": func(row *translate.Route) { row.Done = nova.Settles },
	// The list without details has them all the same.
	"easystack.flavor.list": func(row *translate.Route) { row.Answer = nova.Detailed },
	// An import is a create that brings its key.
	"easystack.keypair.create": func(row *translate.Route) { row.Also = []string{"easystack.keypair.import"} },
}

func notInBin(req any) bool { return !nova.InBin(req) }

// detail is a copy of the row of detailed lists of servers.
func detail(t *translate.Table) translate.Route {
	for _, row := range t.ForOp(canonical.ListServers.Spec()) {
		if row.ID == "easystack.server.list_detail" {
			return *row
		}
	}
	panic("easystack: Nova's table has no detailed list of servers")
}
