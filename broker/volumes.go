package broker

import (
	"context"
	"reflect"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// inherit adds to the owners those of volumes that nobody has made: the cloud made such
// a one for a server, and it belongs to whose the server is.
func (v *view) inherit(ctx context.Context, volumes reflect.Value, owners map[canonical.ID]string) error {
	of := map[canonical.ID]canonical.ID{}
	var servers []canonical.ID
	for i := range volumes.Len() {
		t, ok := volumes.Index(i).Interface().(canonical.Volume)
		if ok && owners[t.ID] == "" && len(t.Attachments) > 0 {
			of[t.ID] = t.Attachments[0].Server
			servers = append(servers, t.Attachments[0].Server)
		}
	}
	if len(servers) == 0 {
		return nil
	}
	tenants, err := v.b.Store.Owners(ctx, v.m.Name, "server", servers)
	for volume, server := range of {
		if tenant := tenants[server]; tenant != "" {
			owners[volume] = tenant
		}
	}
	return err
}

// noteVolumes notes for good whose the volumes are that a cloud made for new servers:
// they may outlive them.
func (v *view) noteVolumes(ctx context.Context, result any) {
	made, ok := result.(canonical.ServersCreated)
	if !ok || !v.shared {
		return
	}
	for _, s := range made.Servers {
		if s.Tenant == nil {
			continue
		}
		for _, vol := range s.Volumes {
			v.warn("note the owner of a volume", v.b.Store.Adopt(context.WithoutCancel(ctx), v.m.Name, "volume", vol.ID, *s.Tenant))
		}
	}
}
