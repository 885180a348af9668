package canonical

import "strings"

// CreateServerImage keeps the disk of a server as an image
// (easystack.server.create_image, hws.server.create_image).
var CreateServerImage = long[ServerCreateImage, Image]("server.create_image", Write, "POST /v1/servers/{id}/images")

// ServerCreateImage asks for an image of a server, which stays what it is.
type ServerCreateImage struct {
	ID         ID                `json:"-" path:"id" of:"server"`
	Name       string            `json:"name"`
	Properties map[string]string `json:"properties,omitempty" doc:"Of the image, beside those that it takes from the server's"`
}

// Validate implements the check of requests.
func (r ServerCreateImage) Validate() error {
	switch {
	case strings.TrimSpace(r.Name) == "":
		return Invalid("name", "is required")
	case len([]rune(r.Name)) > 255:
		return Invalid("name", "is longer than 255 characters")
	}
	for key := range r.Properties {
		if key == "" || len([]rune(key)) > 255 {
			return Invalid("properties", "keys have 1 to 255 characters")
		}
	}
	return nil
}
