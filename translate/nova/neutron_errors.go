package nova

import (
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// neutronThing is what Neutron calls the items of a collection when it finds fault.
type neutronThing struct {
	kind string // begins the types of errors
	name string // begins sentences
	lost string // ends the one on what is not there
}

var neutronThings = map[string]neutronThing{
	"networks":             {"Network", "Network", "could not be found."},
	"subnets":              {"Subnet", "Subnet", "could not be found."},
	"ports":                {"Port", "Port", "could not be found."},
	"security-groups":      {"SecurityGroup", "Security group", "does not exist"},
	"security-group-rules": {"SecurityGroupRule", "Security group rule", "does not exist"},
	"floatingips":          {"FloatingIP", "Floating IP", "could not be found"},
	"routers":              {"Router", "Router", "could not be found"},
}

// neutronStates are the types of 409 that say that a state forbids something.
var neutronStates = map[string]bool{
	"SecurityGroupCannotRemoveDefault": true, "SecurityGroupCannotUpdateDefault": true, "FloatingIPPortAlreadyAssociated": true,
	"ServicePortInUse": true, "GatewayConflictWithAllocationPools": true, "OverlappingAllocationPools": true,
	"PortSecurityPortHasSecurityGroup": true, "PortSecurityAndIPRequiredForSecurityGroups": true,
}

// thingOf is what the path of a request is about, and its id, "" for the collection.
func thingOf(req *translate.Request) (thing neutronThing, id string) {
	if req == nil {
		return neutronThing{}, ""
	}
	parts := strings.Split(strings.Trim(req.Path, "/"), "/")
	if len(parts) < 2 {
		return neutronThing{}, ""
	}
	if len(parts) > 2 {
		id = parts[2]
	}
	return neutronThings[parts[1]], id
}

// neutronType is the word that Neutron has for an error: that of the Neutron behind,
// where one said it.
func neutronType(err *canonical.Error, req *translate.Request) string {
	if u := err.Upstream; u != nil && u.Code != "" && u.Code[0] >= 'A' && u.Code[0] <= 'Z' {
		return u.Code
	}
	thing, id := thingOf(req)
	switch err.Code { //nolint:exhaustive // the rest has no word of its own
	case canonical.NotFound:
		if thing.kind == "" || id == "" && req.Query.Get("marker") == "" {
			return "HTTPNotFound"
		}
		return thing.kind + "NotFound"
	case canonical.Forbidden:
		return "PolicyNotAuthorized"
	case canonical.QuotaExceeded:
		return "OverQuota"
	case canonical.InvalidRequest, canonical.Unsupported:
		return "HTTPBadRequest"
	case canonical.FailedPrecondition:
		return firstOf(thing.kind, "Network") + "InUse"
	case canonical.AlreadyExists:
		if len(err.Fields) > 0 {
			return "IpAddressAlreadyAllocated"
		}
		return firstOf(thing.kind, "Network") + "Exists"
	case canonical.Conflict:
		return "HTTPConflict"
	default:
		return "HTTPInternalServerError"
	}
}

// neutronMessage is Neutron's sentence on an error.
func neutronMessage(err *canonical.Error, req *translate.Request) string {
	thing, id := thingOf(req)
	switch {
	case err.Upstream != nil && err.Upstream.Message != "":
	case err.Code == canonical.NotFound && thing.kind != "" && id != "":
		return thing.name + " " + id + " " + thing.lost
	case strings.HasPrefix(err.Detail, "Additional properties") || strings.Contains(err.Detail, ". Additional properties"):
		field := err.Fields[0].Field
		return "Unrecognized attribute(s) '" + field[strings.LastIndexByte(field, '.')+1:] + "'"
	}
	return messageOf(err)
}
