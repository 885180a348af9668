package nova

import (
	"bytes"
	"encoding/json"
	"maps"
	"strconv"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type createBody struct {
	Server createServer   `json:"server"`
	Hints  map[string]any `json:"os:scheduler_hints,omitempty"`
}

// createServer is a new server; easystack.server.create and Nova's own schema.
type createServer struct {
	Name           string            `json:"name"`
	ImageRef       string            `json:"imageRef,omitempty"`
	FlavorRef      string            `json:"flavorRef"`
	Networks       networksAsked     `json:"networks,omitzero"`
	KeyName        string            `json:"key_name,omitempty"`
	AdminPass      string            `json:"adminPass,omitempty"`
	UserData       string            `json:"user_data,omitempty"`
	Personality    []personality     `json:"personality,omitempty" until:"2.56" always:"easystack"`
	Metadata       map[string]string `json:"metadata,omitempty"`
	Tags           []string          `json:"tags,omitempty" since:"2.52"`
	Description    *string           `json:"description,omitempty" since:"2.19"`
	SecurityGroups []named           `json:"security_groups,omitempty"`
	Zone           string            `json:"availability_zone,omitempty"`
	Host           string            `json:"host,omitempty" since:"2.74" always:"easystack"`
	Node           string            `json:"hypervisor_hostname,omitempty" since:"2.74" always:"easystack" wire:"binding"`
	ConfigDrive    *loose            `json:"config_drive,omitempty"`
	Devices        []blockDevice     `json:"block_device_mapping_v2,omitempty"`
	OldDevices     []any             `json:"block_device_mapping,omitempty" wire:"binding"`
	DiskConfig     string            `json:"OS-DCF:diskConfig,omitempty" wire:"advisory"`
	AccessIPv4     string            `json:"accessIPv4,omitempty"`
	AccessIPv6     string            `json:"accessIPv6,omitempty"`
	MinCount       *number           `json:"min_count,omitempty"`
	MaxCount       *number           `json:"max_count,omitempty"`
	Reservation    *bool             `json:"return_reservation_id,omitempty" wire:"binding"`
	Hostname       string            `json:"hostname,omitempty" since:"2.90" wire:"advisory"`
	TrustedCerts   []string          `json:"trusted_image_certificates,omitempty" since:"2.63" wire:"binding"`
}

// loose is a boolean that may be sent as text.
type loose bool

// UnmarshalJSON implements json.Unmarshaler.
func (l *loose) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	got, err := strconv.ParseBool(text)
	if err != nil && text != "" {
		return canonical.Errorf(canonical.InvalidRequest, "%s is not a boolean", text)
	}
	*l = loose(got)
	return nil
}

type personality struct {
	Path     string `json:"path"`
	Contents string `json:"contents"`
}

type blockDevice struct {
	UUID        string  `json:"uuid,omitempty"`
	Source      string  `json:"source_type,omitempty"`
	Destination string  `json:"destination_type,omitempty"`
	Size        number  `json:"volume_size,omitempty"`
	BootIndex   *number `json:"boot_index,omitempty"`
	Delete      *loose  `json:"delete_on_termination,omitempty"`
	Device      string  `json:"device_name,omitempty"`
	Type        string  `json:"volume_type,omitempty" since:"2.67"`
	Tag         string  `json:"tag,omitempty" since:"2.32" wire:"binding"`
	Bus         string  `json:"disk_bus,omitempty" wire:"binding"`
	DeviceType  string  `json:"device_type,omitempty" wire:"binding"`
	Format      string  `json:"guest_format,omitempty" wire:"binding"`
	NoDevice    *loose  `json:"no_device,omitempty" wire:"binding"`
}

// networksAsked is a list, or from 2.37 a word. Implied is "auto" where the version
// wants something said and the caller left it open.
type networksAsked struct {
	Word    string         `json:"word" since:"2.37"`
	Implied bool           `json:"implied"`
	List    []networkAsked `json:"list"`
	Given   bool           `json:"given"`
}

