package nova

import (
	"maps"
	"slices"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// hearServer is the canonical server; what an older cloud does not tell stays empty.
func hearServer(w server, env *translate.Env) canonical.Server {
	s := canonical.Server{
		ID: canonical.ID(w.ID), Name: w.Name, Description: ptr(w.Description), Kind: canonical.VM,
		Status: words.HearStatus(w.Status), NativeStatus: w.Status, Power: words.HearPower(w.PowerState.Or(0)),
		Task: words.Filled(w.TaskState.Or("")), Flavor: hearServerFlavor(w.Flavor, env),
		Addresses: hearAddresses(w.Addresses), AccessIPv4: words.Filled(w.AccessIPv4), AccessIPv6: words.Filled(w.AccessIPv6),
		Volumes: hearVolumes(w.Volumes.Or(nil)), SecurityGroups: hearGroups(w.Groups),
		Keypair: words.Filled(w.KeyName.Or("")), Metadata: dict(w.Metadata), Tags: words.List(w.Tags.Or(nil)),
		Locked: w.Locked.Or(false), LockReason: ptr(w.LockedReason), ConfigDrive: bool(w.ConfigDrive.Or(false)),
		AvailabilityZone: words.Filled(w.Zone.Or("")), Host: ptr(w.Host), HostStatus: words.Filled(w.HostStatus.Or("")),
		HypervisorHostname: ptr(w.Hypervisor), InstanceName: words.Filled(w.Instance.Or("")), HostID: words.Filled(w.HostID),
		ProjectID: words.Filled(w.TenantID), UserID: words.Filled(w.UserID),
		CreatedAt: words.Time(w.Created), UpdatedAt: words.Time(w.Updated),
		LaunchedAt: words.Time(w.Launched.Or("")), TerminatedAt: words.Time(w.Terminated.Or("")),
	}
	if w.Progress != nil {
		s.Progress = *w.Progress
	}
	if w.Image.ID != "" {
		s.Image = &canonical.Link{ID: canonical.ID(w.Image.ID)}
	}
	hearBin(w, &s)
	if f := w.Fault; f != nil {
		s.Fault = &canonical.Fault{Code: f.Code, Message: f.Message, Details: f.Details, At: words.Time(f.Created)}
	}
	if env.Native {
		s.Native = serverNative(w)
	}
	return s
}

// serverNative holds the fields that have no canonical place.
func serverNative(w server) map[string]any {
	n := map[string]any{}
	put(n, "OS-EXT-SRV-ATTR:reservation_id", w.Reservation)
	put(n, "OS-EXT-SRV-ATTR:launch_index", w.LaunchIndex)
	put(n, "OS-EXT-SRV-ATTR:hostname", w.Hostname)
	put(n, "OS-EXT-SRV-ATTR:kernel_id", w.KernelID)
	put(n, "OS-EXT-SRV-ATTR:ramdisk_id", w.RamdiskID)
	put(n, "OS-EXT-SRV-ATTR:root_device_name", w.RootDevice)
	put(n, "trusted_image_certificates", w.TrustedCerts)
	put(n, "server_groups", w.ServerGroups)
	put(n, "share_network", w.ShareNetwork)
	if w.DiskConfig != "" {
		n["OS-DCF:diskConfig"] = w.DiskConfig
	}
	return n
}

func put[T any](n map[string]any, key string, o canonical.Opt[T]) {
	if got, ok := o.Get(); ok {
		n[key] = got
	}
}

func hearServerFlavor(w serverFlavor, env *translate.Env) canonical.ServerFlavor {
	f := canonical.ServerFlavor{
		Name: w.OriginalName, VCPUs: w.VCPUs, RAMMiB: w.RAM, DiskGiB: w.Disk, EphemeralGiB: w.Ephemeral,
		SwapMiB: w.Swap, ExtraSpecs: dict(w.ExtraSpecs.Or(nil)),
	}
	known, _ := translate.Fact[flavorIndex](env, factFlavors)
	switch {
	case w.ID != nil:
		id := canonical.ID(*w.ID)
		f.ID = &id
		if k, ok := known.byID[id]; ok && f.Name == nil {
			f.Name, f.VCPUs, f.RAMMiB, f.DiskGiB = &k.Name, &k.VCPUs, &k.RAMMiB, &k.DiskGiB
			f.EphemeralGiB, f.SwapMiB, f.ExtraSpecs = &k.EphemeralGiB, &k.SwapMiB, dict(k.ExtraSpecs)
		}
	case w.OriginalName != nil:
		if k, ok := known.byName[*w.OriginalName]; ok {
			f.ID = &k.ID
		}
	}
	return f
}

func hearAddresses(w map[string][]address) []canonical.Address {
	out := []canonical.Address{}
	for _, network := range slices.Sorted(maps.Keys(w)) {
		for _, a := range w[network] {
			kind := canonical.FixedAddress
			if words.Or(a.Type, "") == "floating" {
				kind = canonical.FloatingAddress
			}
			out = append(out, canonical.Address{Network: network, IP: a.Addr, Version: a.Version, MAC: a.MAC, Kind: kind})
		}
	}
	return out
}

func hearVolumes(w []volumeAttached) []canonical.ServerVolume {
	out := make([]canonical.ServerVolume, len(w))
	for i, vol := range w {
		out[i] = canonical.ServerVolume{ID: canonical.ID(vol.ID), DeleteWithServer: vol.Delete}
	}
	return out
}

// hearGroups takes the names for ids: Nova accepts either and tells only names.
func hearGroups(w []named) []canonical.Link {
	out := make([]canonical.Link, len(w))
	for i, g := range w {
		out[i] = canonical.Link{ID: canonical.ID(g.Name), Name: &g.Name}
	}
	return out
}

// shape is which of Nova's views of a server is said.
type shape int

const (
	shown   shape = iota // GET of one
	listed               // in /servers/detail: without server groups
	changed              // PUT and rebuild: the basic fields only below 2.75
)

// sayServer is Nova's server as the caller's role may see it.
func sayServer(s canonical.Server, env *translate.Env, as shape) server {
	full := as != changed || env.Version.IsZero() || env.Version.AtLeast(v(75))
	w := server{
		ID: string(s.ID), Name: s.Name, Status: words.SayStatus(s.Status, s.NativeStatus),
		TenantID: firstOf(env.Owner(s.Tenant), words.Or(s.ProjectID, ""), env.Project), UserID: firstOf(words.Or(s.UserID, ""), env.User),
		Metadata: dict(s.Metadata), HostID: words.Or(s.HostID, ""), Flavor: sayServerFlavor(s.Flavor, env),
		Created: words.Stamp(s.CreatedAt, zoned), Updated: words.Stamp(s.UpdatedAt, zoned),
		Addresses: sayAddresses(s.Addresses, full), AccessIPv4: words.Or(s.AccessIPv4, ""), AccessIPv6: words.Or(s.AccessIPv6, ""),
		Links: linksOf(env, "servers", string(s.ID)), DiskConfig: kept(s.Native, "OS-DCF:diskConfig", "MANUAL"),
		Locked: canonical.Some(s.Locked), LockedReason: opt(s.LockReason), Description: opt(s.Description),
		Tags: canonical.Some(words.List(s.Tags)), TrustedCerts: keptOrNull[[]string](s.Native, "trusted_image_certificates"),
	}
	if s.UpdatedAt == nil {
		w.Updated = w.Created
	}
	sayBin(&w, s)
	if s.Image != nil && s.Image.ID != "" {
		w.Image = serverImage{string(s.Image.ID), []link{bookmark(env, "images", string(s.Image.ID))}}
	}
	sayProgress(&w, s, env)
	if full {
		sayExtended(&w, s, env)
		if as != listed {
			w.ServerGroups = canonical.Some(kept(s.Native, "server_groups", []string{}))
		}
	}
	return w
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// keptOrNull is a native field that came with the same dialect, or null.
func keptOrNull[T any](native map[string]any, key string) canonical.Opt[T] {
	if got, ok := native[key].(T); ok {
		return canonical.Some(got)
	}
	return canonical.Null[T]()
}

// sayProgress sets progress in the states that have it, and the fault in those that
// have that.
func sayProgress(w *server, s canonical.Server, env *translate.Env) {
	switch w.Status {
	case "ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING":
		w.Progress = &s.Progress
	case "ERROR", "DELETED":
		if f := s.Fault; f != nil {
			w.Fault = &fault{Code: f.Code, Message: f.Message, Created: words.Stamp(f.At, zoned)}
			if env.Role.AtLeast(canonical.Operator) {
				w.Fault.Details = f.Details
			}
		}
	}
}

// sayExtended sets what Nova's extensions add.
func sayExtended(w *server, s canonical.Server, env *translate.Env) {
	w.Zone = canonical.Some(words.Or(s.AvailabilityZone, ""))
	w.ConfigDrive = canonical.Some(flag(s.ConfigDrive))
	w.KeyName = opt(s.Keypair)
	w.Launched, w.Terminated = sayOptTime(s.LaunchedAt, naive), sayOptTime(s.TerminatedAt, naive)
	w.TaskState = opt(s.Task)
	w.VMState = canonical.Some(sayVMState(s.Status))
	w.PowerState = canonical.Some(words.SayPower(s.Power))
	w.Volumes = canonical.Some(sayVolumes(s.Volumes, env))
	for _, g := range s.SecurityGroups {
		w.Groups = append(w.Groups, named{firstOf(words.Or(g.Name, ""), string(g.ID))})
	}
	w.MACs = canonical.Some(macs(s.Addresses))
	operator := env.Role.AtLeast(canonical.Operator)
	if operator || env.Version.AtLeast(v(90)) {
		w.Hostname = canonical.Some(kept(s.Native, "OS-EXT-SRV-ATTR:hostname", hostname(s.Name)))
	}
	if operator {
		sayAttributes(w, s)
	}
}

// sayAttributes sets what only operators see.
func sayAttributes(w *server, s canonical.Server) {
	w.Host, w.Hypervisor = opt(s.Host), opt(s.HypervisorHostname)
	w.Instance = canonical.Some(words.Or(s.InstanceName, ""))
	w.HostStatus = canonical.Some(words.Or(s.HostStatus, ""))
	w.Reservation = canonical.Some(kept(s.Native, "OS-EXT-SRV-ATTR:reservation_id", ""))
	w.LaunchIndex = canonical.Some(kept(s.Native, "OS-EXT-SRV-ATTR:launch_index", 0))
	w.KernelID = canonical.Some(kept(s.Native, "OS-EXT-SRV-ATTR:kernel_id", ""))
	w.RamdiskID = canonical.Some(kept(s.Native, "OS-EXT-SRV-ATTR:ramdisk_id", ""))
	w.RootDevice = keptOrNull[string](s.Native, "OS-EXT-SRV-ATTR:root_device_name")
	w.UserData = canonical.Null[string]()
}

// hostname is the name that Nova derives from a server's.
func hostname(name string) string {
	h := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r == ' ', r == '_':
			return '-'
		default:
			return -1
		}
	}, name)
	return strings.Trim(h, "-.")
}

