package huawei

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type createBody struct {
	Server createServer `json:"server"`
}

type createServer struct {
	ImageRef       string            `json:"imageRef"`
	FlavorRef      string            `json:"flavorRef"`
	Description    string            `json:"description,omitempty"`
	Name           string            `json:"name"`
	Personality    []file            `json:"personality,omitempty"`
	UserData       string            `json:"user_data,omitempty"`
	AdminPass      string            `json:"adminPass,omitempty"`
	KeyName        string            `json:"key_name,omitempty"`
	VPC            string            `json:"vpcid" wire:"advisory"`
	NICs           []nic             `json:"nics"`
	PublicIP       any               `json:"publicip,omitempty" wire:"binding"`
	Count          int               `json:"count,omitempty"`
	AutoRename     *bool             `json:"isAutoRename,omitempty" wire:"advisory"`
	RootVolume     rootVolume        `json:"root_volume"`
	DataVolumes    []dataVolume      `json:"data_volumes,omitempty"`
	SecurityGroups []group           `json:"security_groups,omitempty"`
	Zone           string            `json:"availability_zone"`
	Extend         *extend           `json:"extendparam,omitempty"`
	Metadata       map[string]string `json:"metadata,omitempty"`
	Hints          *hints            `json:"os:scheduler_hints,omitempty"`
	Tags           []string          `json:"tags,omitempty"`
	PowerOn        *bool             `json:"power_on"` // false is binding
	Extra          any               `json:"extra,omitempty" wire:"binding"`
}

type file struct {
	Path     string `json:"path"`
	Contents string `json:"contents"`
}

type nic struct {
	Network  string `json:"subnet_id"` // a network's id
	IP       string `json:"ip_address,omitempty"`
	IPv6     string `json:"ip_address_v6,omitempty"`
	Type     string `json:"nictype,omitempty" wire:"advisory"`
	Physical string `json:"physical_network,omitempty" wire:"binding"`
	Profile  any    `json:"binding:profile,omitempty" wire:"binding"`
	DHCP     any    `json:"extra_dhcp_opts,omitempty" wire:"binding"`
}

type rootVolume struct {
	Size   words.Text `json:"size,omitempty"` // GiB
	Type   string     `json:"volumetype"`     // in native
	Extend any        `json:"extendparam,omitempty" wire:"advisory"`
}

type dataVolume struct {
	Size        int    `json:"size"` // GiB
	Type        string `json:"volumetype"`
	Volume      string `json:"volume_id,omitempty"`
	MultiAttach bool   `json:"multiattach,omitempty" wire:"binding"`
	Shareable   bool   `json:"shareable,omitempty" wire:"binding"`
	Passthrough any    `json:"hw:passthrough,omitempty" wire:"binding"`
	Extend      any    `json:"extendparam,omitempty" wire:"binding"`
}

type group struct {
	ID string `json:"id"`
}

type hints struct {
	Group string `json:"group,omitempty"`
}

type extend struct {
	Postfix string `json:"postfix,omitempty" wire:"binding"`
	Project string `json:"enterprise_project_id,omitempty" wire:"advisory"`
}

// writable are the keys of metadata that users may write, beside admin_pass.
var writable = []string{"hw_watchdog_action", "__instance_vwatchdog", "_ha_policy_type"}

// rootType is the native field that holds root_volume.volumetype.
const rootType = "root_volume_type"

// vpc is the Need of the VPC of the first network, southwards.
var vpc = translate.Need{
	Fact: "vpc",
	Say: func(req any) (canonical.Call, bool) {
		r, _ := req.(canonical.ServerCreate)
		if len(r.Networks.List) == 0 {
			return canonical.Call{}, false
		}
		return translate.Question(canonical.GetNetwork, canonical.NetworkGet{ID: canonical.ID(r.Networks.List[0].Network)}), true
	},
	Pick: func(res any, _ *translate.Env) any {
		n, _ := res.(canonical.Network)
		return n.Native["vpc_id"]
	},
}

func sayCreate(r canonical.ServerCreate, env *translate.Env, _ *translate.Request) (createBody, error) {
	if err := refuse(&r); err != nil {
		return createBody{}, err
	}
	vpcID, _ := translate.Fact[string](env, vpc.Fact)
	if vpcID == "" {
		return createBody{}, canonical.Invalid("networks.0.network", "is no network of the cloud with a VPC")
	}
	volumeType, _ := r.Native[rootType].(string)
	on := true
	s := createServer{
		ImageRef: string(r.Image), FlavorRef: string(r.Flavor), Description: r.Description, Name: r.Name, UserData: r.UserData,
		AdminPass: r.AdminPassword, KeyName: string(r.Keypair), VPC: vpcID, Count: r.Count, Zone: string(r.AvailabilityZone), Metadata: r.Metadata,
		Tags: r.Tags, PowerOn: &on, RootVolume: rootVolume{Size: words.Text(r.RootDiskGiB), Type: volumeType},
	}
	for _, f := range r.Files {
		s.Personality = append(s.Personality, file(f))
	}
	for _, g := range r.SecurityGroups {
		s.SecurityGroups = append(s.SecurityGroups, group{string(g)})
	}
	if r.ServerGroup != "" {
		s.Hints = &hints{string(r.ServerGroup)}
	}
	err := cmp.Or(sayNICs(&r, &s), sayVolumes(&r, &s))
	return createBody{s}, err
}

