package cloudtest

import (
	"net/netip"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// networkTests are those of what is on networks.
func networkTests() []test {
	return []test{
		{"network/lifecycle", testNetworkLifecycle},
		{"network/subnets", testSubnets},
		{"network/ports", testPorts},
		{"network/security_groups", testSecurityGroups},
		{"network/interfaces", testInterfaces},
		{"network/server_groups", testGroupsOfServers},
	}
}

// network makes a network and has it deleted in the end.
func (k *check) network() canonical.Network {
	k.needs(canonical.CreateNetwork.Spec(), canonical.DeleteNetwork.Spec())
	n := do(k, canonical.CreateNetwork, canonical.NetworkCreate{Name: k.name("network"), Description: "of the suite"})
	k.undo = append(k.undo, func(k *check) {
		k.cleaned("network", try(k, canonical.DeleteNetwork, canonical.NetworkDelete{ID: n.ID}))
	})
	return n
}

func (k *check) cleaned(what string, err error) {
	if err != nil && canonical.CodeOf(err) != canonical.NotFound {
		k.errorf("cleaning up a %s: %v", what, err)
	}
}

// subnet gives a network a range of addresses.
func (k *check) subnet(network canonical.ID) canonical.Subnet {
	k.needs(canonical.CreateSubnet.Spec(), canonical.DeleteSubnet.Spec())
	return do(k, canonical.CreateSubnet, canonical.SubnetCreate{Network: canonical.Ref(network), CIDR: "10.77.0.0/24", Name: k.name("subnet")})
}

// port makes a port and has it deleted in the end.
func (k *check) port(r canonical.PortCreate) canonical.Port {
	k.needs(canonical.CreatePort.Spec(), canonical.DeletePort.Spec())
	p := do(k, canonical.CreatePort, r)
	k.undo = append(k.undo, func(k *check) { k.cleaned("port", try(k, canonical.DeletePort, canonical.PortDelete{ID: p.ID})) })
	return p
}

func testNetworkLifecycle(k *check) {
	n := k.network()
	got := do(k, canonical.GetNetwork, canonical.NetworkGet{ID: n.ID})
	if got.Name != n.Name || !got.AdminUp || got.Shared || got.External || text(got.Description) != "of the suite" {
		k.errorf("network.get gave %+v", got)
	}
	if all := do(k, canonical.ListNetworks, canonical.NetworkList{Name: n.Name}).Items; len(all) != 1 || all[0].ID != n.ID {
		k.errorf("the list by name holds %+v", all)
	}
	name := k.name("renamed")
	do(k, canonical.UpdateNetwork, canonical.NetworkUpdate{ID: n.ID, Name: canonical.Some(name), AdminUp: canonical.Some(false)})
	if got = do(k, canonical.GetNetwork, canonical.NetworkGet{ID: n.ID}); got.Name != name || got.AdminUp || text(got.Description) != "of the suite" {
		k.errorf("after the update the network is %+v", got)
	}
	do(k, canonical.DeleteNetwork, canonical.NetworkDelete{ID: n.ID})
	k.code("network.get after network.delete", try(k, canonical.GetNetwork, canonical.NetworkGet{ID: n.ID}), canonical.NotFound)
	k.code("the second network.delete", try(k, canonical.DeleteNetwork, canonical.NetworkDelete{ID: n.ID}), canonical.NotFound)
}

func testSubnets(k *check) {
	n := k.network()
	s := k.subnet(n.ID)
	got := do(k, canonical.GetSubnet, canonical.SubnetGet{ID: s.ID})
	if got.NetworkID != n.ID || got.CIDR != "10.77.0.0/24" || got.IPVersion != 4 || text(got.GatewayIP) != "10.77.0.1" || !got.DHCP || len(got.Pools) != 1 {
		k.errorf("subnet.get gave %+v", got)
	}
	if on := do(k, canonical.GetNetwork, canonical.NetworkGet{ID: n.ID}); !slices.Contains(on.Subnets, s.ID) {
		k.errorf("the network does not tell its subnet: %+v", on)
	}
	if all := do(k, canonical.ListSubnets, canonical.SubnetList{Network: n.ID}).Items; len(all) != 1 || all[0].ID != s.ID {
		k.errorf("the network's subnets are %+v", all)
	}
	again := canonical.SubnetCreate{Network: canonical.Ref(n.ID), CIDR: "10.77.0.128/25"}
	k.code("a subnet that overlaps", try(k, canonical.CreateSubnet, again), canonical.InvalidRequest)
	k.refused("a subnet of no range", try(k, canonical.CreateSubnet, canonical.SubnetCreate{Network: canonical.Ref(n.ID), CIDR: "ten"}), "cidr")
	do(k, canonical.UpdateSubnet, canonical.SubnetUpdate{ID: s.ID, DNSServers: canonical.Some([]string{"10.77.0.9"}), GatewayIP: canonical.Null[string]()})
	if got = do(k, canonical.GetSubnet, canonical.SubnetGet{ID: s.ID}); len(got.DNSServers) != 1 || got.GatewayIP != nil || got.Name != s.Name {
		k.errorf("after the update the subnet is %+v", got)
	}
	p := k.port(canonical.PortCreate{Network: canonical.Ref(n.ID)})
	k.code("subnet.delete in use", try(k, canonical.DeleteSubnet, canonical.SubnetDelete{ID: s.ID}), canonical.FailedPrecondition)
	k.code("network.delete in use", try(k, canonical.DeleteNetwork, canonical.NetworkDelete{ID: n.ID}), canonical.FailedPrecondition)
	do(k, canonical.DeletePort, canonical.PortDelete{ID: p.ID})
	do(k, canonical.DeleteSubnet, canonical.SubnetDelete{ID: s.ID})
	k.code("subnet.get after subnet.delete", try(k, canonical.GetSubnet, canonical.SubnetGet{ID: s.ID}), canonical.NotFound)
}

func testPorts(k *check) {
	n := k.network()
	s := k.subnet(n.ID)
	fixed := canonical.Some([]canonical.FixedIP{{IP: "10.77.0.77"}})
	p := k.port(canonical.PortCreate{Network: canonical.Ref(n.ID), Name: k.name("port"), FixedIPs: fixed})
	got := do(k, canonical.GetPort, canonical.PortGet{ID: p.ID})
	want := canonical.FixedIP{IP: "10.77.0.77", SubnetID: s.ID}
	if got.Name != p.Name || got.NetworkID != n.ID || !slices.Equal(got.FixedIPs, []canonical.FixedIP{want}) || got.MAC == "" || got.ServerID != nil {
		k.errorf("port.get gave %+v", got)
	}
	if len(got.SecurityGroups) != 1 {
		k.errorf("a port that asks for no group is in %v", got.SecurityGroups)
	}
	if all := do(k, canonical.ListPorts, canonical.PortList{Network: n.ID, Name: p.Name}).Items; len(all) != 1 || all[0].ID != p.ID {
		k.errorf("the network's ports are %+v", all)
	}
	twice := canonical.PortCreate{Network: canonical.Ref(n.ID), FixedIPs: fixed}
	k.code("a port with a taken address", try(k, canonical.CreatePort, twice), canonical.AlreadyExists)
	far := canonical.PortCreate{Network: canonical.Ref(n.ID), FixedIPs: canonical.Some([]canonical.FixedIP{{IP: "192.0.2.1"}})}
	k.code("a port with an address of another network", try(k, canonical.CreatePort, far), canonical.InvalidRequest)
	free := k.port(canonical.PortCreate{Network: canonical.Ref(n.ID), SecurityGroups: canonical.Some([]canonical.Ref{})})
	if len(free.SecurityGroups) != 0 || len(free.FixedIPs) != 1 || !inside(s.CIDR, free.FixedIPs[0].IP) {
		k.errorf("a port without groups is %+v", free)
	}
	do(k, canonical.UpdatePort, canonical.PortUpdate{ID: p.ID, Name: canonical.Some("renamed"), SecurityGroups: canonical.Some([]canonical.Ref{})})
	if got = do(k, canonical.GetPort, canonical.PortGet{ID: p.ID}); got.Name != "renamed" || len(got.SecurityGroups) != 0 || len(got.FixedIPs) != 1 {
		k.errorf("after the update the port is %+v", got)
	}
	do(k, canonical.DeletePort, canonical.PortDelete{ID: p.ID})
	k.code("port.get after port.delete", try(k, canonical.GetPort, canonical.PortGet{ID: p.ID}), canonical.NotFound)
}

func inside(cidr, ip string) bool {
	prefix, err1 := netip.ParsePrefix(cidr)
	addr, err2 := netip.ParseAddr(ip)
	return err1 == nil && err2 == nil && prefix.Contains(addr)
}

// group makes a security group and has it deleted in the end.
func (k *check) group() canonical.SecurityGroup {
	k.needs(canonical.CreateSecurityGroup.Spec(), canonical.DeleteSecurityGroup.Spec())
	g := do(k, canonical.CreateSecurityGroup, canonical.SecurityGroupCreate{Name: k.name("group")})
	k.undo = append(k.undo, func(k *check) {
		k.cleaned("security group", try(k, canonical.DeleteSecurityGroup, canonical.SecurityGroupDelete{ID: g.ID}))
	})
	return g
}

func testSecurityGroups(k *check) {
	g := k.group()
	if len(g.Rules) != 2 || g.Rules[0].Direction != canonical.Egress {
		k.errorf("a new group has the rules %+v", g.Rules)
	}
	port := 22
	r := canonical.SecurityGroupRuleCreate{
		ID: g.ID, Direction: canonical.Ingress, Protocol: "tcp", PortMin: &port, PortMax: &port, RemoteCIDR: "10.0.0.0/8",
	}
	rule := do(k, canonical.CreateSecurityGroupRule, r)
	if rule.GroupID != g.ID || rule.IPVersion != 4 || text(rule.Protocol) != "tcp" || text(rule.RemoteCIDR) != "10.0.0.0/8" {
		k.errorf("security_group_rule.create gave %+v", rule)
	}
	k.code("the same rule again", try(k, canonical.CreateSecurityGroupRule, r), canonical.AlreadyExists)
	if got := do(k, canonical.GetSecurityGroup, canonical.SecurityGroupGet{ID: g.ID}); len(got.Rules) != 3 {
		k.errorf("after a rule was added the group is %+v", got)
	}
	of := canonical.SecurityGroupRuleList{Group: g.ID, Direction: canonical.Ingress}
	if all := do(k, canonical.ListSecurityGroupRules, of).Items; len(all) != 1 || all[0].ID != rule.ID {
		k.errorf("the rules that come in are %+v", all)
	}
	do(k, canonical.DeleteSecurityGroupRule, canonical.SecurityGroupRuleDelete{ID: g.ID, Rule: rule.ID})
	k.code("security_group_rule.get after its delete", try(k, canonical.GetSecurityGroupRule, canonical.SecurityGroupRuleGet{ID: rule.ID}), canonical.NotFound)
	k.refused("a rule of no direction", try(k, canonical.CreateSecurityGroupRule, canonical.SecurityGroupRuleCreate{ID: g.ID}), "direction")
	do(k, canonical.UpdateSecurityGroup, canonical.SecurityGroupUpdate{ID: g.ID, Description: canonical.Some("new")})
	if got := do(k, canonical.GetSecurityGroup, canonical.SecurityGroupGet{ID: g.ID}); text(got.Description) != "new" || got.Name != g.Name {
		k.errorf("after the update the group is %+v", got)
	}
	do(k, canonical.DeleteSecurityGroup, canonical.SecurityGroupDelete{ID: g.ID})
	k.code("security_group.get after its delete", try(k, canonical.GetSecurityGroup, canonical.SecurityGroupGet{ID: g.ID}), canonical.NotFound)
}

// testInterfaces: a server has its ports, gets others, and gives them back.
func testInterfaces(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.ListInterfaces.Spec(), canonical.AttachInterface.Spec(), canonical.DetachInterface.Spec())
	id := k.server("nics")
	before := do(k, canonical.ListInterfaces, canonical.InterfaceList{ID: id}).Items
	if len(before) != 1 || len(before[0].FixedIPs) == 0 {
		k.fatalf("a server on one network has the interfaces %+v", before)
	}
	got := do(k, canonical.GetInterface, canonical.InterfaceGet{ID: id, Interface: before[0].ID})
	if got.MAC != before[0].MAC || got.NetworkID != before[0].NetworkID {
		k.errorf("interface.get gave %+v, the list %+v", got, before[0])
	}
	if p := do(k, canonical.GetPort, canonical.PortGet{ID: before[0].ID}); p.ServerID == nil || *p.ServerID != id {
		k.errorf("the server's port is %+v", p)
	}
	if all := do(k, canonical.ListServerAddresses, canonical.ServerAddressList{ID: id}).Items; len(all) == 0 || all[0].IP != before[0].FixedIPs[0].IP {
		k.errorf("the server's addresses are %+v", all)
	}
	p := k.port(canonical.PortCreate{Network: canonical.Ref(before[0].NetworkID)})
	added := do(k, canonical.AttachInterface, canonical.InterfaceAttach{ID: id, Interface: p.ID})
	if added.ID != p.ID || added.MAC != p.MAC {
		k.errorf("interface.attach gave %+v for the port %+v", added, p)
	}
	k.code("a port that is taken", try(k, canonical.AttachInterface, canonical.InterfaceAttach{ID: id, Interface: p.ID}), canonical.FailedPrecondition)
	do(k, canonical.DetachInterface, canonical.InterfaceDetach{ID: id, Interface: p.ID})
	k.detached(id, p.ID)
	if free := do(k, canonical.GetPort, canonical.PortGet{ID: p.ID}); free.ServerID != nil {
		k.errorf("after interface.detach the port is %+v", free)
	}
}

