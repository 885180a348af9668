package kvm

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Intent is what a server is meant to come to. It is written before the work
// begins, so after a crash the host itself tells what is to be finished.
type Intent string

// The intents.
const (
	IntendBuild  Intent = "build"  // made, not yet started for the first time
	IntendRun    Intent = "run"    // to be running
	IntendStop   Intent = "stop"   // to be stopped
	IntendDelete Intent = "delete" // to be gone
)

// Record is what is written into the domain's metadata: all that libvirt itself does
// not know of a server. No secrets: user data and passwords are in the seed alone.
type Record struct {
	ID               string                 `json:"id"`
	Tenant           string                 `json:"tenant"` // dragoman's tenant
	Name             string                 `json:"name"`   // as the user wrote it: any text
	Description      string                 `json:"description,omitempty"`
	Flavor           canonical.ServerFlavor `json:"flavor"`
	Image            ImageRef               `json:"image,omitzero"`
	Keypair          string                 `json:"keypair,omitempty"`
	Metadata         map[string]string      `json:"metadata,omitempty"`
	Tags             []string               `json:"tags,omitempty"`
	AvailabilityZone string                 `json:"availability_zone,omitempty"`
	Networks         []NIC                  `json:"networks,omitempty"`
	CreatedAt        time.Time              `json:"created_at"`
	Intent           Intent                 `json:"intent"`
	AccessIPv4       string                 `json:"access_ipv4,omitempty"`
	AccessIPv6       string                 `json:"access_ipv6,omitempty"`
	Locked           bool                   `json:"locked,omitempty"`
	LockReason       string                 `json:"lock_reason,omitempty"`
	// Former is the shape before a resize that is neither confirmed nor reverted.
	Former *canonical.ServerFlavor `json:"former,omitempty"`
}

// ImageRef names an image.
type ImageRef struct {
	ID   canonical.ID `json:"id"`
	Name string       `json:"name,omitempty"`
}

// NIC is a network interface of a server.
type NIC struct {
	Network string     `json:"network"`     // libvirt's name of it
	MAC     string     `json:"mac"`         // follows from the server's id and the position
	IP      netip.Addr `json:"ip,omitzero"` // reserved with libvirt's DHCP; zero: none is
}

// Server is one server of a host. The caller owns it.
type Server struct {
	Record
	State  State // libvirt's; Native and Fault tell it in words
	Status canonical.ServerStatus
	Power  canonical.Power
	Task   Task
	SeenAt time.Time // when the host was last seen to say so
}

// metadataURI is the namespace of our element, and its identity for libvirt.
const metadataURI = "https://dragoman-cloud.github.io/ns/server/1"

const metadataKey = "dragoman"

// element is the record in XML. The record itself is JSON, which carries every
// character: XML cannot, and encoding/xml replaces those that it cannot.
type element struct {
	XMLName xml.Name
	Record  string `xml:",cdata"`
}

// metadata is the element that libvirt keeps.
func (r Record) metadata() (string, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("record: %w", err)
	}
	out, err := xml.Marshal(element{XMLName: xml.Name{Space: metadataURI, Local: "server"}, Record: string(text)})
	return string(out), err
}

// readMetadata is the inverse of metadata.
func readMetadata(text string) (Record, error) {
	var e element
	var r Record
	if err := xml.Unmarshal([]byte(text), &e); err != nil {
		return r, fmt.Errorf("metadata: %w", err)
	}
	if err := json.NewDecoder(strings.NewReader(e.Record)).Decode(&r); err != nil {
		return Record{}, fmt.Errorf("metadata: record: %w", err)
	}
	return r, nil
}

// asRead is the record as it will be read again: nil for what is empty, and so on.
func (r Record) asRead() (Record, error) {
	text, err := r.metadata()
	if err != nil {
		return r, err
	}
	return readMetadata(text)
}

func (r Record) clone() Record {
	r.Metadata = maps.Clone(r.Metadata)
	r.Tags = slices.Clone(r.Tags)
	r.Networks = slices.Clone(r.Networks)
	r.Flavor.ExtraSpecs = maps.Clone(r.Flavor.ExtraSpecs)
	if r.Former != nil {
		former := *r.Former
		former.ExtraSpecs = maps.Clone(former.ExtraSpecs)
		r.Former = &former
	}
	return r
}

func (r Record) equal(o Record) bool { return reflect.DeepEqual(r, o) }

func itoa(n int) string { return strconv.Itoa(n) }