func refuse(r *canonical.ServerCreate) error {
	for key := range r.Metadata {
		if !slices.Contains(writable, key) {
			return words.Refuse("metadata."+key, "the cloud lets nobody write it")
		}
	}
	if _, ok := r.Native[rootType].(string); !ok {
		return words.Refuse("native."+rootType, "the cloud needs the type of the system disk")
	}
	if r.AvailabilityZone == "" {
		return words.Refuse("availability_zone", "the cloud needs it")
	}
	return words.RefuseSet(map[string]bool{
		"networks": r.Networks.Mode != canonical.NetworksList || len(r.Networks.List) == 0,
		"host":     r.Host != "", "scheduler_hints": len(r.SchedulerHints) > 0, "config_drive": r.ConfigDrive != nil,
		"access_ipv4": r.AccessIPv4 != "", "access_ipv6": r.AccessIPv6 != "", "image": r.Image == "",
	})
}

func sayNICs(r *canonical.ServerCreate, s *createServer) error {
	for _, c := range r.Networks.List {
		if c.Network == "" || c.Subnet != "" || len(c.SecurityGroups) > 0 {
			return words.Refuse("networks", "the dialect takes a network and an address only")
		}
		n := nic{Network: string(c.Network)}
		if ip, err := netip.ParseAddr(c.IP); err == nil && ip.Is6() {
			n.IPv6 = c.IP
		} else {
			n.IP = c.IP
		}
		s.NICs = append(s.NICs, n)
	}
	return nil
}

func sayVolumes(r *canonical.ServerCreate, s *createServer) error {
	for _, v := range r.Volumes {
		if v.Image != "" || v.Snapshot != "" || v.BootIndex != nil || v.Device != "" || v.DeleteWithServer {
			return words.Refuse("volumes", "the dialect takes data volumes only: an existing one, or size and type")
		}
		s.DataVolumes = append(s.DataVolumes, dataVolume{Size: v.SizeGiB, Type: v.Type, Volume: string(v.Volume)})
	}
	return nil
}

func hearCreate(w createBody, _ *translate.Request, _ *translate.Env) (canonical.ServerCreate, error) {
	s := w.Server
	if s.PowerOn != nil && !*s.PowerOn {
		return canonical.ServerCreate{}, words.Refuse("server.power_on", "a new server is always started here")
	}
	r := canonical.ServerCreate{
		Image: canonical.Ref(s.ImageRef), Flavor: canonical.Ref(s.FlavorRef), Description: s.Description, Name: s.Name,
		UserData: s.UserData, AdminPassword: s.AdminPass, Keypair: canonical.Ref(s.KeyName), Count: s.Count, AvailabilityZone: canonical.Ref(s.Zone),
		Tags: s.Tags, RootDiskGiB: int(s.RootVolume.Size), Native: map[string]any{rootType: s.RootVolume.Type},
	}
	for _, f := range s.Personality {
		r.Files = append(r.Files, canonical.File(f))
	}
	for _, g := range s.SecurityGroups {
		r.SecurityGroups = append(r.SecurityGroups, canonical.Ref(g.ID))
	}
	if s.Hints != nil {
		r.ServerGroup = canonical.Ref(s.Hints.Group)
	}
	for _, v := range s.DataVolumes {
		r.Volumes = append(r.Volumes, canonical.ServerVolumeCreate{Volume: canonical.Ref(v.Volume), SizeGiB: v.Size, Type: v.Type})
	}
	return r, cmp.Or(hearNICs(s.NICs, &r), hearMetadata(s.Metadata, &r))
}

func hearNICs(nics []nic, r *canonical.ServerCreate) error {
	if len(nics) == 0 {
		return canonical.Invalid("server.nics", "is required")
	}
	r.Networks.Mode = canonical.NetworksList
	for _, n := range nics {
		if n.IP != "" && n.IPv6 != "" {
			return words.Refuse("server.nics.ip_address_v6", "beside ip_address")
		}
		r.Networks.List = append(r.Networks.List, canonical.NetworkChoice{Network: canonical.Ref(n.Network), IP: cmp.Or(n.IP, n.IPv6)})
	}
	return nil
}

func hearMetadata(m map[string]string, r *canonical.ServerCreate) error {
	for key, value := range m {
		switch {
		case key == "admin_pass":
			r.AdminPassword = value // wins over adminPass
		case slices.Contains(writable, key):
			if r.Metadata == nil {
				r.Metadata = map[string]string{}
			}
			r.Metadata[key] = value
		default:
			return canonical.Invalid("server.metadata."+key, "cannot be written")
		}
	}
	return nil
}