func sayServerFlavor(f canonical.ServerFlavor, env *translate.Env) serverFlavor {
	name := words.Or(f.Name, "")
	id := name
	if f.ID != nil {
		id = string(*f.ID)
	}
	name = firstOf(name, id)
	return serverFlavor{
		ID: &id, Links: []link{bookmark(env, "flavors", id)},
		VCPUs: whole(f.VCPUs), RAM: whole(f.RAMMiB), Disk: whole(f.DiskGiB), Ephemeral: whole(f.EphemeralGiB),
		Swap: whole(f.SwapMiB), OriginalName: &name, ExtraSpecs: canonical.Some(dict(f.ExtraSpecs)),
	}
}

// whole is n, or 0: Nova never leaves a number of an embedded flavor out.
func whole(n *int) *int {
	if n == nil {
		return new(int)
	}
	return n
}

func sayAddresses(all []canonical.Address, full bool) map[string][]address {
	out := map[string][]address{}
	for _, a := range all {
		w := address{Version: a.Version, Addr: a.IP}
		if full {
			kind, mac := string(a.Kind), words.Or(a.MAC, "")
			w.Type, w.MAC = &kind, &mac
		}
		out[a.Network] = append(out[a.Network], w)
	}
	return out
}

func sayVolumes(all []canonical.ServerVolume, env *translate.Env) []volumeAttached {
	out := make([]volumeAttached, len(all))
	for i, vol := range all {
		out[i].ID = string(vol.ID)
		if env.Version.AtLeast(v(3)) {
			del := vol.DeleteWithServer != nil && *vol.DeleteWithServer
			out[i].Delete = &del
		}
	}
	return out
}
