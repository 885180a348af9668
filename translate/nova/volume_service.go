package nova

import (
	"encoding/json"
	"strconv"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// The microversions of Cinder that this table speaks.
var (
	MinVolumeVersion = v3(0)
	MaxVolumeVersion = v3(70)
)

func volumeVersions(status int) func(env *translate.Env) (int, any) {
	return func(env *translate.Env) (int, any) {
		return status, versionsBody{[]versionEntry{{
			ID: "v3.0", Status: "CURRENT", Version: MaxVolumeVersion.String(), MinVersion: MinVolumeVersion.String(), Updated: "2022-08-31T00:00:00Z",
			Links:      []link{{Rel: "self", Href: env.Base("volume") + "/"}},
			MediaTypes: []mediaType{{"application/json", "application/vnd.openstack.volume+json;version=3"}},
		}}}
	}
}

type extension struct {
	Name        string `json:"name"`
	Alias       string `json:"alias"`
	Description string `json:"description"`
	Updated     string `json:"updated"`
	Links       []link `json:"links"`
}

type extensionsBody struct {
	Extensions []extension `json:"extensions"`
}

// volumeExtensions are those of Cinder's that the table has calls or fields of.
func volumeExtensions(*translate.Env) (int, any) {
	of := func(name, alias, description, updated string) extension {
		return extension{Name: name, Alias: alias, Description: description, Updated: updated, Links: []link{}}
	}
	return 200, extensionsBody{[]extension{
		of("AvailabilityZones", "os-availability-zone", "Describe Availability Zones.", "2013-06-27T00:00:00+00:00"),
		of("ExtendedSnapshotAttributes", "os-extended-snapshot-attributes", "Extended SnapshotAttributes support.", "2012-06-19T00:00:00+00:00"),
		of("Quotas", "os-quota-sets", "Quota management support.", "2011-08-08T00:00:00+00:00"),
		of("UsedLimits", "os-used-limits", "Provide data on limited resources that are being used.", "2013-10-03T00:00:00+00:00"),
		of("VolumeActions", "os-volume-actions", "Enable volume actions.", "2012-05-31T00:00:00+00:00"),
		of("VolumeTenantAttribute", "os-vol-tenant-attr", "Expose the internal project_id as an attribute of a volume.", "2011-11-03T00:00:00+00:00"),
	}}
}

type volumeLimitsBody struct {
	Limits volumeLimits `json:"limits"`
}

type volumeLimits struct {
	Rate     []any          `json:"rate" wire:"native"`
	Absolute volumeAbsolute `json:"absolute"`
}

// volumeAbsolute has -1 for what has no limit.
type volumeAbsolute struct {
	Volumes       *int `json:"maxTotalVolumes"`
	Snapshots     *int `json:"maxTotalSnapshots"`
	GiB           *int `json:"maxTotalVolumeGigabytes"`
	Backups       *int `json:"maxTotalBackups" wire:"native"`
	BackupGiB     *int `json:"maxTotalBackupGigabytes" wire:"native"`
	UsedVolumes   *int `json:"totalVolumesUsed"`
	UsedGiB       *int `json:"totalGigabytesUsed"`
	UsedSnapshots *int `json:"totalSnapshotsUsed"`
	UsedBackups   *int `json:"totalBackupsUsed" wire:"native"`
	UsedBackupGiB *int `json:"totalBackupGigabytesUsed" wire:"native"`
}

var volumeLimitsAnswer = translate.Answer[canonical.Limits, volumeLimitsBody]{
	Say: func(r canonical.TypedReply[canonical.Limits], _ *translate.Env, _ *translate.Response) (volumeLimitsBody, error) {
		l := r.Result
		return volumeLimitsBody{volumeLimits{Rate: []any{}, Absolute: volumeAbsolute{
			Volumes: orNone(l.Volumes), Snapshots: orNone(l.VolumeSnapshots), GiB: orNone(l.VolumeGiB), Backups: orZero(nil), BackupGiB: orZero(nil),
			UsedVolumes: orZero(l.VolumesUsed), UsedGiB: orZero(l.VolumeUsedGiB), UsedSnapshots: orZero(l.VolumeSnapshotsUsed),
			UsedBackups: orZero(nil), UsedBackupGiB: orZero(nil),
		}}}, nil
	},
	Hear: func(w volumeLimitsBody, _ *translate.Response, env *translate.Env) (canonical.Limits, error) {
		a := w.Limits.Absolute
		return canonical.Limits{
			ID: canonical.ID(firstOf(env.Project, "limits")), Volumes: limit(a.Volumes), VolumeSnapshots: limit(a.Snapshots), VolumeGiB: limit(a.GiB),
			VolumesUsed: a.UsedVolumes, VolumeUsedGiB: a.UsedGiB, VolumeSnapshotsUsed: a.UsedSnapshots,
		}, nil
	},
}

type volumeZone struct {
	Name  string    `json:"zoneName"`
	State zoneState `json:"zoneState"`
}

type volumeZonesBody struct {
	Zones []volumeZone `json:"availabilityZoneInfo"`
}

var volumeZonesAnswer = translate.List[canonical.AvailabilityZone, volumeZonesBody]{
	Say: func(p canonical.Page[canonical.AvailabilityZone], _ *translate.Env, _ *translate.Response) (volumeZonesBody, error) {
		w := volumeZonesBody{make([]volumeZone, len(p.Items))}
		for i, z := range p.Items {
			w.Zones[i] = volumeZone{z.Name, zoneState{z.Available}}
		}
		return w, nil
	},
	Hear: func(w volumeZonesBody, _ *translate.Response, _ *translate.Env) ([]canonical.AvailabilityZone, error) {
		out := make([]canonical.AvailabilityZone, len(w.Zones))
		for i, z := range w.Zones {
			out[i] = canonical.AvailabilityZone{ID: canonical.ID(z.Name), Name: z.Name, Available: z.State.Available, Hosts: words.List[string](nil)}
		}
		return out, nil
	},
}

// volumeQuotaBody is the limits of a project in another form: numbers, or with their use.
type volumeQuotaBody struct {
	Quota volumeQuota `json:"quota_set"`
}

type volumeQuota struct {
	ID        string    `json:"id"`
	Volumes   quotaItem `json:"volumes"`
	Snapshots quotaItem `json:"snapshots"`
	GiB       quotaItem `json:"gigabytes"`
	PerVolume quotaItem `json:"per_volume_gigabytes" wire:"native"`
	Backups   quotaItem `json:"backups" wire:"native"`
	BackupGiB quotaItem `json:"backup_gigabytes" wire:"native"`
	Groups    quotaItem `json:"groups" wire:"native"`
}

// quotaItem is one limit, -1 where there is none.
type quotaItem struct {
	Limit    int  `json:"limit"`
	InUse    int  `json:"in_use"`
	Reserved int  `json:"reserved"`
	Use      bool `json:"-"` // it is said with its use
}

// MarshalJSON implements json.Marshaler.
func (q quotaItem) MarshalJSON() ([]byte, error) {
	if !q.Use {
		return json.Marshal(q.Limit)
	}
	type plain quotaItem
	return json.Marshal(plain(q))
}

// UnmarshalJSON implements json.Unmarshaler.
func (q *quotaItem) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] != '{' {
		return json.Unmarshal(b, &q.Limit)
	}
	type plain quotaItem
	q.Use = true
	return json.Unmarshal(b, (*plain)(q))
}