// detached waits until a server has lost an interface.
func (k *check) detached(server, id canonical.ID) {
	for pause := k.h.First; ; pause = min(2*pause, k.h.Most) {
		err := try(k, canonical.GetInterface, canonical.InterfaceGet{ID: server, Interface: id})
		switch {
		case canonical.CodeOf(err) == canonical.NotFound:
			return
		case err != nil, k.ctx.Err() != nil:
			k.fatalf("server %s keeps the interface %s: %v", server, id, err)
		}
		k.pause(pause)
	}
}

// testGroupsOfServers: a server is in the groups that it is put into.
func testGroupsOfServers(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.ListServerSecurityGroups.Spec(), canonical.AddServerSecurityGroup.Spec())
	g := k.group()
	id := k.server("groups")
	in := func() bool {
		all := do(k, canonical.ListServerSecurityGroups, canonical.ServerSecurityGroupList{ID: id}).Items
		return slices.ContainsFunc(all, func(of canonical.SecurityGroup) bool { return of.ID == g.ID })
	}
	do(k, canonical.AddServerSecurityGroup, canonical.ServerSecurityGroupAdd{ID: id, Group: g.ID})
	if !in() {
		k.errorf("the server is not in the group that it was put into")
	}
	k.code("security_group.delete in use", try(k, canonical.DeleteSecurityGroup, canonical.SecurityGroupDelete{ID: g.ID}), canonical.FailedPrecondition)
	do(k, canonical.RemoveServerSecurityGroup, canonical.ServerSecurityGroupRemove{ID: id, Group: g.ID})
	if in() {
		k.errorf("the server is in the group that it was taken from")
	}
	not := try(k, canonical.RemoveServerSecurityGroup, canonical.ServerSecurityGroupRemove{ID: id, Group: g.ID})
	k.code("the second server.remove_security_group", not, canonical.NotFound)
}
