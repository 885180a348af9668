package canonical

import "time"

// The operations on keypairs. They are addressed by name.
var (
	ListKeypairs  = op[KeypairList, Page[Keypair]]("keypair.list", Read, "GET /v1/keypairs")
	GetKeypair    = op[KeypairGet, Keypair]("keypair.get", Read, "GET /v1/keypairs/{id}")
	CreateKeypair = op[KeypairCreate, Keypair]("keypair.create", Write, "POST /v1/keypairs")
	DeleteKeypair = op[KeypairDelete, None]("keypair.delete", Delete, "DELETE /v1/keypairs/{id}")
)

// KeypairKind is what a keypair is for.
type KeypairKind string

// The kinds of keypairs.
const (
	SSHKey  KeypairKind = "ssh"
	X509Key KeypairKind = "x509"
)

// Keypair is a public key that new servers trust.
type Keypair struct {
	ID          ID          `json:"id"` // <cloud>:<name>
	Cloud       string      `json:"cloud"`
	Name        string      `json:"name"`
	Kind        KeypairKind `json:"kind"`
	PublicKey   string      `json:"public_key"`
	Fingerprint string      `json:"fingerprint"`
	PrivateKey  *string     `json:"private_key"` // told once, when the cloud generated it
	UserID      *string     `json:"user_id"`
	CreatedAt   *time.Time  `json:"created_at"`
}

// ListKeys implements Listed.
func (k Keypair) ListKeys() (ID, string, string) { return k.ID, k.Name, sortTime(k.CreatedAt) }

// KeypairList asks for keypairs.
type KeypairList struct {
	ListOptions
	Name       string `json:"-" query:"name" doc:"Exact name"`
	NamePrefix string `json:"-" query:"name_prefix" doc:"Beginning of the name"`
}

// Match says whether k passes the filters.
func (r KeypairList) Match(k *Keypair) bool { return matchName(k.Name, r.Name, r.NamePrefix) }

// KeypairGet names one keypair: by id or by name.
type KeypairGet struct {
	ID ID `json:"-" path:"id"`
}

// KeypairDelete deletes one keypair: by id or by name. Servers keep the key.
type KeypairDelete struct {
	ID ID `json:"-" path:"id"`
}

// KeypairCreate imports a public key, or has one generated where none is given.
type KeypairCreate struct {
	Name      string      `json:"name"`
	Cloud     string      `json:"cloud,omitempty" doc:"Cloud to make it on"`
	Kind      KeypairKind `json:"kind,omitempty" enum:"ssh,x509"`
	PublicKey string      `json:"public_key,omitempty" doc:"Key to import; generated where it is missing"`
}

// Validate implements the check of requests.
func (r KeypairCreate) Validate() error {
	switch {
	case r.Name == "":
		return Invalid("name", "is required")
	case len(r.Name) > 255:
		return Invalid("name", "is longer than 255 bytes")
	case r.Kind != "" && r.Kind != SSHKey && r.Kind != X509Key:
		return Invalid("kind", "must be ssh or x509")
	default:
		return nil
	}
}
