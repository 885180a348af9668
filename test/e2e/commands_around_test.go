package e2e

// sizes are flavors.
var sizes = []asked{
	{
		line: "flavor create --ram 64 --disk 1 --vcpus 1 --property hw:cpu_policy=shared NAME",
		item: item{"name": "NAME", "ram": 64.0, "vcpus": 1.0, "disk": 1.0, "properties": item{"hw:cpu_policy": "shared"}},
		then: []fact{{
			noun: "flavor", name: "NAME", real: item{"ram": 64.0, "properties": item{"hw:cpu_policy": "shared"}},
			own: item{"ram_mib": 64.0},
		}},
	},
	{line: "flavor set --property hw:watchdog_action=reset NAME", then: []fact{
		{noun: "flavor", name: "NAME", real: item{"properties": "hw:watchdog_action"}, own: item{"extra_specs": "hw:watchdog_action"}},
	}},
	{line: "flavor show NAME", item: item{"properties": item{"hw:cpu_policy": "shared", "hw:watchdog_action": "reset"}}},
	{line: "flavor unset --property hw:watchdog_action NAME", then: []fact{
		{noun: "flavor", name: "NAME", real: item{"properties": item{"hw:cpu_policy": "shared"}}, own: item{"extra_specs": item{"hw:cpu_policy": "shared"}}},
	}},
	{line: "flavor list --long", row: item{"Name": "NAME", "Properties": item{"hw:cpu_policy": "shared"}}},
	{line: "flavor delete NAME", then: []fact{gone("flavor", "NAME")}},
	{line: "flavor delete NAME", fails: "NAME"},
}

// pictures are images.
var pictures = []asked{
	{
		line: "image create --disk-format raw --file FILE --property os_distro=none --shared NAME", item: item{"name": "NAME", "disk_format": "raw"},
		then: []fact{{noun: "image", name: "NAME", real: item{"status": "active", "size": 19.0}, own: item{"status": "active", "size_bytes": 19.0}}},
	},
	{line: "image list --name NAME", row: item{"Name": "NAME", "Status": "active"}},
	{line: "image set --property os_version=1 --min-disk 1 NAME", then: []fact{
		{noun: "image", name: "NAME", real: item{"min_disk": 1.0, "properties": "os_version"}, own: item{"min_disk_gib": 1.0}},
	}},
	{line: "image show NAME", item: item{"min_disk": 1.0, "visibility": "shared", "properties": "os_version"}},
	{line: "image save --file FILE2 NAME"},
	{line: "image add project NAME PROJECT", item: item{"status": "pending"}},
	{line: "image member list NAME", row: item{"Status": "pending"}},
	{line: "image remove project NAME PROJECT"},
	{line: "image member list NAME", none: item{"Status": "pending"}},
	{line: "image delete NAME", then: []fact{gone("image", "NAME")}},
	{line: "image show NAME", fails: "NAME"},
}

