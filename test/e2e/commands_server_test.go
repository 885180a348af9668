package e2e

// canonicalStatus are the canonical words for states of Nova's.
var canonicalStatus = map[string]string{
	"ACTIVE": "running", "PAUSED": "paused", "SUSPENDED": "suspended", "RESCUE": "rescued", "SHUTOFF": "stopped",
	"SHELVED_OFFLOADED": "shelved_offloaded", "VERIFY_RESIZE": "verify_resize", "ERROR": "error",
}

// status is the fact that a server has reached that state of Nova's.
func status(name, word string) fact {
	return fact{noun: "server", name: name, real: item{"status": word}, own: item{"status": canonicalStatus[word]}}
}

func gone(noun, name string) fact { return fact{noun: noun, name: name, gone: true} }

// made is a server to try the commands of a group with.
var made = asked{
	line: "server create --image IMAGE --flavor FLAVOR --network NETWORK --wait NAME",
	item: item{"name": "NAME", "status": "ACTIVE"}, then: []fact{status("NAME", "ACTIVE")},
}

// unmade deletes it.
var unmade = asked{line: "server delete --wait NAME", then: []fact{gone("server", "NAME")}}

// powers are the actions that change how a server runs.
var powers = []asked{
	made,
	{line: "server pause NAME", then: []fact{status("NAME", "PAUSED")}},
	{line: "server start NAME", fails: "409"},
	{line: "server unpause NAME", then: []fact{status("NAME", "ACTIVE")}},
	{line: "server suspend NAME", then: []fact{status("NAME", "SUSPENDED")}},
	{line: "server resume NAME", then: []fact{status("NAME", "ACTIVE")}},
	{line: "server lock NAME", then: []fact{{noun: "server", name: "NAME", real: item{"locked": true}, own: item{"locked": true}}}},
	{line: "server unlock NAME", then: []fact{{noun: "server", name: "NAME", real: item{"locked": false}, own: item{"locked": false}}}},
	{line: "server rescue NAME", then: []fact{status("NAME", "RESCUE")}},
	{line: "server unrescue NAME", then: []fact{status("NAME", "ACTIVE")}},
	{line: "server shelve NAME", then: []fact{status("NAME", "SHELVED_OFFLOADED")}},
	{line: "server unshelve NAME", then: []fact{status("NAME", "ACTIVE")}},
	{line: "server stop NAME", then: []fact{status("NAME", "SHUTOFF")}},
	{line: "server start NAME", then: []fact{status("NAME", "ACTIVE")}},
	{line: "server show --diagnostics NAME", item: item{}},
	{line: "console log show NAME", text: ""},
	{line: "console url show NAME", item: item{"protocol": "vnc", "type": "novnc"}, not: map[string]string{"Memory": "it has no consoles to show"}},
	{line: "server event list NAME", row: item{"Action": "create"}},
	{line: "server event list --long NAME", row: item{"Action": "pause"}},
	{line: "server event list no-such", fails: "no-such"},
	unmade,
}