// used is what is used of it, where that is told.
func (q quotaItem) used() *int {
	if !q.Use {
		return nil
	}
	return &q.InUse
}

var askQuota = translate.Ask[canonical.LimitsGet, translate.NoBody]{
	Say: func(_ canonical.LimitsGet, env *translate.Env, to *translate.Request) (translate.NoBody, error) {
		to.Params["project"] = env.Project
		to.Query.Set("usage", "True")
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, from *translate.Request, env *translate.Env) (r canonical.LimitsGet, err error) {
		if of := from.Params["project"]; env.Project != "" && of != env.Project && from.Header != nil {
			return r, canonical.Errorf(canonical.Forbidden, "Policy doesn't allow volume_extension:quotas:show to be performed.")
		}
		return r, nil
	},
}

var volumeQuotaAnswer = translate.Answer[canonical.Limits, volumeQuotaBody]{
	Say: func(r canonical.TypedReply[canonical.Limits], env *translate.Env, _ *translate.Response) (volumeQuotaBody, error) {
		use := false
		if env.Wire != nil {
			use, _ = strconv.ParseBool(env.Wire.Query.Get("usage")) // anything else is no
		}
		item := func(limit, used *int) quotaItem {
			return quotaItem{Limit: *orNone(limit), InUse: *orZero(used), Use: use}
		}
		l, none := r.Result, 0
		return volumeQuotaBody{volumeQuota{
			ID: env.Project, Volumes: item(l.Volumes, l.VolumesUsed), Snapshots: item(l.VolumeSnapshots, l.VolumeSnapshotsUsed),
			GiB: item(l.VolumeGiB, l.VolumeUsedGiB), PerVolume: item(nil, nil), Backups: item(&none, nil), BackupGiB: item(&none, nil), Groups: item(&none, nil),
		}}, nil
	},
	Hear: func(w volumeQuotaBody, _ *translate.Response, env *translate.Env) (canonical.Limits, error) {
		q := w.Quota
		return canonical.Limits{
			ID: canonical.ID(firstOf(q.ID, env.Project, "limits")), Volumes: limit(&q.Volumes.Limit), VolumesUsed: q.Volumes.used(),
			VolumeSnapshots: limit(&q.Snapshots.Limit), VolumeSnapshotsUsed: q.Snapshots.used(), VolumeGiB: limit(&q.GiB.Limit), VolumeUsedGiB: q.GiB.used(),
		}, nil
	},
}