// nets are networks and what is in them.
var nets = []asked{
	{line: "network create NAME-net", item: item{"name": "NAME-net", "admin_state_up": true}, then: []fact{
		{noun: "network", name: "NAME-net", real: item{"status": "ACTIVE"}, own: item{"status": "active"}},
	}},
	{
		line: "subnet create --network NAME-net --subnet-range 10.77.0.0/24 NAME-sub", item: item{"name": "NAME-sub", "cidr": "10.77.0.0/24", "gateway_ip": "10.77.0.1"},
		then: []fact{{noun: "subnet", name: "NAME-sub", real: item{"cidr": "10.77.0.0/24"}, own: item{"cidr": "10.77.0.0/24"}}},
	},
	{line: "subnet list --network NAME-net", row: item{"Name": "NAME-sub", "Subnet": "10.77.0.0/24"}},
	{line: "subnet show NAME-sub", item: item{"ip_version": 4.0, "enable_dhcp": true}},
	{line: "port create --network NAME-net --fixed-ip subnet=NAME-sub,ip-address=10.77.0.9 NAME-port", item: item{"fixed_ips": "10.77.0.9"}, then: []fact{
		{noun: "port", name: "NAME-port", real: item{"fixed_ips": "10.77.0.9"}, own: item{"fixed_ips": "10.77.0.9"}},
	}},
	{line: "port set --name NAME-port2 NAME-port", then: []fact{{noun: "port", name: "NAME-port2"}}},
	{line: "port list --network NAME-net", row: item{"Name": "NAME-port2"}},
	{line: "port show NAME-port2", item: item{"name": "NAME-port2", "status": "DOWN"}},
	{line: "port delete NAME-port2", then: []fact{gone("port", "NAME-port2")}},
	{line: "network set --name NAME-net2 NAME-net", then: []fact{{noun: "network", name: "NAME-net2"}}},
	{line: "network list", row: item{"Name": "NAME-net2"}},
	{line: "network show NAME-net2", item: item{"name": "NAME-net2", "router:external": false}},
	{line: "subnet delete NAME-sub", then: []fact{gone("subnet", "NAME-sub")}},
	{line: "network delete NAME-net2", then: []fact{gone("network", "NAME-net2")}},
	{line: "security group create --description told NAME-group", item: item{"description": "told"}},
	{line: "security group rule create --protocol tcp --dst-port 22 --remote-ip 192.0.2.0/24 NAME-group", item: item{"port_range_min": 22.0, "protocol": "tcp"}},
	{line: "security group rule list NAME-group", row: item{"IP Protocol": "tcp", "IP Range": "192.0.2.0/24", "Port Range": "22:22"}},
	{line: "security group show NAME-group", item: item{"rules": "192.0.2.0/24"}, then: []fact{
		{noun: "security group", name: "NAME-group", real: item{"rules": "192.0.2.0/24"}, own: item{"rules": "192.0.2.0/24"}},
	}},
	{line: "security group list", row: item{"Name": "NAME-group", "Description": "told"}},
	{line: "security group set --name NAME-group2 NAME-group", then: []fact{{noun: "security group", name: "NAME-group2"}}},
	{line: "security group delete NAME-group2", then: []fact{gone("security group", "NAME-group2")}},
	{line: "router list", row: item{"Name": "router"}, not: map[string]string{"OpenStack": "it has no router"}},
	{line: "router show router", item: item{"status": "ACTIVE"}, not: map[string]string{"OpenStack": "it has no router"}},
	{line: "floating ip list", none: item{"Floating IP Address": "198.51.100.1"}},
	{line: "extension list --network", row: item{"Alias": "router"}},
}

// disks are volumes.
var disks = []asked{
	{line: "volume create --size 1 NAME", item: item{"name": "NAME", "size": 1.0}, then: []fact{
		{noun: "volume", name: "NAME", real: item{"status": "available", "size": 1.0}, own: item{"status": "available", "size_gib": 1.0}},
	}},
	{line: "volume list", row: item{"Name": "NAME", "Status": "available", "Size": 1.0}},
	{line: "volume set --property k=v --description told NAME", then: []fact{
		{noun: "volume", name: "NAME", real: item{"description": "told", "properties": item{"k": "v"}}, own: item{"description": "told", "metadata": item{"k": "v"}}},
	}},
	{line: "volume show NAME", item: item{"description": "told", "properties": item{"k": "v"}}},
	{line: "volume snapshot create --volume NAME NAME-snap", item: item{"name": "NAME-snap", "size": 1.0}, then: []fact{
		{noun: "volume snapshot", name: "NAME-snap", real: item{"status": "available"}, own: item{"status": "available"}},
	}},
	{line: "volume snapshot list", row: item{"Name": "NAME-snap", "Status": "available"}},
	{line: "volume snapshot show NAME-snap", item: item{"name": "NAME-snap"}},
	{line: "volume snapshot delete NAME-snap", then: []fact{gone("volume snapshot", "NAME-snap")}},
	{line: "volume set --size 2 NAME", then: []fact{{noun: "volume", name: "NAME", real: item{"size": 2.0}, own: item{"size_gib": 2.0}}}},
	{line: "volume type list", row: item{"Is Public": true}},
	{line: "volume delete NAME", then: []fact{gone("volume", "NAME")}},
}

