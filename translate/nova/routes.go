package nova

import (
	"slices"

	"github.com/dragoman-cloud/dragoman/translate"
)

// Table is the OpenStack dialect. Each call makes a new one, to be changed freely.
func Table() *translate.Table {
	return &translate.Table{
		Dialect: "nova",
		Rows: slices.Concat(
			versionRoutes(), metadataRoutes(), tagRoutes(), serverRoutes(), actionRoutes(), lifecycleRoutes(), migrateRoutes(), serverImageRoutes(), lookRoutes(), flavorRoutes(), keypairRoutes(), zoneRoutes(),
			imageRoutes(), imageWriteRoutes(), networkRoutes(), flavorWriteRoutes(), flavorSpecRoutes(), hypervisorRoutes(), limitsRoutes(),
			volumeServiceRoutes(), volumeRoutes(), itemsRoutes(), volumeTypeRoutes(), volumeSnapshotRoutes(), volumeAttachmentRoutes(),
			hypervisorViewRoutes(), aggregateRoutes(), serviceRoutes(), serverGroupRoutes(), eventRoutes(), migrationRoutes(), quotaRoutes(), imageMemberRoutes(),
			interfaceRoutes(), networkActionRoutes(),
		),
		Negotiate: negotiate, Version: setVersion, HearError: hearError, SayError: sayError, Headers: setHeaders,
	}
}