type networkAsked struct {
	UUID    string   `json:"uuid,omitempty"`
	Port    string   `json:"port,omitempty"`
	FixedIP string   `json:"fixed_ip,omitempty"`
	Subnets []string `json:"subnet_id,omitempty" only:"easystack"`
}

// IsZero leaves the field out.
func (n networksAsked) IsZero() bool { return n.Word == "" && !n.Implied && !n.Given }

// MarshalJSON implements json.Marshaler.
func (n networksAsked) MarshalJSON() ([]byte, error) {
	switch {
	case n.Word != "":
		return json.Marshal(n.Word)
	case n.Implied:
		return []byte(`"auto"`), nil
	}
	return json.Marshal(words.List(n.List))
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *networksAsked) UnmarshalJSON(b []byte) error {
	n.Given = true
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &n.Word)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields() // tags of devices bind us to what nobody else has
	if err := dec.Decode(&n.List); err != nil {
		return canonical.Invalid("networks", "must be a list of uuid, port and fixed_ip, or auto or none")
	}
	return nil
}

// Facts that creates need where they name things instead of giving ids.
const (
	factImages   = "images"
	factNetworks = "networks"
)

func sayCreate(r canonical.ServerCreate, env *translate.Env, _ *translate.Request) (createBody, error) {
	if r.RootDiskGiB != 0 {
		return createBody{}, words.Refuse("root_disk_gib", "the flavor says it here")
	}
	w := createServer{
		Name: r.Name, ImageRef: imageID(r.Image, env), FlavorRef: flavorID(r.Flavor, env), KeyName: string(r.Keypair),
		AdminPass: r.AdminPassword, UserData: r.UserData, Metadata: r.Metadata, Tags: r.Tags,
		Description: words.Filled(r.Description), Zone: string(r.AvailabilityZone), AccessIPv4: r.AccessIPv4, AccessIPv6: r.AccessIPv6,
	}
	for _, f := range r.Files {
		w.Personality = append(w.Personality, personality(f))
	}
	for _, g := range r.SecurityGroups {
		w.SecurityGroups = append(w.SecurityGroups, named{string(g)})
	}
	if r.ConfigDrive != nil {
		drive := loose(*r.ConfigDrive)
		w.ConfigDrive = &drive
	}
	if r.HowMany() > 1 {
		n := number(r.Count)
		w.MinCount, w.MaxCount = &n, &n
	}
	switch {
	case r.Host != "" && env.Version.AtLeast(v(74)) && !strings.Contains(r.Host, ":"): // else it has a node
		w.Host = r.Host
	case r.Host != "":
		w.Zone += ":" + r.Host
	}
	var err error
	if w.Networks, err = sayNetworks(r.Networks, env); err != nil {
		return createBody{}, err
	}
	if w.Devices, err = sayDevices(r, w.ImageRef, env); err != nil {
		return createBody{}, err
	}
	return createBody{w, sayHints(r)}, nil
}

func sayHints(r canonical.ServerCreate) map[string]any {
	if r.ServerGroup == "" {
		return r.SchedulerHints
	}
	hints := map[string]any{}
	maps.Copy(hints, r.SchedulerHints)
	hints["group"] = string(r.ServerGroup)
	return hints
}

func sayNetworks(n canonical.Networks, env *translate.Env) (networksAsked, error) {
	spoken := env.Version.AtLeast(v(37))
	switch n.Mode {
	case canonical.NetworksUnset:
		return networksAsked{Implied: spoken}, nil
	case canonical.NetworksAuto:
		if !spoken { // an older cloud chooses when nothing is said
			return networksAsked{}, nil
		}
		return networksAsked{Word: "auto"}, nil
	case canonical.NetworksNone:
		return networksAsked{Word: "none"}, nil
	case canonical.NetworksList:
	}
	w := networksAsked{Given: true}
	for i, c := range n.List {
		at := "networks." + strconv.Itoa(i)
		switch {
		case c.Subnet != "" && env.Dialect != easyStack:
			return w, words.Refuse(at+".subnet", "this cloud takes a network or an interface")
		case c.Subnet != "" && c.Network == "":
			return w, words.Refuse(at+".subnet", "this cloud wants its network beside it")
		case len(c.SecurityGroups) > 0:
			return w, words.Refuse(at+".security_groups", "this cloud takes them for the whole server")
		}
		asked := networkAsked{UUID: networkID(c.Network, env), Port: string(c.Interface), FixedIP: c.IP}
		if c.Subnet != "" {
			asked.Subnets = []string{string(c.Subnet)}
		}
		w.List = append(w.List, asked)
	}
	return w, nil
}

