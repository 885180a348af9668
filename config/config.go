// Package config reads dragoman's configuration: one strict YAML file, the
// environment over it, and defaults under it. It opens nothing that it names but
// files of secrets, and is read by cmd alone.
//
// docs/configure.md is written from the tags of the structs here: doc says what a key
// means and in which unit, default what holds without it where that is not part of
// defaults, example how it looks, and later marks what the contract has but this
// version refuses.
package config

import "time"

// Config is the whole configuration. Keys are the contract's.
type Config struct {
	Listen    string   `yaml:"listen" doc:"Address of the common listener, host:port" example:"0.0.0.0:8080"`
	TLS       *TLS     `yaml:"tls" doc:"Serve HTTPS; without it plain HTTP"`
	Store     string   `yaml:"store" doc:"Database: sqlite:PATH, or postgres:// where processes share it" example:"sqlite:/var/lib/dragoman/dragoman.db"`
	Redis     Secret   `yaml:"redis" doc:"Shared cache" later:"true" example:"redis://cache:6379"`
	SecretKey Ref      `yaml:"secret_key" doc:"Where the key is that seals secrets, 64 hexadecimal digits; of several, with commas or lines between, the first seals and all open (operate.md). A file that is missing is made, except beside PostgreSQL, where processes must have the same one" example:"env:DRAGOMAN_SEAL"`
	Data      string   `yaml:"data" doc:"Directory for what is too large for the store: images of native clouds. One process at a time may use it" example:"/var/lib/dragoman"`
	PublicURL string   `yaml:"public_url" doc:"What links and catalogs show" default:"the request's own host" example:"https://dragoman.example.com"`
	Clouds    []Cloud  `yaml:"clouds" doc:"The clouds behind dragoman"`
	Tenants   []Tenant `yaml:"tenants" doc:"Tenants that are always there"`
	Facades   []Facade `yaml:"facades" doc:"North-bound dialects beside the canonical API" default:"nova"`

	BootstrapKey Secret `yaml:"-"` // DRAGOMAN_BOOTSTRAP_KEY
}

// TLS names the files of the listener.
type TLS struct {
	Cert     string `yaml:"cert" doc:"File of the certificate and its chain, PEM" example:"/etc/dragoman/tls.crt"`
	Key      string `yaml:"key" doc:"File of the private key, PEM" example:"/etc/dragoman/tls.key"`
	ClientCA string `yaml:"client_ca" doc:"File of certificates, one of which must have signed the client's" default:"clients need none" example:"/etc/dragoman/ca.crt"`
}

// Cloud is one cloud behind the broker.
type Cloud struct {
	Name      string            `yaml:"name" doc:"Stands before every id of the cloud: never change it. [a-z][a-z0-9-]{0,30}" example:"os1"`
	Dialect   string            `yaml:"dialect" doc:"What the cloud speaks: nova, easystack, dragoman, native or memory" example:"nova"`
	Shared    bool              `yaml:"shared" doc:"Tenants without an account of their own use auth, and see only what is theirs" example:"true"`
	Endpoint  string            `yaml:"endpoint" doc:"URL of Keystone, or of the other dragoman; native and memory have none" example:"http://keystone.example:5000/v3"`
	Endpoints map[string]string `yaml:"endpoints" doc:"URLs by service" later:"true"`
	Region    string            `yaml:"region" doc:"Region to take from the catalog" default:"the only one" example:"RegionOne"`
	Labels    map[string]string `yaml:"labels" doc:"Your own words for the cloud" example:"{site: a}"`
	Auth      Auth              `yaml:"auth" doc:"The account on the cloud"`
	IAM       *Auth             `yaml:"iam" doc:"Account by token" later:"true"`
	Timeout   time.Duration     `yaml:"timeout" doc:"Of each call, repetitions included" default:"20s" example:"5s"`
	Poll      *time.Duration    `yaml:"poll" doc:"How often each account is asked which servers have changed, for events of what happens behind dragoman's back; 0s: never. native tells by itself" default:"10s, of memory never" example:"5s"`
	Limits    Limits            `yaml:"limits" doc:"What the cloud is asked at most"`
	Breaker   Breaker           `yaml:"breaker" doc:"When the cloud counts as down"`
	Memory    *Memory           `yaml:"memory" doc:"Of dialect memory alone"`
	Native    *Native           `yaml:"native" doc:"Of dialect native alone: hosts that dragoman manages itself"`
}

// pollEvery is how often a cloud is asked what has changed, if nothing else is said.
const pollEvery = 10 * time.Second

// Polls is how often the cloud is asked what has changed; 0: never.
func (c Cloud) Polls() time.Duration {
	switch {
	case c.Poll != nil:
		return *c.Poll
	case c.Dialect == "memory": // nobody changes it but through dragoman
		return 0
	default:
		return pollEvery
	}
}