// changes are the actions that make another server of one.
var changes = []asked{
	made,
	{line: "server resize --flavor FLAVOR2 NAME", then: []fact{status("NAME", "VERIFY_RESIZE")}},
	{line: "server resize confirm NAME", then: []fact{
		{noun: "server", name: "NAME", real: item{"status": "ACTIVE", "flavor": "FLAVOR2"}, own: item{"status": "running", "flavor": "FLAVOR2"}},
	}},
	{line: "server resize --flavor FLAVOR NAME", then: []fact{status("NAME", "VERIFY_RESIZE")}},
	{line: "server resize revert NAME", then: []fact{
		{noun: "server", name: "NAME", real: item{"status": "ACTIVE", "flavor": "FLAVOR2"}, own: item{"status": "running", "flavor": "FLAVOR2"}},
	}},
	{line: "server resize confirm NAME", fails: "409"},
	{line: "server rebuild --image IMAGE --wait NAME", item: item{"name": "NAME"}, then: []fact{status("NAME", "ACTIVE")}},
	{line: "server migrate NAME", then: []fact{status("NAME", "VERIFY_RESIZE")}},
	{line: "server migration confirm NAME", then: []fact{status("NAME", "ACTIVE")}},
	{line: "server migrate --live-migration --wait NAME", then: []fact{status("NAME", "ACTIVE")}},
	{line: "server migration list --server NAME", row: item{"Status": "confirmed"}},
	{line: "server evacuate NAME", fails: "still in use"},
	{line: "server image create --name NAME-image --wait NAME", item: item{"name": "NAME-image", "status": "active"}, then: []fact{
		{noun: "image", name: "NAME-image", real: item{"status": "active"}, own: item{"status": "active"}},
	}},
	{line: "server rebuild --image NAME-image --wait NAME", then: []fact{
		{noun: "server", name: "NAME", real: item{"image": "NAME-image"}, own: item{"image": "NAME-image"}},
	}},
	{line: "server set --property k=v --property l=w NAME", then: []fact{
		{noun: "server", name: "NAME", real: item{"properties": "k"}, own: item{"metadata": item{"k": "v", "l": "w"}}},
	}},
	{line: "server unset --property k NAME", then: []fact{
		{noun: "server", name: "NAME", real: item{"properties": `"l":"w"`}, own: item{"metadata": item{"l": "w"}}},
	}},
	{line: "server show NAME", item: item{"properties": item{"l": "w"}, "image": "NAME-image"}},
	{line: "server set --state error NAME", then: []fact{status("NAME", "ERROR")}},
	{line: "server set --state active NAME", then: []fact{status("NAME", "ACTIVE")}},
	unmade,
	{line: "image delete NAME-image", then: []fact{gone("image", "NAME-image")}},
}

// plugs are what is put into servers and taken out.
var plugs = []asked{
	made,
	{line: "port create --network NETWORK NAME-port", item: item{"name": "NAME-port", "status": "DOWN"}},
	{line: "server add port NAME NAME-port", then: []fact{
		{noun: "port", name: "NAME-port", real: item{"device_owner": "compute:"}, own: item{"status": "active"}},
	}},
	{line: "port list --server NAME", row: item{"Name": "NAME-port"}},
	{line: "server remove port NAME NAME-port", then: []fact{
		{noun: "port", name: "NAME-port", real: item{"device_owner": "", "device_id": ""}, own: item{"status": "down"}},
	}},
	{line: "port list --server NAME", none: item{"Name": "NAME-port"}},
	{line: "server add network NAME NETWORK2"},
	{line: "server show NAME", item: item{"addresses": "NETWORK2"}},
	{line: "server remove network NAME NETWORK2"},
	{line: "server add fixed ip NAME NETWORK"},
	{line: "security group create NAME-group", item: item{"name": "NAME-group"}, then: []fact{
		{noun: "security group", name: "NAME-group"},
	}},
	{line: "server add security group NAME NAME-group"},
	{line: "server show NAME", item: item{"security_groups": "NAME-group"}},
	{line: "server remove security group NAME NAME-group"},
	{line: "volume create --size 1 NAME-volume", item: item{"name": "NAME-volume", "size": 1.0}, then: []fact{
		{noun: "volume", name: "NAME-volume", real: item{"status": "available"}, own: item{"status": "available"}},
	}},
	{line: "server add volume NAME NAME-volume", then: []fact{
		{noun: "volume", name: "NAME-volume", real: item{"status": "in-use"}, own: item{"status": "in_use"}},
	}},
	{line: "server volume list NAME", row: item{}},
	{line: "server remove volume NAME NAME-volume", then: []fact{
		{noun: "volume", name: "NAME-volume", real: item{"status": "available"}, own: item{"status": "available"}},
	}},
	{line: "volume delete NAME-volume", then: []fact{gone("volume", "NAME-volume")}},
	unmade,
	{line: "port delete NAME-port", then: []fact{gone("port", "NAME-port")}},
	{line: "security group delete NAME-group", then: []fact{gone("security group", "NAME-group")}},
}

// groups are server groups.
var groups = []asked{
	{line: "server group create --policy anti-affinity NAME", item: item{"name": "NAME", "policy": "anti-affinity"}},
	{line: "server group list", row: item{"Name": "NAME", "Policy": "anti-affinity"}},
	{line: "server group list --long", row: item{"Name": "NAME", "Members": ""}},
	{line: "server group show NAME", item: item{"name": "NAME", "policy": "anti-affinity"}},
	{line: "server group delete NAME", then: []fact{gone("server group", "NAME")}},
	{line: "server group list", none: item{"Name": "NAME"}},
}