// sayDevices writes the volumes; an image that a server boots from stands among
// them, as Nova's own client does it.
func sayDevices(r canonical.ServerCreate, image string, env *translate.Env) ([]blockDevice, error) {
	if len(r.Volumes) == 0 {
		return nil, nil
	}
	var out []blockDevice
	if image != "" {
		zero, yes := number(0), loose(true)
		out = append(out, blockDevice{UUID: image, Source: "image", Destination: "local", BootIndex: &zero, Delete: &yes})
	}
	for i, vol := range r.Volumes {
		at := "volumes." + strconv.Itoa(i)
		switch {
		case image != "" && vol.BootIndex != nil && *vol.BootIndex == 0:
			return nil, words.Refuse(at+".boot_index", "the image is booted from already")
		case sources(vol) > 1:
			return nil, words.Refuse(at, "is made from one thing: a volume, an image or a snapshot")
		}
		out = append(out, sayDevice(vol, env))
	}
	return out, nil
}

func sources(vol canonical.ServerVolumeCreate) (n int) {
	for _, from := range []string{string(vol.Volume), string(vol.Image), string(vol.Snapshot)} {
		if from != "" {
			n++
		}
	}
	return n
}

func sayDevice(vol canonical.ServerVolumeCreate, env *translate.Env) blockDevice {
	w := blockDevice{Source: "blank", Destination: "volume", Size: number(vol.SizeGiB), Type: vol.Type, Device: vol.Device}
	switch {
	case vol.Volume != "":
		w.Source, w.UUID = "volume", string(vol.Volume)
	case vol.Snapshot != "":
		w.Source, w.UUID = "snapshot", string(vol.Snapshot)
	case vol.Image != "":
		w.Source, w.UUID = "image", imageID(vol.Image, env)
	}
	if vol.BootIndex != nil {
		index := number(*vol.BootIndex)
		w.BootIndex = &index
	}
	if vol.DeleteWithServer {
		yes := loose(true)
		w.Delete = &yes
	}
	return w
}

func hearCreate(w createBody, _ *translate.Request, env *translate.Env) (canonical.ServerCreate, error) {
	s := w.Server
	r := canonical.ServerCreate{
		Name: s.Name, Description: words.Or(s.Description, ""), Flavor: canonical.Ref(s.FlavorRef), Image: canonical.Ref(s.ImageRef),
		Keypair: canonical.Ref(s.KeyName), AdminPassword: s.AdminPass, UserData: s.UserData, Metadata: s.Metadata, Tags: s.Tags,
		Host: s.Host, AccessIPv4: s.AccessIPv4, AccessIPv6: s.AccessIPv6,
		SchedulerHints: w.Hints,
	}
	switch {
	case s.Name == "":
		return r, required("name")
	case s.FlavorRef == "":
		return r, required("flavorRef")
	case env.Version.AtLeast(v(37)) && s.Networks.IsZero():
		return r, required("networks")
	}
	count, err := hearCount(s.MinCount, s.MaxCount)
	if err != nil {
		return r, err
	}
	r.Count = count
	if s.ConfigDrive != nil {
		drive := bool(*s.ConfigDrive)
		r.ConfigDrive = &drive
	}
	for _, f := range s.Personality {
		r.Files = append(r.Files, canonical.File(f))
	}
	for _, g := range s.SecurityGroups {
		r.SecurityGroups = append(r.SecurityGroups, canonical.Ref(g.Name))
	}
	var host string
	if r.AvailabilityZone, host = env.Place(s.Zone); host != "" {
		if r.Host = host; strings.Count(host, ":") == 1 { // a host may have one node of its name
			if name, node, _ := strings.Cut(host, ":"); name == node {
				r.Host = name
			}
		}
	}
	hearHints(&r)
	if r.Networks, err = hearNetworks(s.Networks, env); err != nil {
		return r, err
	}
	r.Volumes, err = hearDevices(&r, s.Devices)
	return r, err
}

