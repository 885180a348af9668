package canonical

import "time"

// The operations on the caller's own application credentials; policy performs them.
var (
	ListApplicationCredentials  = op[ApplicationCredentialList, Page[ApplicationCredential]]("application_credential.list", Read, "GET /v1/application-credentials")
	GetApplicationCredential    = op[ApplicationCredentialGet, ApplicationCredential]("application_credential.get", Read, "GET /v1/application-credentials/{id}")
	CreateApplicationCredential = op[ApplicationCredentialCreate, ApplicationCredentialCreated]("application_credential.create", Write, "POST /v1/application-credentials")
	DeleteApplicationCredential = op[ApplicationCredentialDelete, None]("application_credential.delete", Delete, "DELETE /v1/application-credentials/{id}")
)

// ApplicationCredential is a key that its holder made of their own key, for a program:
// it is of the same tenant, may do no more, and ends with the key it was made of.
type ApplicationCredential struct {
	ID          ID         `json:"id"`
	Name        string     `json:"name"`
	Description *string    `json:"description"`
	Tenant      string     `json:"tenant"`
	Role        Role       `json:"role"`
	Parent      ID         `json:"parent"`     // the key that it was made of
	ExpiresAt   *time.Time `json:"expires_at"` // null: with its parent
	CreatedAt   time.Time  `json:"created_at"`
}

// ListKeys implements Listed.
func (a ApplicationCredential) ListKeys() (ID, string, string) {
	return a.ID, a.Name, sortTime(&a.CreatedAt)
}

// ApplicationCredentialCreated is a new one with its secret.
type ApplicationCredentialCreated struct {
	ApplicationCredential
	Secret string `json:"secret"` // never told again; the bearer text is <id>.<secret>
}

// ApplicationCredentialList asks for the caller's.
type ApplicationCredentialList struct {
	ListOptions
	Name string `json:"-" query:"name" doc:"Exact name"`
}

// ApplicationCredentialGet asks for one of the caller's.
type ApplicationCredentialGet struct {
	ID ID `json:"-" path:"id"`
}

// ApplicationCredentialCreate makes one.
type ApplicationCredentialCreate struct {
	Name        string     `json:"name" doc:"One that the caller's others do not have"`
	Description string     `json:"description,omitempty"`
	Role        Role       `json:"role,omitempty" enum:"reader,member,operator,admin" doc:"At most the caller's own, which is the default"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty" doc:"In the future; without it the credential ends with the caller's key"`
	Secret      string     `json:"secret,omitempty" doc:"At least 16 characters; made up without it"`
}

// leastSecret is the length of a secret that somebody chooses.
const leastSecret = 16

// Validate implements the check of requests.
func (r ApplicationCredentialCreate) Validate() error {
	switch {
	case r.Name == "":
		return Invalid("name", "is required")
	case len(r.Name) > 255:
		return Invalid("name", "is longer than 255 bytes")
	case r.Role != "" && r.Role.rank() == 0:
		return Invalid("role", "must be reader, member, operator or admin")
	case r.Secret != "" && len(r.Secret) < leastSecret:
		return Invalid("secret", "must have at least %d characters", leastSecret)
	default:
		return nil
	}
}

// ApplicationCredentialDelete revokes one of the caller's.
type ApplicationCredentialDelete struct {
	ID ID `json:"-" path:"id"`
}
