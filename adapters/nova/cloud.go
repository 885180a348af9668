package nova

import (
	"context"

	"github.com/dragoman-cloud/dragoman/adapters/wire"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// Cloud is one account of a cloud. Its ids are native.
type Cloud struct {
	*wire.Cloud
	conn  *conn
	table *translate.Table
}

var (
	_ canonical.Cloud     = (*Cloud)(nil)
	_ canonical.Projecter = (*Cloud)(nil)
)

// Open is the cloud in the dialect of table: that of package translate/nova, or one
// that is made of it. It asks the cloud nothing yet; what is wrong with o itself is
// InvalidRequest. Close it when it is not used any more.
func Open(o Options, table *translate.Table) (*Cloud, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	conn := newConn(o)
	c := &Cloud{Cloud: wire.New(table, conn), conn: conn, table: table}
	canonical.HandleIf(&c.Mux, canonical.CreateServer, like(c, canonical.CreateServer), c.createServers)
	canonical.HandleIf(&c.Mux, canonical.UpdateServer, like(c, canonical.UpdateServer), c.updateServer)
	canonical.HandleIf(&c.Mux, canonical.MergeMetadata, like(c, canonical.MergeMetadata), c.mergeMetadata)
	canonical.HandleIf(&c.Mux, canonical.CheckTag, like(c, canonical.CheckTag), c.checkTag)
	canonical.HandleIf(&c.Mux, canonical.AddTag, like(c, canonical.AddTag), c.addTag)
	canonical.HandleIf(&c.Mux, canonical.RemoveTag, like(c, canonical.RemoveTag), c.removeTag)
	c.handleActions()
	canonical.HandleIf(&c.Mux, canonical.RebuildServer, like(c, canonical.RebuildServer), c.rebuildServer)
	canonical.HandleIf(&c.Mux, canonical.UploadImage, like(c, canonical.UploadImage), c.uploadImage)
	canonical.HandleIf(&c.Mux, canonical.MergeFlavorExtraSpecs, like(c, canonical.MergeFlavorExtraSpecs), c.mergeExtraSpecs)
	canonical.HandleIf(&c.Mux, canonical.SetFlavorExtraSpec, like(c, canonical.SetFlavorExtraSpec), c.setExtraSpec)
	canonical.HandleIf(&c.Mux, canonical.CreateFlavor, like(c, canonical.CreateFlavor), c.createFlavor)
	canonical.HandleIf(&c.Mux, canonical.UpdateVolume, like(c, canonical.UpdateVolume), c.updateVolume)
	canonical.HandleIf(&c.Mux, canonical.ExtendVolume, like(c, canonical.ExtendVolume), c.extendVolume)
	canonical.HandleIf(&c.Mux, canonical.UpdateVolumeSnapshot, like(c, canonical.UpdateVolumeSnapshot), c.updateVolumeSnapshot)
	canonical.HandleIf(&c.Mux, canonical.UpdateVolumeAttachment, like(c, canonical.UpdateVolumeAttachment), c.updateAttachment)
	canonical.HandleIf(&c.Mux, canonical.GetLimits, like(c, canonical.GetLimits), c.getLimits)
	canonical.HandleIf(&c.Mux, canonical.ListServerAddresses, like(c, canonical.GetServer), c.listAddresses)
	return c, nil
}

// Close gives back idle connections, if they are this account's own. Calls under
// way go on.
func (c *Cloud) Close() {
	if !c.conn.shared {
		c.conn.transport.Close()
	}
}

// Project implements canonical.Projecter.
func (c *Cloud) Project(ctx context.Context) (canonical.Project, error) {
	l, err := c.conn.keeper.get(ctx, "")
	if err != nil {
		return "", err
	}
	return canonical.Project(l.project), nil
}