// hearCount is how many servers are asked for: as many as the most, all or none; 0 is
// one.
func hearCount(least, most *number) (int, error) {
	for name, n := range map[string]*number{"min_count": least, "max_count": most} {
		if n != nil && *n < 1 {
			return 0, canonical.Errorf(canonical.InvalidRequest,
				"Invalid input for field/attribute %s. Value: %d. %d is less than the minimum of 1", name, *n, *n)
		}
	}
	one := number(1)
	switch {
	case least == nil && most == nil:
		return 0, nil
	case least == nil:
		least = &one
	case most == nil:
		most = least
	}
	switch {
	case *least > *most:
		return 0, canonical.Errorf(canonical.InvalidRequest, "min_count must be <= max_count")
	case *most == 1:
		return 0, nil
	default:
		return int(*most), nil
	}
}

func required(field string) error {
	return canonical.Errorf(canonical.InvalidRequest, "Invalid input for field/attribute server. '%s' is a required property", field)
}

// hearHints takes the group out of the hints.
func hearHints(r *canonical.ServerCreate) {
	group, ok := r.SchedulerHints["group"].(string)
	if !ok {
		return
	}
	r.ServerGroup = canonical.Ref(group)
	r.SchedulerHints = maps.Clone(r.SchedulerHints)
	delete(r.SchedulerHints, "group")
	if len(r.SchedulerHints) == 0 {
		r.SchedulerHints = nil
	}
}

func hearNetworks(w networksAsked, env *translate.Env) (canonical.Networks, error) {
	var n canonical.Networks
	switch {
	case w.IsZero():
		return n, nil
	case w.Word != "" && !env.Version.IsZero() && !env.Version.AtLeast(v(37)),
		w.Word != "" && w.Word != "auto" && w.Word != "none":
		return n, canonical.Invalid("networks", "'%s' is not of type 'array'", w.Word)
	case w.Word != "":
		n.Mode = canonical.NetworksMode(w.Word)
		return n, nil
	case len(w.List) == 0: // Nova takes an empty list for nothing said
		return n, nil
	}
	n.Mode = canonical.NetworksList
	for i, c := range w.List {
		if c.UUID != "" && c.Port != "" { // the port wins, and knows its network
			c.UUID = ""
		}
		if c.UUID == "" && c.Port == "" {
			return n, canonical.Invalid("networks."+strconv.Itoa(i), "needs a uuid or a port")
		}
		choice := canonical.NetworkChoice{Network: canonical.Ref(c.UUID), Interface: canonical.ID(c.Port), IP: c.FixedIP}
		at := "networks." + strconv.Itoa(i) + ".subnet_id"
		switch {
		case len(c.Subnets) == 0:
		case env.Dialect != easyStack:
			return n, canonical.Invalid(at, "is not a field of this call")
		case len(c.Subnets) > 1 || c.UUID == "":
			return n, words.Refuse(at, "only one subnet, of a network that is given, can be chosen here")
		default:
			choice.Subnet = canonical.ID(c.Subnets[0])
		}
		n.List = append(n.List, choice)
	}
	return n, nil
}