// hostsOf is what operators look at.
var hostsOf = []asked{
	{line: "aggregate create --property k=v NAME", item: item{"name": "NAME", "properties": item{"k": "v"}}, then: []fact{
		{noun: "aggregate", name: "NAME", real: item{"properties": item{"k": "v"}}, own: item{"metadata": item{"k": "v"}}},
	}},
	{line: "aggregate add host NAME HOST2", item: item{"hosts": "HOST2"}, then: []fact{
		{noun: "aggregate", name: "NAME", real: item{"hosts": "HOST2"}, own: item{"hosts": "HOST2"}},
	}},
	{line: "aggregate set --property l=w NAME", then: []fact{
		{noun: "aggregate", name: "NAME", real: item{"properties": item{"k": "v", "l": "w"}}, own: item{"metadata": item{"k": "v", "l": "w"}}},
	}},
	{line: "aggregate unset --property k NAME"},
	{line: "aggregate show NAME", item: item{"name": "NAME", "properties": item{"l": "w"}}},
	{line: "aggregate list --long", row: item{"Name": "NAME"}},
	{line: "aggregate remove host NAME HOST2"},
	{line: "aggregate delete NAME", then: []fact{gone("aggregate", "NAME")}},
	{line: "hypervisor list", row: item{"Hypervisor Hostname": "HOST", "State": "up"}},
	{line: "hypervisor list --long", row: item{"Hypervisor Hostname": "HOST2"}},
	{line: "hypervisor show HOST", item: item{"hypervisor_hostname": "HOST", "state": "up"}},
	{line: "hypervisor show no-such", fails: "no-such"},
	{line: "hypervisor stats show", item: item{"count": 2.0}},
	{line: "compute service list --long", row: item{"Host": "HOST2", "State": "up"}},
	{line: "host list", row: item{"Host Name": "HOST"}},
	{line: "availability zone list", row: item{"Zone Status": "available"}},
	{line: "availability zone list --compute --long", row: item{"Zone Status": "available"}},
	{line: "quota show", item: item{"properties": 128.0}},
	{line: "limits show --absolute", row: item{"Name": "maxServerMeta", "Value": 128.0}},
	{line: "limits show --rate", none: item{"Verb": "GET"}},
	{line: "extension list --compute", row: item{"Alias": "os-keypairs"}},
}

// identities are what Keystone tells.
var identities = []asked{
	{line: "project list", row: item{"Name": "PROJECT"}},
	{line: "project show PROJECT", item: item{"name": "PROJECT", "enabled": true}},
	{line: "domain list", row: item{"ID": "default", "Enabled": true}},
	{line: "user list", row: item{"Name": keyID}},
	{line: "user show " + keyID, item: item{"enabled": true}},
	{line: "role list", row: item{"Name": "member"}},
	{line: "role assignment list --names", row: item{"Role": "admin", "Project": "PROJECT@Default"}},
	{line: "service list", row: item{"Type": "compute"}},
	{line: "endpoint list", row: item{"Service Type": "network", "Interface": "public"}},
	{line: "endpoint list --service image", row: item{"Service Name": "glance"}},
	{line: "region list", row: item{"Region": "RegionOne"}},
	{line: "catalog list", row: item{"Type": "volumev3"}},
	{line: "catalog show compute", item: item{"name": "nova"}},
	{line: "versions show", row: item{"Service Type": "compute"}},
	{line: "token issue", item: item{"user_id": keyID}},
}

// credentials are application credentials, which are dragoman's own whatever cloud is
// behind: what is held is told by the command itself.
var credentials = []asked{
	{
		line: "application credential create --role member --expiration 2099-01-01T00:00:00 --description told NAME",
		item: item{"name": "NAME", "description": "told", "roles": "member", "unrestricted": false, "expires_at": "2099-01-01T00:00:00"},
	},
	{line: "application credential create NAME", fails: "409"},
	{line: "application credential create --unrestricted NAME-2", fails: "unrestricted"},
	{line: "application credential list", row: item{"Name": "NAME", "Description": "told"}},
	{line: "application credential show NAME", item: item{"name": "NAME", "roles": "reader member", "user_id": keyID}},
	{line: "application credential delete NAME"},
	{line: "application credential list", none: item{"Name": "NAME"}},
	{line: "application credential show NAME", fails: "NAME"},
}
