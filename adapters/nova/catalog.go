package nova

import (
	"cmp"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// services are what the dialect's rows name, and how an endpoint of each becomes
// the base that the rows' paths go below.
var services = map[string]func(url, project string) string{
	"compute": computeBase,
	"image":   func(url, _ string) string { return strings.TrimSuffix(url, "/v2") },
	"network": func(url, _ string) string { return strings.TrimSuffix(url, "/v2.0") },
}

// computeBase ends in /v2.1: old catalogs put the project behind it, some name no
// version.
func computeBase(url, project string) string {
	url = strings.TrimSuffix(url, "/"+project)
	url = strings.TrimSuffix(url, "/AUTH_"+project)
	if !strings.HasSuffix(url, "/v2.1") {
		url = strings.TrimSuffix(url, "/v2") + "/v2.1"
	}
	return url
}

// bases are the services that the catalog has, in the configured region.
func (c *conn) bases(catalog *tokens.ServiceCatalog, project string) map[string]string {
	found := make(map[string]string, len(services))
	for service, base := range services {
		opts := gophercloud.EndpointOpts{
			Region: c.region, Availability: gophercloud.Availability(cmp.Or(c.iface, "public")),
		}
		opts.ApplyDefaults(service)
		if url, err := openstack.V3EndpointURL(catalog, opts); err == nil {
			found[service] = base(strings.TrimRight(url, "/"), project)
		}
	}
	return found
}

func (c *conn) missing(service string) error {
	where := ""
	if c.region != "" {
		where = " in region " + c.region
	}
	return canonical.Errorf(canonical.UpstreamError, "the cloud's catalog has no %s endpoint for the %s service%s",
		cmp.Or(c.iface, "public"), service, where)
}
