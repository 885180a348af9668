package cloudtest

import (
	"io"
	"reflect"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// requests are a plausible request of every operation: one that no layer has reason
// to refuse but for the cloud's not offering the operation, for the caller's role, or
// for that there is no such thing.
var requests = map[*canonical.Spec]func() any{}

// Plausible is such a request of op, for tests of clouds that answer badly; nil: op is
// not known here.
func Plausible(op *canonical.Spec) any {
	make, known := requests[op]
	if !known {
		return nil
	}
	return make()
}

// plausible puts a plausible request of op down.
func plausible[Req, Res any](op canonical.Op[Req, Res], r Req) {
	requests[op.Spec()] = func() any { return r }
}

func init() { //nolint:gochecknoinits // the requests have as many types as there are operations
	const name = "cloudtest-refused"
	plausible(canonical.ListServers, canonical.ServerList{})
	plausible(canonical.GetServer, canonical.ServerGet{ID: unknown})
	plausible(canonical.CreateServer, canonical.ServerCreate{Name: name, Flavor: "flavor", Image: "image"})
	plausible(canonical.UpdateServer, canonical.ServerUpdate{ID: unknown, Name: canonical.Some(name)})
	plausible(canonical.DeleteServer, canonical.ServerDelete{ID: unknown})
	plausible(canonical.StartServer, canonical.ServerStart{ID: unknown})
	plausible(canonical.StopServer, canonical.ServerStop{ID: unknown})
	plausible(canonical.RebootServer, canonical.ServerReboot{ID: unknown})
	plausible(canonical.RebuildServer, canonical.ServerRebuild{ID: unknown, Image: "image"})
	plausible(canonical.ListMetadata, canonical.MetadataList{ID: unknown})
	plausible(canonical.GetMetadata, canonical.MetadataGet{ID: unknown, Key: name})
	plausible(canonical.SetMetadata, canonical.MetadataSet{ID: unknown, Key: name, Value: "x"})
	plausible(canonical.DeleteMetadata, canonical.MetadataDelete{ID: unknown, Key: name})
	plausible(canonical.MergeMetadata, canonical.MetadataMerge{ID: unknown, Metadata: map[string]canonical.Opt[string]{name: canonical.Some("x")}})
	plausible(canonical.ReplaceMetadata, canonical.MetadataReplace{ID: unknown, Metadata: map[string]string{name: "x"}})
	plausible(canonical.ListTags, canonical.TagList{ID: unknown})
	plausible(canonical.CheckTag, canonical.TagCheck{ID: unknown, Tag: name})
	plausible(canonical.AddTag, canonical.TagAdd{ID: unknown, Tag: name})
	plausible(canonical.RemoveTag, canonical.TagRemove{ID: unknown, Tag: name})
	plausible(canonical.ReplaceTags, canonical.TagReplace{ID: unknown, Tags: []string{name}})
	plausible(canonical.ClearTags, canonical.TagClear{ID: unknown})
	plausible(canonical.ListServerEvents, canonical.ServerEventList{ID: unknown})
	plausible(canonical.GetServerEvent, canonical.ServerEventGet{ID: unknown, Event: "req-cloudtest"})
	plausible(canonical.ListServerGroups, canonical.ServerGroupList{})
	plausible(canonical.GetServerGroup, canonical.ServerGroupGet{ID: unknown})
	plausible(canonical.CreateServerGroup, canonical.ServerGroupCreate{Name: name, Policy: canonical.Affinity})
	plausible(canonical.DeleteServerGroup, canonical.ServerGroupDelete{ID: unknown})
	plausible(canonical.ListServerMigrations, canonical.ServerMigrationList{})
	plausible(canonical.ListAggregates, canonical.AggregateList{})
	plausible(canonical.GetAggregate, canonical.AggregateGet{ID: unknown})
	plausible(canonical.CreateAggregate, canonical.AggregateCreate{Name: name})
	plausible(canonical.UpdateAggregate, canonical.AggregateUpdate{ID: unknown, Name: canonical.Some(name)})
	plausible(canonical.DeleteAggregate, canonical.AggregateDelete{ID: unknown})
	plausible(canonical.AddAggregateHost, canonical.AggregateAddHost{ID: unknown, Host: name})
	plausible(canonical.RemoveAggregateHost, canonical.AggregateRemoveHost{ID: unknown, Host: name})
	plausible(canonical.SetAggregateMetadata, canonical.AggregateSetMetadata{ID: unknown, Metadata: map[string]canonical.Opt[string]{name: canonical.Some("x")}})
	plausible(canonical.ListComputeServices, canonical.ComputeServiceList{})
	plausible(canonical.EnableComputeService, canonical.ComputeServiceEnable{ID: unknown})
	plausible(canonical.DisableComputeService, canonical.ComputeServiceDisable{ID: unknown})
	plausible(canonical.UpdateComputeService, canonical.ComputeServiceUpdate{ID: unknown, ForcedDown: canonical.Some(false)})
	plausible(canonical.GetQuota, canonical.QuotaGet{Project: canonical.OwnProject})
	plausible(canonical.GetQuotaDefaults, canonical.QuotaDefaultsGet{Project: canonical.OwnProject})
	plausible(canonical.UpdateQuotaDefaults, canonical.QuotaDefaultsUpdate{Project: canonical.OwnProject, MetadataItems: canonical.Some(128)})
	plausible(canonical.UpdateQuota, canonical.QuotaUpdate{Project: name, Servers: canonical.Some(1)})
	plausible(canonical.ListUsages, canonical.UsageList{Project: canonical.OwnProject})
	plausible(canonical.ResetQuota, canonical.QuotaReset{Project: name})
	plausible(canonical.ListImageMembers, canonical.ImageMemberList{ID: unknown})
	plausible(canonical.GetImageMember, canonical.ImageMemberGet{ID: unknown, Member: name})
	plausible(canonical.CreateImageMember, canonical.ImageMemberCreate{ID: unknown, Member: name})
	plausible(canonical.UpdateImageMember, canonical.ImageMemberUpdate{ID: unknown, Member: name, Status: "accepted"})
	plausible(canonical.DeleteImageMember, canonical.ImageMemberDelete{ID: unknown, Member: name})
	plausible(canonical.DeactivateImage, canonical.ImageDeactivate{ID: unknown})
	plausible(canonical.ReactivateImage, canonical.ImageReactivate{ID: unknown})
	plausible(canonical.AddImageTag, canonical.ImageTagAdd{ID: unknown, Tag: name})
	plausible(canonical.RemoveImageTag, canonical.ImageTagRemove{ID: unknown, Tag: name})
	plausible(canonical.ListHosts, canonical.HostList{})
	plausible(canonical.GetConsoleOutput, canonical.ConsoleOutputGet{ID: unknown})
	plausible(canonical.ListServerSnapshots, canonical.ServerSnapshotList{ID: unknown})
	plausible(canonical.CreateServerSnapshot, canonical.ServerSnapshotCreate{ID: unknown, Name: name})
	plausible(canonical.RollbackServerSnapshot, canonical.ServerSnapshotRollback{ID: unknown, Snapshot: unknown})
	plausible(canonical.ListFlavors, canonical.FlavorList{})
	plausible(canonical.GetFlavor, canonical.FlavorGet{ID: unknown})
	plausible(canonical.CreateFlavor, canonical.FlavorCreate{Name: name, VCPUs: 1, RAMMiB: 64})
	plausible(canonical.UpdateFlavor, canonical.FlavorUpdate{ID: unknown, Description: canonical.Some(name)})
	plausible(canonical.ListFlavorAccess, canonical.FlavorAccessList{ID: unknown})
	plausible(canonical.GrantFlavorAccess, canonical.FlavorAccessGrant{ID: unknown, Project: name})
	plausible(canonical.RevokeFlavorAccess, canonical.FlavorAccessRevoke{ID: unknown, Project: name})
	plausible(canonical.GetFlavorExtraSpecs, canonical.FlavorExtraSpecsGet{ID: unknown})
	plausible(canonical.MergeFlavorExtraSpecs, canonical.FlavorExtraSpecsMerge{ID: unknown, ExtraSpecs: map[string]canonical.Opt[string]{name: canonical.Some("x")}})
	plausible(canonical.SetFlavorExtraSpec, canonical.FlavorExtraSpecSet{ID: unknown, Key: name, Value: "x"})
	plausible(canonical.DeleteFlavorExtraSpec, canonical.FlavorExtraSpecDelete{ID: unknown, Key: name})
	plausible(canonical.DeleteFlavor, canonical.FlavorDelete{ID: unknown})
	plausible(canonical.ListImages, canonical.ImageList{})
	plausible(canonical.GetImage, canonical.ImageGet{ID: unknown})
	plausible(canonical.CreateImage, canonical.ImageCreate{Name: name, DiskFormat: "raw"})
	plausible(canonical.UpdateImage, canonical.ImageUpdate{ID: unknown, Name: canonical.Some(name)})
	plausible(canonical.DeleteImage, canonical.ImageDelete{ID: unknown})
	plausible(canonical.DownloadImage, canonical.ImageDownload{ID: unknown})
	plausible(canonical.ImportImage, canonical.ImageImport{
		ImageCreate: canonical.ImageCreate{Name: name, DiskFormat: "raw"}, URL: "https://images.invalid/image",
	})
	requests[canonical.UploadImage.Spec()] = func() any { return canonical.ImageUpload{ID: unknown, Content: content("bytes")} }
	plausible(canonical.ListKeypairs, canonical.KeypairList{})
	plausible(canonical.GetKeypair, canonical.KeypairGet{ID: unknown})
	plausible(canonical.CreateKeypair, canonical.KeypairCreate{Name: name, PublicKey: importedKey})
	plausible(canonical.DeleteKeypair, canonical.KeypairDelete{ID: unknown})
	networkRequests(name)
	plausible(canonical.ListVolumes, canonical.VolumeList{})
	plausible(canonical.GetVolume, canonical.VolumeGet{ID: unknown})
	plausible(canonical.CreateVolume, canonical.VolumeCreate{Name: name, SizeGiB: 1})
	plausible(canonical.UpdateVolume, canonical.VolumeUpdate{ID: unknown, Name: canonical.Some(name)})
	plausible(canonical.DeleteVolume, canonical.VolumeDelete{ID: unknown})
	plausible(canonical.ExtendVolume, canonical.VolumeExtend{ID: unknown, SizeGiB: 2})
	plausible(canonical.AttachVolume, canonical.VolumeAttach{ID: unknown, Volume: canonical.Ref(unknown)})
	plausible(canonical.DetachVolume, canonical.VolumeDetach{ID: unknown, Volume: unknown})
	plausible(canonical.ListVolumeAttachments, canonical.VolumeAttachmentList{ID: unknown})
	plausible(canonical.GetVolumeAttachment, canonical.VolumeAttachmentGet{ID: unknown, Volume: unknown})
	plausible(canonical.UpdateVolumeAttachment, canonical.VolumeAttachmentUpdate{
		ID: unknown, Volume: unknown, DeleteWithServer: canonical.Some(true),
	})
	plausible(canonical.ListVolumeTypes, canonical.VolumeTypeList{})
	plausible(canonical.GetVolumeType, canonical.VolumeTypeGet{ID: unknown})
	plausible(canonical.ListVolumeSnapshots, canonical.VolumeSnapshotList{})
	plausible(canonical.GetVolumeSnapshot, canonical.VolumeSnapshotGet{ID: unknown})
	plausible(canonical.CreateVolumeSnapshot, canonical.VolumeSnapshotCreate{Volume: canonical.Ref(unknown), Name: name})
	plausible(canonical.UpdateVolumeSnapshot, canonical.VolumeSnapshotUpdate{ID: unknown, Name: canonical.Some(name)})
	plausible(canonical.DeleteVolumeSnapshot, canonical.VolumeSnapshotDelete{ID: unknown})
	plausible(canonical.ListNetworks, canonical.NetworkList{})
	plausible(canonical.GetNetwork, canonical.NetworkGet{ID: unknown})
	plausible(canonical.ListAvailabilityZones, canonical.AvailabilityZoneList{})
	plausible(canonical.ListHypervisors, canonical.HypervisorList{})
	plausible(canonical.GetHypervisor, canonical.HypervisorGet{ID: unknown})
	plausible(canonical.GetLimits, canonical.LimitsGet{})
	plausible(canonical.ListEvents, canonical.EventList{})
	plausible(canonical.ListOperations, canonical.OperationList{})
	plausible(canonical.GetOperation, canonical.OperationGet{ID: unknown})
	plausible(canonical.CancelOperation, canonical.OperationCancel{ID: unknown})
	plausible(canonical.ListClouds, canonical.CloudList{})
	plausible(canonical.GetCloud, canonical.CloudGet{Cloud: name})
	plausible(canonical.ListTenants, canonical.TenantList{})
	plausible(canonical.CreateTenant, canonical.TenantCreate{Name: name})
	plausible(canonical.ListApplicationCredentials, canonical.ApplicationCredentialList{})
	plausible(canonical.GetApplicationCredential, canonical.ApplicationCredentialGet{ID: unknown})
	plausible(canonical.CreateApplicationCredential, canonical.ApplicationCredentialCreate{Name: name})
	plausible(canonical.DeleteApplicationCredential, canonical.ApplicationCredentialDelete{ID: unknown})
	plausible(canonical.ListAPIKeys, canonical.APIKeyList{})
	plausible(canonical.CreateAPIKey, canonical.APIKeyCreate{Tenant: name, Role: canonical.Reader})
	plausible(canonical.DeleteAPIKey, canonical.APIKeyDelete{ID: unknown})
}

// content is a text as the bytes of a request.
func content(text string) *canonical.Content {
	return &canonical.Content{ReadCloser: io.NopCloser(strings.NewReader(text)), Size: int64(len(text))}
}

// guarded are the resources that not everybody may touch, whether or not the cloud has
// them.
var guarded = map[string]bool{"hypervisor": true, "tenant": true, "api_key": true, "flavor": true, "flavor_extra_specs": true, "server_migration": true, "aggregate": true, "compute_service": true, "host": true, "quota": true}

// guardedOps are operations of other resources that not everybody may perform.
var guardedOps = map[*canonical.Spec]bool{
	canonical.ShelveOffloadServer.Spec(): true, canonical.MigrateServer.Spec(): true, canonical.LiveMigrateServer.Spec(): true,
	canonical.EvacuateServer.Spec(): true, canonical.ResetServerState.Spec(): true, canonical.GetServerDiagnostics.Spec(): true,
}

// refusal holds the cloud to its word that it does not offer op. Layers before a cloud
// may find first that there is no such thing; server gives one that is there.
func (k *check) refusal(op *canonical.Spec, reason string, server func() canonical.ID) {
	if reason == "" {
		k.errorf("%s: not offered, without a reason", op.Name)
	}
	req, about := requests[op](), idField(op.Request)
	codes := []canonical.Code{canonical.Unsupported}
	if guarded[op.Resource()] || guardedOps[op] {
		codes = append(codes, canonical.Forbidden)
	}
	switch {
	case about < 0:
	case kindOf(op, about) == "server" && k.offers(canonical.CreateServer.Spec()):
		req = withID(req, about, server())
	default:
		codes = append(codes, canonical.NotFound)
	}
	_, err := canonical.Do(k.ctx, k.cloud, canonical.Call{Op: op, Request: req})
	k.code(op.Name+", which is not offered", err, codes...)
	if e := canonical.AsError(err); e != nil && e.Code == canonical.Unsupported && !strings.Contains(e.Detail, reason) {
		k.errorf("%s: refused because %q, declared as %q", op.Name, e.Detail, reason)
	}
}

func (k *check) offers(op *canonical.Spec) bool {
	l := k.cloud.Support(k.ctx, op).Level
	return l == canonical.Native || l == canonical.Emulated
}

// idField is the field of a request that its path names; -1: there is none.
func idField(t reflect.Type) int {
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("path") != "" {
			return i
		}
	}
	return -1
}

// kindOf is what the id in a path is of.
func kindOf(op *canonical.Spec, field int) string {
	if kind := op.Request.Field(field).Tag.Get("of"); kind != "" {
		return kind
	}
	return op.Resource()
}

func withID(req any, field int, id canonical.ID) any {
	v := reflect.New(reflect.TypeOf(req)).Elem()
	v.Set(reflect.ValueOf(req))
	v.Field(field).SetString(string(id))
	return v.Interface()
}

// unheard are the operations without a plausible request, and those whose request is
// none.
func unheard() []string {
	var names []string
	for _, op := range canonical.Ops() {
		r, ok := requests[op]
		if !ok || reflect.TypeOf(r()) != op.Request {
			names = append(names, op.Name)
			continue
		}
		if v, checked := r().(interface{ Validate() error }); checked && v.Validate() != nil {
			names = append(names, op.Name)
		}
	}
	return names
}
