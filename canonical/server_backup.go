package canonical

import "strings"

// CreateServerBackup keeps the disk of a server as an image, in place of the oldest of its
// backups of that kind.
var CreateServerBackup = long[ServerCreateBackup, Image]("server.create_backup", Write, "POST /v1/servers/{id}/backups")

// ServerCreateBackup asks for a backup of a server, which stays what it is.
type ServerCreateBackup struct {
	ID         ID                `json:"-" path:"id" of:"server"`
	Name       string            `json:"name"`
	Kind       string            `json:"kind,omitempty" doc:"Any word, such as daily: each kind is counted by itself"`
	Keep       int               `json:"keep" doc:"Most backups of this kind; the oldest ones beyond are deleted"`
	Properties map[string]string `json:"properties,omitempty" doc:"Of the image, beside those that it takes from the server's"`
}

// Validate implements the check of requests.
func (r ServerCreateBackup) Validate() error {
	switch {
	case len([]rune(r.Kind)) > 255 || strings.TrimSpace(r.Kind) != r.Kind:
		return Invalid("kind", "has at most 255 characters, without blanks around them")
	case r.Keep < 0:
		return Invalid("keep", "must not be negative")
	}
	return ServerCreateImage{Name: r.Name, Properties: r.Properties}.Validate()
}
