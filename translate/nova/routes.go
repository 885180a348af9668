package nova

import (
	"regexp"
	"slices"

	"github.com/dragoman-cloud/dragoman/translate"
)

// inProject is a path that names the caller's project first, as old catalogs have it.
var inProject = regexp.MustCompile(`^/(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(/.+?)/?$`)

// shorten leaves the project out of compute's paths: the token says it.
func shorten(req *translate.Request) {
	if m := inProject.FindStringSubmatch(req.Path); m != nil && req.Service == "compute" {
		req.Path = m[1]
	}
}

// Table is the OpenStack dialect. Each call makes a new one, to be changed freely.
func Table() *translate.Table {
	return &translate.Table{
		Dialect: "nova",
		Rows: slices.Concat(
			versionRoutes(), metadataRoutes(), tagRoutes(), serverRoutes(), actionRoutes(), lifecycleRoutes(), migrateRoutes(), serverImageRoutes(), lookRoutes(), flavorRoutes(), keypairRoutes(), zoneRoutes(),
			imageRoutes(), imageWriteRoutes(), networkRoutes(), flavorWriteRoutes(), flavorSpecRoutes(), proxyRoutes(), hypervisorRoutes(), limitsRoutes(),
			volumeServiceRoutes(), volumeRoutes(), itemsRoutes(), volumeTypeRoutes(), volumeSnapshotRoutes(), volumeAttachmentRoutes(),
			hypervisorViewRoutes(), aggregateRoutes(), serviceRoutes(), serverGroupRoutes(), eventRoutes(), migrationRoutes(), quotaRoutes(), usageRoutes(), imageMemberRoutes(), imageDocuments(),
			interfaceRoutes(), networkActionRoutes(), networkQuotaRoutes(),
		),
		Shorten: shorten, Negotiate: negotiate, Version: setVersion, HearError: hearError, SayError: sayError, Headers: setHeaders,
	}
}