func hearDevices(r *canonical.ServerCreate, w []blockDevice) ([]canonical.ServerVolumeCreate, error) {
	var out []canonical.ServerVolumeCreate
	for i, d := range w {
		at := "block_device_mapping_v2." + strconv.Itoa(i)
		if d.Destination == "local" {
			if d.Source != "image" || d.BootIndex == nil || *d.BootIndex != 0 {
				return nil, words.Refuse(at+".destination_type", "only the boot image is local")
			}
			if r.Image == "" {
				r.Image = canonical.Ref(d.UUID)
			}
			continue
		}
		vol := canonical.ServerVolumeCreate{
			SizeGiB: int(d.Size), Type: d.Type, Device: d.Device, DeleteWithServer: d.Delete != nil && bool(*d.Delete),
		}
		if d.BootIndex != nil {
			index := int(*d.BootIndex)
			vol.BootIndex = &index
		}
		switch d.Source {
		case "volume":
			vol.Volume = canonical.Ref(d.UUID)
		case "snapshot":
			vol.Snapshot = canonical.Ref(d.UUID)
		case "image":
			vol.Image = canonical.Ref(d.UUID)
		case "blank":
		default:
			return nil, canonical.Invalid(at+".source_type", "must be volume, image, snapshot or blank")
		}
		out = append(out, vol)
	}
	return out, nil
}

type createdBody struct {
	Server created `json:"server"`
}

type created struct {
	ID         string  `json:"id"`
	Links      []link  `json:"links,omitempty"`
	DiskConfig string  `json:"OS-DCF:diskConfig,omitempty" wire:"native"`
	Groups     []named `json:"security_groups,omitempty"`
	AdminPass  *string `json:"adminPass,omitempty"`
}

func sayCreated(r canonical.TypedReply[canonical.ServersCreated], env *translate.Env, to *translate.Response) (createdBody, error) {
	w := created{DiskConfig: "MANUAL", Groups: []named{{"default"}}}
	switch {
	case len(r.Result.Servers) > 0:
		first := r.Result.Servers[0]
		w.ID, w.AdminPass = string(first.ID), first.AdminPassword
	case r.Task != nil:
		for _, made := range r.Task.Resources {
			if made.Type == "server" && w.ID == "" {
				w.ID = string(made.ID)
			}
		}
	}
	if w.ID == "" {
		return createdBody{}, canonical.Errorf(canonical.UpstreamError, "the cloud did not name the new server")
	}
	asked, _ := env.Asked.(canonical.ServerCreate)
	if w.AdminPass == nil { // a job tells none; the one that was asked for is known
		w.AdminPass = words.Filled(asked.AdminPassword)
	}
	if len(asked.SecurityGroups) > 0 {
		w.Groups = nil
		for _, g := range asked.SecurityGroups {
			w.Groups = append(w.Groups, named{string(g)})
		}
	}
	w.Links = linksOf(env, "servers", w.ID)
	to.Header.Set("Location", w.Links[0].Href)
	return createdBody{w}, nil
}

func hearCreated(w createdBody, _ *translate.Response, env *translate.Env) (canonical.ServersCreated, error) {
	if w.Server.ID == "" {
		return canonical.ServersCreated{}, canonical.Errorf(canonical.UpstreamError, "the cloud did not name the new server")
	}
	s := begun(canonical.ID(w.Server.ID), canonical.ServerBuilding)
	s.SecurityGroups = hearGroups(w.Server.Groups)
	if asked, ok := env.Asked.(canonical.ServerCreate); ok {
		s.Name, s.Description, s.Keypair = asked.Name, words.Filled(asked.Description), words.Filled(string(asked.Keypair))
		s.Metadata, s.Tags = dict(asked.Metadata), words.List(asked.Tags)
	}
	return canonical.ServersCreated{Servers: []canonical.ServerWithPassword{{Server: s, AdminPassword: w.Server.AdminPass}}}, nil
}

// begun is a server of which no more is known than that work on it has begun.
func begun(id canonical.ID, status canonical.ServerStatus) canonical.Server {
	s := hearServer(server{ID: string(id)}, &translate.Env{})
	s.Status, s.NativeStatus = status, words.SayStatus(status, "")
	return s
}
