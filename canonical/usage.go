package canonical

import "time"

// ListUsages tells what projects used of a cloud over a time, from what their servers,
// the deleted ones too, have.
var ListUsages = op[UsageList, Page[Usage]]("usage.list", Read, "GET /v1/usages")

// Usage is what the servers of a project used over a time: each amount times the hours
// for which it was there.
type Usage struct {
	ID           ID            `json:"id"` // of the project
	Cloud        string        `json:"cloud"`
	Project      Project       `json:"project"`
	Start        time.Time     `json:"start"`
	End          time.Time     `json:"end"` // not after now
	ServerHours  float64       `json:"server_hours"`
	VCPUHours    float64       `json:"vcpu_hours"`
	RAMMiBHours  float64       `json:"ram_mib_hours"`
	DiskGiBHours float64       `json:"disk_gib_hours"`
	Servers      []ServerUsage `json:"servers"`
}

// ServerUsage is one server's part of a usage.
type ServerUsage struct {
	ID        ID           `json:"id" of:"server"`
	Name      string       `json:"name"`
	Flavor    string       `json:"flavor"` // its name
	VCPUs     int          `json:"vcpus"`
	RAMMiB    int          `json:"ram_mib"`
	DiskGiB   int          `json:"disk_gib"` // root and ephemeral
	Status    ServerStatus `json:"status"`   // deleted: it is gone
	StartedAt *time.Time   `json:"started_at"`
	EndedAt   *time.Time   `json:"ended_at"`
	UptimeS   int          `json:"uptime_s"` // since it was started, whenever that was
	Hours     float64      `json:"hours"`    // within the time that was asked about
}

// ListKeys implements Listed.
func (u Usage) ListKeys() (ID, string, string) { return u.ID, string(u.Project), "" }

// Of is the usage with these servers alone, and what they used together.
func (u Usage) Of(servers []ServerUsage) Usage {
	u.Servers = servers
	u.ServerHours, u.VCPUHours, u.RAMMiBHours, u.DiskGiBHours = 0, 0, 0, 0
	for _, s := range servers {
		u.ServerHours += s.Hours
		u.VCPUHours += float64(s.VCPUs) * s.Hours
		u.RAMMiBHours += float64(s.RAMMiB) * s.Hours
		u.DiskGiBHours += float64(s.DiskGiB) * s.Hours
	}
	return u
}

// UsageList asks what was used from Start to End. A project that used nothing then is not
// in the list.
type UsageList struct {
	ListOptions
	Project Project `json:"-" query:"project" doc:"Only this project: a tenant, or own; all are for operators"`
	Start   string  `json:"-" query:"start" doc:"Time as in RFC 3339; four weeks before the end if not given"`
	End     string  `json:"-" query:"end" doc:"Time as in RFC 3339; now if not given"`
}

// usualUsage is the time of a list that says none.
const usualUsage = 4 * 7 * 24 * time.Hour

// Span is the time that is asked about, as of now.
func (r UsageList) Span(now time.Time) (start, end time.Time, err error) {
	end = now.UTC()
	if r.End != "" {
		if end, err = time.Parse(time.RFC3339, r.End); err != nil {
			return start, end, Invalid("end", "must be a time as in RFC 3339")
		}
	}
	start = end.Add(-usualUsage)
	if r.Start != "" {
		if start, err = time.Parse(time.RFC3339, r.Start); err != nil {
			return start, end, Invalid("start", "must be a time as in RFC 3339")
		}
	}
	if !start.Before(end) {
		return start, end, Invalid("start", "must be before the end")
	}
	return start.UTC(), end.UTC(), nil
}

// Validate implements the check of requests.
func (r UsageList) Validate() error {
	if _, _, err := r.Span(time.Now()); err != nil {
		return err
	}
	return r.ListOptions.Validate()
}