func volumeServiceRoutes() []translate.Route {
	document := func(id, service, path string, f func(*translate.Env) (int, any)) translate.Route {
		return translate.Route{ID: id, Service: service, Method: "GET", Path: path, Static: f, Open: true}
	}
	return []translate.Route{
		document("cinder.version.list", "volume-root", "", volumeVersions(300)),
		document("cinder.version.list_slash", "volume-root", "/", volumeVersions(300)),
		document("cinder.version.show", "volume", "", volumeVersions(200)),
		document("cinder.version.show_slash", "volume", "/", volumeVersions(200)),
		{ID: "cinder.extension.list", Service: "volume", Method: "GET", Path: "/extensions", Static: volumeExtensions},
		{
			ID: "cinder.limits.show", Service: "volume", Method: "GET", Path: "/limits", Op: canonical.GetLimits.Spec(), Can: never,
			Ask: askNothing[canonical.LimitsGet](), Answer: volumeLimitsAnswer, Status: 200,
		},
		{
			ID: "cinder.quota.show", Service: "volume", Method: "GET", Path: "/os-quota-sets/{project}", Op: canonical.GetLimits.Spec(), Can: never,
			Ask: askQuota, Answer: volumeQuotaAnswer, Status: 200,
		},
		{
			ID: "cinder.availability_zone.list", Service: "volume", Method: "GET", Path: "/os-availability-zone",
			Op: canonical.ListAvailabilityZones.Spec(), Can: never, Ask: askZones, Answer: volumeZonesAnswer, Status: 200,
		},
	}
}

// askNothing asks without any word.
func askNothing[Req any]() translate.Ask[Req, translate.NoBody] {
	return translate.Ask[Req, translate.NoBody]{
		Say: func(Req, *translate.Env, *translate.Request) (translate.NoBody, error) {
			return translate.NoBody{}, nil
		},
		Hear: func(translate.NoBody, *translate.Request, *translate.Env) (r Req, err error) {
			return r, nil
		},
	}
}