// Auth is an account on a cloud: which keys count depends on the dialect.
type Auth struct {
	Username         string `yaml:"username" doc:"User (nova)" example:"app"`
	Password         Secret `yaml:"password" doc:"Of the user (nova)" example:"env:OS1_PASSWORD"`
	Project          string `yaml:"project" doc:"Name of the project (nova)" example:"acme"`
	ProjectID        string `yaml:"project_id" doc:"Id of the project, instead of its name (nova)"`
	UserDomain       string `yaml:"user_domain" doc:"Name of the user's domain (nova)" example:"Default"`
	ProjectDomain    string `yaml:"project_domain" doc:"Name of the project's domain (nova)" example:"Default"`
	Domain           string `yaml:"domain" doc:"Domain of the account" later:"true"`
	Token            Secret `yaml:"token" doc:"A token, instead of user and password; it cannot be renewed (nova)" example:"env:OS_TOKEN"`
	CredentialID     string `yaml:"application_credential_id" doc:"Application credential, instead of user and password (nova)"`
	CredentialName   string `yaml:"application_credential_name" doc:"Its name with username, instead of its id (nova)"`
	CredentialSecret Secret `yaml:"application_credential_secret" doc:"Its secret (nova)" example:"file:./credential"`
	AccessKey        Secret `yaml:"access_key" doc:"Signing key" later:"true"`
	SecretKey        Secret `yaml:"secret_key" doc:"Its secret" later:"true"`
	Key              Secret `yaml:"key" doc:"Key of the other dragoman, id.secret (dragoman)" example:"env:REMOTE_KEY"`
}

// Limits bound the calls to a cloud, or of a tenant; 0: the default.
type Limits struct {
	RPS         float64 `yaml:"rps" doc:"Calls a second" default:"no limit" example:"50"`
	Burst       int     `yaml:"burst" doc:"Calls at once after a pause" default:"rps" example:"100"`
	Concurrency int     `yaml:"concurrency" doc:"Calls under way" default:"64" example:"16"`
}

// Breaker says when a cloud counts as down, and for how long.
type Breaker struct {
	Failures int           `yaml:"failures" doc:"Failures within window" default:"5" example:"10"`
	Window   time.Duration `yaml:"window" doc:"See failures" default:"30s" example:"1m"`
	Open     time.Duration `yaml:"open" doc:"Until it is tried again" default:"15s" example:"30s"`
}

// Memory is the memory cloud's own.
type Memory struct {
	Delay time.Duration `yaml:"delay" doc:"How long creates and changes of state take" default:"0s" example:"200ms"`
}

// Native is what the hosts that dragoman manages need.
type Native struct {
	VirtType   string        `yaml:"virt_type" doc:"Who executes guests: kvm (the processor), qemu (an emulator), auto (kvm where the host can)" default:"auto" example:"qemu"`
	RecycleBin time.Duration `yaml:"recycle_bin" doc:"How long deleted servers can be restored" later:"true"`
	Hosts      []Host        `yaml:"hosts" doc:"The hosts"`
	Dir        string        `yaml:"dir" doc:"Directory on each host for the disks of servers; QEMU's user must be able to reach it" default:"/var/lib/dragoman" example:"/srv/dragoman"`
	Prefix     string        `yaml:"prefix" doc:"Begins the names of domains and pools on the hosts, [a-z][a-z0-9-]{0,30}: never change it. Two dragomans on one host need two, and two directories" default:"dragoman" example:"lab"`
	Overcommit Overcommit    `yaml:"overcommit" doc:"How often what a host has is given away"`
	ImportFrom []string      `yaml:"import_from" doc:"Names, addresses and networks that images may be imported from, beyond public addresses" example:"[mirror.example, 10.1.0.0/16]"`
}

// Overcommit are ratios; 0: the default.
type Overcommit struct {
	VCPUs float64 `yaml:"vcpus" doc:"Virtual CPUs for each thread of the host" default:"4" example:"8"`
	RAM   float64 `yaml:"ram" doc:"Memory" default:"1" example:"1.5"`
	Disk  float64 `yaml:"disk" doc:"Disk" default:"1" example:"2"`
}

// Host is one hypervisor.
type Host struct {
	Name string `yaml:"name" doc:"Its name; servers remember it: never change it. [a-z][a-z0-9-]{0,30}" example:"h1"`
	URI  string `yaml:"uri" doc:"Of its libvirtd: qemu:///system, qemu+ssh://USER@HOST/system, qemu+tls://HOST/system" example:"qemu:///system"`
	Zone string `yaml:"zone" doc:"Its availability zone" default:"default" example:"az1"`
}

// Tenant is a declared tenant.
type Tenant struct {
	Name     string           `yaml:"name" doc:"[a-z][a-z0-9-]{0,62}" example:"acme"`
	Accounts map[string]Auth  `yaml:"accounts" doc:"The tenant's own accounts, by name of the cloud; the keys are those of auth"`
	Rules    []map[string]any `yaml:"rules" doc:"Routing rules" later:"true"`
	Quotas   map[string]int   `yaml:"quotas" doc:"What the tenant may have" later:"true"`
	Limits   Limits           `yaml:"limits" doc:"What the tenant may ask" later:"true"`
}

// Facade is a north-bound dialect; Listen empty: under the common listener.
type Facade struct {
	Dialect string `yaml:"dialect" doc:"The dialect: nova, or easystack in its place" example:"nova"`
	Listen  string `yaml:"listen" doc:"A listener of its own" later:"true"`
}

func defaults() *Config {
	return &Config{
		Listen: "127.0.0.1:8080", Store: "sqlite:./dragoman.db", SecretKey: "file:./secret.key", Data: "./data",
	}
}
