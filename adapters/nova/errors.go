package nova

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Do implements canonical.Cloud. What Nova says in words, or says too briefly, is
// made plain here.
func (c *Cloud) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	reply, err := c.Cloud.Do(ctx, call)
	if err == nil {
		return reply, nil
	}
	err = doubt(blame(missingPart(err, call.Op), call.Request), call.Op)
	if canonical.CodeOf(err) == canonical.NotFound {
		err = c.tooEarly(ctx, call, err)
	}
	return canonical.Reply{}, err
}

// doubt is err as what it says of a write: who answers 502 for the cloud does not know
// whether the cloud began.
func doubt(err error, op *canonical.Spec) error {
	e := *canonical.AsError(err)
	if op.Effect != canonical.Read && e.Upstream != nil && e.Upstream.Status == http.StatusBadGateway {
		e.Code = canonical.UpstreamError
		return &e
	}
	return err
}

// tooEarly is err, unless the server is there: Nova shows a server that has no host
// yet, and denies its existence to whoever would act on it.
func (c *Cloud) tooEarly(ctx context.Context, call canonical.Call, err error) error {
	id := reflect.ValueOf(call.Request).FieldByName("ID")
	if call.Op.Resource() != "server" || call.Op.Effect != canonical.Write || !id.IsValid() {
		return err
	}
	r, errGet := canonical.GetServer.Do(ctx, c.Rows(), canonical.ServerGet{ID: canonical.ID(id.String())})
	if errGet != nil || r.Result.Status != canonical.ServerBuilding {
		return err
	}
	return canonical.Errorf(canonical.FailedPrecondition, "the cloud is still making this server")
}

// faults are sentences of Nova 26 (and the schema's), and the field of the canonical
// request that each is about; the first group, if there is one, is what it names.
var faults = []struct {
	says  *regexp.Regexp
	field func(req any, named string) string
}{
	{regexp.MustCompile(`^(?:Invalid input for field/attribute|An invalid|Invalid) '?(\w+)'? ?(?:value was |provided|\.)`), wireField},
	{regexp.MustCompile(`^Flavor \S+ could not be found`), always("flavor")},
	{regexp.MustCompile(`^Can not find requested image|^Image \S+ could not be found|^Image \S+ is not active`), always("image")},
	{regexp.MustCompile(`^Network (\S+) could not be found`), networkField},
	{regexp.MustCompile(`availability zone is not available`), always("availability_zone")},
	{regexp.MustCompile(`^Keypair data is invalid`), always("public_key")},
	{regexp.MustCompile(`^Availability zone '.*' is invalid`), always("availability_zone")},
	{regexp.MustCompile(`^Invalid image identifier`), always("image")},
	{regexp.MustCompile(`^Invalid input received: (?:New size for extend|Volume size|Size of specified image)`), always("size_gib")},
	{regexp.MustCompile(`^(?:Block Device Mapping is Invalid: failed to get (?:volume|snapshot)|Volume|Snapshot) ([\w-]+)(?:\.| could not be found)`), diskField},
}

// wireFields are names of Nova's own.
var wireFields = map[string]string{
	"name": "name", "description": "description", "flavorRef": "flavor", "imageRef": "image", "key_name": "keypair",
	"availability_zone": "availability_zone", "user_data": "user_data", "metadata": "metadata", "tags": "tags",
	"accessIPv4": "access_ipv4", "accessIPv6": "access_ipv6", "adminPass": "admin_password", "public_key": "public_key",
}

func wireField(_ any, named string) string { return wireFields[named] }

func always(field string) func(any, string) string {
	return func(any, string) string { return field }
}

// networkField is the one of the networks that Nova names; of several by names ours,
// which Nova does not know, it is not told which.
func networkField(req any, named string) string {
	r, _ := req.(canonical.ServerCreate)
	i := slices.IndexFunc(r.Networks.List, func(n canonical.NetworkChoice) bool { return string(n.Network) == named })
	switch {
	case i < 0 && len(r.Networks.List) == 1:
		i = 0
	case i < 0:
		return "networks"
	}
	return fmt.Sprintf("networks.%d.network", i)
}

// blame is err with the field named, where the cloud said which and nobody did yet.
func blame(err error, req any) error {
	if err == nil {
		return nil
	}
	e := *canonical.AsError(err)
	if e.Code != canonical.InvalidRequest || e.Upstream == nil || len(e.Fields) > 0 {
		return err
	}
	for _, f := range faults {
		groups := f.says.FindStringSubmatch(e.Upstream.Message)
		if groups == nil {
			continue
		}
		if field := f.field(req, groups[len(groups)-1]); field != "" {
			e.Fields = []canonical.FieldError{{Field: field, Reason: e.Upstream.Message}}
			return &e
		}
	}
	return err
}

// diskField is the one of the volumes of a create that Nova names.
func diskField(req any, named string) string {
	r, _ := req.(canonical.ServerCreate)
	for i, v := range r.Volumes {
		switch named {
		case string(v.Volume):
			return fmt.Sprintf("volumes.%d.volume", i)
		case string(v.Snapshot):
			return fmt.Sprintf("volumes.%d.snapshot", i)
		}
	}
	return "volumes"
}

// parts are sentences about what a new volume, snapshot or attachment is made of. The
// services say 404 to them, as they do of what the path names.
var parts = map[string]map[string]*regexp.Regexp{
	canonical.CreateVolume.Spec().Name: {
		"type": regexp.MustCompile(`^Volume type `), "snapshot": regexp.MustCompile(`^Snapshot `), "source": regexp.MustCompile(`^Volume [^t]`),
	},
	canonical.CreateVolumeSnapshot.Spec().Name: {"volume": regexp.MustCompile(`^Volume `)},
	canonical.AttachVolume.Spec().Name:         {"volume": regexp.MustCompile(`^Volume `)},
}

// missingPart is err as InvalidRequest, naming the field, where it is a part that is not
// there.
func missingPart(err error, op *canonical.Spec) error {
	e := *canonical.AsError(err)
	if e.Code != canonical.NotFound || e.Upstream == nil {
		return err
	}
	for field, says := range parts[op.Name] {
		if says.MatchString(e.Upstream.Message) {
			e.Code, e.Fields = canonical.InvalidRequest, []canonical.FieldError{{Field: field, Reason: "there is no such " + field}}
			return &e
		}
	}
	return err
}
