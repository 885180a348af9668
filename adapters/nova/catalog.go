package nova

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// kinds are the types in the catalog of the services that have another name there.
var kinds = map[string]string{"volume": "block-storage", "volume-root": "block-storage"}

// optional are the services that clouds may lack.
var optional = map[string]bool{"volume": true, "volume-root": true}

// services are what the dialect's rows name, and how an endpoint of each becomes
// the base that the rows' paths go below.
var services = map[string]func(url, project string) string{
	"compute": computeBase,
	"image":   func(url, _ string) string { return strings.TrimSuffix(url, "/v2") },
	"network": func(url, _ string) string { return strings.TrimSuffix(url, "/v2.0") },
	"volume":  volumeBase,
	"volume-root": func(url, project string) string {
		base := volumeBase(url, project)
		return base[:strings.LastIndex(base, "/v3")+len("/v3")]
	},
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

// volumeBase ends in /v3 or, as older catalogs have it, in the project behind that.
func volumeBase(url, _ string) string {
	if strings.HasSuffix(url, "/v3") || strings.Contains(url, "/v3/") {
		return url
	}
	return url + "/v3"
}

// bases are the services that the catalog has, in the configured region.
func (c *conn) bases(catalog *tokens.ServiceCatalog, project string) map[string]string {
	found := make(map[string]string, len(services))
	for service, base := range services {
		opts := gophercloud.EndpointOpts{
			Region: c.region, Availability: gophercloud.Availability(cmp.Or(c.iface, "public")),
		}
		opts.ApplyDefaults(cmp.Or(kinds[service], service))
		opts.Aliases = slices.DeleteFunc(opts.Aliases, former)
		if url, err := openstack.V3EndpointURL(catalog, opts); err == nil {
			found[service] = base(strings.TrimRight(url, "/"), project)
		}
	}
	return found
}

// former are names of services by which a catalog may list versions that are gone.
func former(kind string) bool { return kind == "volume" || kind == "volumev2" || kind == "block-store" }

func (c *conn) missing(service string) error {
	code := canonical.UpstreamError
	if optional[service] {
		code = canonical.Unsupported
	}
	where := ""
	if c.region != "" {
		where = " in region " + c.region
	}
	return canonical.Errorf(code, "the cloud's catalog has no %s endpoint for the %s service%s",
		cmp.Or(c.iface, "public"), service, where)
}
