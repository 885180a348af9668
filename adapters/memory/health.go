package memory

import "github.com/dragoman-cloud/dragoman/canonical"

var _ canonical.Healther = (*Cloud)(nil)

// Health implements canonical.Healther: the cloud is as the last call found it. A
// fault of code Unavailable says that it is down, one of Timeout or UpstreamError
// that it is degraded; other faults are answers.
func (c *Cloud) Health() canonical.Health {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.health
	h.Versions = map[string]string{}
	return h
}

// feel notes how a call went.
func (c *Cloud) feel(fault error) {
	status, detail := canonical.CloudUp, ""
	switch canonical.CodeOf(fault) { //nolint:exhaustive // the other codes are answers of a cloud that is well
	case canonical.Unavailable:
		status = canonical.CloudDown
	case canonical.Timeout, canonical.UpstreamError:
		status = canonical.CloudDegraded
	}
	if status != canonical.CloudUp {
		detail = canonical.AsError(fault).Detail
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if status != c.health.Status {
		c.health.Since = c.now()
	}
	c.health.Status, c.health.Detail = status, detail
}
