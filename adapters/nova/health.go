package nova

import (
	"github.com/dragoman-cloud/dragoman/canonical"
)

// spoken are the versions of the services that have only one that we speak.
var spoken = map[string]string{"image": "2", "network": "2.0"}

var _ canonical.Healther = (*conn)(nil)

// Health implements canonical.Healther: the transport's, with the versions that have
// been discovered. An account that cannot log in is down, however well the cloud is.
func (c *conn) Health() canonical.Health {
	h := c.transport.Health()
	login, since, failed := c.keeper.state()
	if failed != nil {
		h.Status, h.Detail, h.Since = canonical.CloudDown, canonical.AsError(failed).Detail, since
	}
	if login == nil {
		return h
	}
	h.Versions["identity"] = "3"
	for service := range login.bases {
		if v, ok := spoken[service]; ok {
			h.Versions[service] = v
		}
	}
	if w := c.windows.last("compute"); !w.Max.IsZero() {
		h.Versions["compute"] = w.Min.String() + "-" + w.Max.String()
	}
	return h
}
