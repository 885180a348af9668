package broker_test

import (
	"testing"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/broker"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// things are what one tenant has on a shared account, one of each kind.
type things struct {
	keypair                                                            string
	image, network, subnet, port, group, serverGroup, volume, snapshot canonical.ID
}

// made is the result of a request that has to succeed.
func made[Req, Res any](t *testing.T, b *broker.Broker, tenant string, op canonical.Op[Req, Res], req Req) Res {
	t.Helper()
	ctx := as(t, tenant)
	if tenant == "admins" {
		ctx = role(t, tenant, canonical.Admin)
	}
	r, err := op.Do(ctx, b, req)
	if err != nil {
		t.Fatalf("%s: %v", op.Spec().Name, err)
	}
	if r.Task != nil {
		eventually(t, op.Spec().Name+" ends", func() bool {
			o, err := canonical.GetOperation.Do(ctx, b, canonical.OperationGet{ID: r.Task.Job})
			return err == nil && o.Result.Status == canonical.OperationSucceeded
		})
	}
	return r.Result
}

func thingsOf(t *testing.T, b *broker.Broker, tenant string) (out things) {
	t.Helper()
	out.keypair = made(t, b, tenant, canonical.CreateKeypair, canonical.KeypairCreate{Name: tenant + " key"}).Name
	out.image = made(t, b, tenant, canonical.CreateImage, canonical.ImageCreate{Name: "private", DiskFormat: "raw", ContainerFormat: "bare"}).ID
	out.network = made(t, b, tenant, canonical.CreateNetwork, canonical.NetworkCreate{Name: tenant + " net"}).ID
	out.subnet = made(t, b, tenant, canonical.CreateSubnet, canonical.SubnetCreate{Network: canonical.Ref(out.network), CIDR: "10.9.0.0/24"}).ID
	out.port = made(t, b, tenant, canonical.CreatePort, canonical.PortCreate{Network: canonical.Ref(out.network)}).ID
	out.group = made(t, b, tenant, canonical.CreateSecurityGroup, canonical.SecurityGroupCreate{Name: tenant + " group"}).ID
	out.serverGroup = made(t, b, tenant, canonical.CreateServerGroup, canonical.ServerGroupCreate{Name: tenant, Policy: canonical.Affinity}).ID
	out.volume = made(t, b, tenant, canonical.CreateVolume, canonical.VolumeCreate{Name: tenant + " volume", SizeGiB: 1}).ID
	out.snapshot = made(t, b, tenant, canonical.CreateVolumeSnapshot, canonical.VolumeSnapshotCreate{Name: tenant + " snap", Volume: canonical.Ref(out.volume)}).ID
	return out
}

// On an account of several tenants a request refers to nothing of another tenant's: it
// is not there, as it is not when it is asked for.
func TestReferencesToOthersThings(t *testing.T) {
	b := open(t, member("m1", memory.New(memory.Options{})))
	plain := request(t, b, "")
	others, own := thingsOf(t, b, "admins"), thingsOf(t, b, "acme")
	pool := made(t, b, "acme", canonical.ListNetworks, canonical.NetworkList{}).Items
	server := create(as(t, "acme"), t, b, plain).Resources[0].ID
	create := func(change func(*canonical.ServerCreate, things)) func(things) error {
		return func(of things) error {
			r := plain
			change(&r, of)
			_, err := canonical.CreateServer.Do(as(t, "acme"), b, r)
			return err
		}
	}
	networks := func(n canonical.NetworkChoice) canonical.Networks {
		return canonical.Networks{Mode: canonical.NetworksList, List: []canonical.NetworkChoice{n}}
	}
	for _, tt := range []struct {
		field string
		do    func(of things) error
	}{
		{"keypair", create(func(r *canonical.ServerCreate, of things) { r.Keypair = canonical.Ref(of.keypair) })},
		{"image", create(func(r *canonical.ServerCreate, of things) { r.Image = canonical.Ref(of.image) })},
		{"networks.0.network", create(func(r *canonical.ServerCreate, of things) {
			r.Networks = networks(canonical.NetworkChoice{Network: canonical.Ref(of.network)})
		})},
		{"networks.0.subnet", create(func(r *canonical.ServerCreate, of things) {
			r.Networks = networks(canonical.NetworkChoice{Network: canonical.Ref(own.network), Subnet: of.subnet})
		})},
		{"networks.0.interface", create(func(r *canonical.ServerCreate, of things) {
			r.Networks = networks(canonical.NetworkChoice{Interface: of.port})
		})},
		{"security_groups.0", create(func(r *canonical.ServerCreate, of things) {
			r.SecurityGroups = []canonical.Ref{canonical.Ref(of.group)}
		})},
		{"server_group", create(func(r *canonical.ServerCreate, of things) { r.ServerGroup = canonical.Ref(of.serverGroup) })},
		{"volumes.0.volume", create(func(r *canonical.ServerCreate, of things) {
			r.Volumes = []canonical.ServerVolumeCreate{{Volume: canonical.Ref(of.volume)}}
		})},
		{"volumes.0.snapshot", create(func(r *canonical.ServerCreate, of things) {
			r.Volumes = []canonical.ServerVolumeCreate{{Snapshot: canonical.Ref(of.snapshot), SizeGiB: 1}}
		})},
		{"keypair", func(of things) error {
			_, err := canonical.RebuildServer.Do(as(t, "acme"), b, canonical.ServerRebuild{
				ID: server, Image: plain.Image, Keypair: canonical.Some(canonical.Ref(of.keypair)),
			})
			return err
		}},
		{"interface", func(of things) error {
			_, err := canonical.AttachInterface.Do(as(t, "acme"), b, canonical.InterfaceAttach{ID: server, Interface: of.port})
			return err
		}},
		{"volume", func(of things) error {
			_, err := canonical.AttachVolume.Do(as(t, "acme"), b, canonical.VolumeAttach{ID: server, Volume: canonical.Ref(of.volume)})
			return err
		}},
		{"", func(of things) error {
			_, err := canonical.AddServerSecurityGroup.Do(as(t, "acme"), b, canonical.ServerSecurityGroupAdd{ID: server, Group: of.group})
			return err
		}},
		{"port", func(of things) error {
			_, err := canonical.CreateFloatingIP.Do(as(t, "acme"), b, canonical.FloatingIPCreate{Network: external(pool), Port: of.port})
			return err
		}},
		{"fixed_ips.0.subnet_id", func(of things) error {
			_, err := canonical.CreatePort.Do(as(t, "acme"), b, canonical.PortCreate{
				Network: canonical.Ref(own.network), FixedIPs: canonical.Some([]canonical.FixedIP{{SubnetID: of.subnet}}),
			})
			return err
		}},
	} {
		t.Run(tt.field, func(t *testing.T) {
			err := tt.do(others)
			e := canonical.AsError(err)
			switch {
			case tt.field == "" && canonical.CodeOf(err) == canonical.NotFound:
			case tt.field == "" || canonical.CodeOf(err) != canonical.InvalidRequest || len(e.Fields) != 1 || e.Fields[0].Field != tt.field:
				t.Errorf("another tenant's: %v", err)
			}
			if tt.field == "image" || tt.field == "port" {
				return // its own are refused for other reasons: it holds no bytes, no router is there
			}
			if err := tt.do(own); canonical.CodeOf(err) == canonical.InvalidRequest || canonical.CodeOf(err) == canonical.NotFound {
				t.Errorf("its own: %v", err)
			}
		})
	}
}

func external(all []canonical.Network) canonical.Ref {
	for _, n := range all {
		if n.External {
			return canonical.Ref(n.ID)
		}
	}
	return ""
}
