package seed

import (
	"bytes"
	"encoding/base64"
	"fmt"

	"github.com/dragoman-cloud/dragoman/canonical"
	"gopkg.in/yaml.v3"
)

// text is a string that YAML of any version reads as that string: cloud-init's reader
// is of version 1.1, where =, yes and 1:20 are none.
type text string

// MarshalYAML implements yaml.Marshaler.
func (t text) MarshalYAML() (any, error) {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: string(t)}, nil
}

func texts[S ~string](in []S) []text {
	var out []text
	for _, s := range in {
		out = append(out, text(s))
	}
	return out
}

type stringer interface{ String() string }

func textsOf[S stringer](in []S) []text {
	var out []text
	for _, s := range in {
		out = append(out, text(s.String()))
	}
	return out
}

func index(field string, i int, sub string) string {
	if sub != "" {
		sub = "." + sub
	}
	return fmt.Sprintf("%s.%d%s", field, i, sub)
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(v); err != nil {
		return nil, canonical.Errorf(canonical.Internal, "seed: %w", err)
	}
	return b.Bytes(), nil
}

func (s Server) metaData() ([]byte, error) {
	return encode(struct {
		InstanceID text   `yaml:"instance-id"`
		Hostname   text   `yaml:"local-hostname"`
		PublicKeys []text `yaml:"public-keys,omitempty"`
	}{text(s.ID), text(s.Hostname), texts(s.PublicKeys)})
}

type writeFile struct {
	Path        text   `yaml:"path"`
	Owner       string `yaml:"owner"`
	Permissions text   `yaml:"permissions"`
	Encoding    string `yaml:"encoding"`
	Content     text   `yaml:"content"`
}

type chpasswd struct {
	Expire bool `yaml:"expire"`
}

// theirsWin says how our part of a MIME message is joined to the caller's before it:
// lists are joined, and what is there stays. (By default a later part replaces the lists
// of an earlier one: cloud-init's documentation, "Merging user data sections".)
const theirsWin = "list(append)+dict(no_replace,recurse_list)+str()"

// cloudConfig is what only a #cloud-config can say.
func (s Server) cloudConfig(withTheirs bool) ([]byte, error) {
	var c struct {
		MergeHow string      `yaml:"merge_how,omitempty"`
		Password text        `yaml:"password,omitempty"`
		Chpasswd *chpasswd   `yaml:"chpasswd,omitempty"`
		PwAuth   bool        `yaml:"ssh_pwauth,omitempty"`
		Files    []writeFile `yaml:"write_files,omitempty"`
	}
	if withTheirs {
		c.MergeHow = theirsWin
	}
	if s.AdminPassword != "" {
		c.Password, c.Chpasswd, c.PwAuth = text(s.AdminPassword), &chpasswd{}, true
	}
	for i, f := range s.Files {
		if _, err := base64.StdEncoding.DecodeString(f.Contents); err != nil {
			return nil, canonical.Invalid(index("files", i, "contents"), "is not base64")
		}
		c.Files = append(c.Files, writeFile{text(f.Path), "root:root", "0644", "b64", text(f.Contents)})
	}
	body, err := encode(c)
	return append([]byte("#cloud-config\n"), body...), err
}

type route struct {
	To  string `yaml:"to"`
	Via text   `yaml:"via"`
}

type nameservers struct {
	Addresses []text `yaml:"addresses"`
}

type match struct {
	MAC text `yaml:"macaddress"`
}

type ethernet struct {
	Match       match        `yaml:"match"`
	DHCP4       bool         `yaml:"dhcp4"`
	Addresses   []text       `yaml:"addresses,omitempty"`
	Routes      []route      `yaml:"routes,omitempty"`
	Nameservers *nameservers `yaml:"nameservers,omitempty"`
	MTU         int          `yaml:"mtu,omitempty"`
}

func (s Server) networkConfig() ([]byte, error) {
	ethernets := map[string]ethernet{} // which YAML writes in the order of its keys
	for i, n := range s.NICs {
		ethernets[fmt.Sprintf("nic%03d", i)] = n.ethernet()
	}
	return encode(struct {
		Version   int                 `yaml:"version"`
		Ethernets map[string]ethernet `yaml:"ethernets"`
	}{2, ethernets})
}

func (n NIC) ethernet() ethernet {
	e := ethernet{
		Match: match{text(n.MAC.String())}, DHCP4: len(n.Addresses) == 0,
		Addresses: textsOf(n.Addresses), MTU: n.MTU,
	}
	for _, gw := range n.Gateways {
		to := "0.0.0.0/0"
		if gw.Is6() {
			to = "::/0"
		}
		e.Routes = append(e.Routes, route{to, text(gw.String())})
	}
	if len(n.DNS) > 0 {
		e.Nameservers = &nameservers{textsOf(n.DNS)}
	}
	return e
}
