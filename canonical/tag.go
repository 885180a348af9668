package canonical

import (
	"strings"
	"unicode/utf8"
)

// The operations on the tags of a server: a set of words.
var (
	ListTags    = op[TagList, Tags]("tag.list", Read, "GET /v1/servers/{id}/tags")
	CheckTag    = op[TagCheck, None]("tag.check", Read, "GET /v1/servers/{id}/tags/{tag}")
	AddTag      = op[TagAdd, None]("tag.add", Write, "PUT /v1/servers/{id}/tags/{tag}")
	RemoveTag   = op[TagRemove, None]("tag.remove", Delete, "DELETE /v1/servers/{id}/tags/{tag}")
	ReplaceTags = op[TagReplace, Tags]("tag.replace", Write, "PUT /v1/servers/{id}/tags")
	ClearTags   = op[TagClear, None]("tag.clear", Delete, "DELETE /v1/servers/{id}/tags")
)

// Tags are all tags of a server.
type Tags struct {
	Tags []string `json:"tags"`
}

// TagList asks for the tags of a server.
type TagList struct {
	ID ID `json:"-" path:"id" of:"server"`
}

// TagCheck asks whether a server has a tag; without it the answer is NotFound.
type TagCheck struct {
	ID  ID     `json:"-" path:"id" of:"server"`
	Tag string `json:"-" path:"tag"`
}

// TagAdd gives a server a tag, which it may have already.
type TagAdd struct {
	ID  ID     `json:"-" path:"id" of:"server"`
	Tag string `json:"-" path:"tag"`
}

// Validate implements the check of requests.
func (r TagAdd) Validate() error { return validateTag("tag", r.Tag) }

// TagRemove takes a tag off a server.
type TagRemove struct {
	ID  ID     `json:"-" path:"id" of:"server"`
	Tag string `json:"-" path:"tag"`
}

// TagReplace sets all tags of a server.
type TagReplace struct {
	ID   ID       `json:"-" path:"id" of:"server"`
	Tags []string `json:"tags"`
}

// Validate implements the check of requests.
func (r TagReplace) Validate() error { return validateTags(r.Tags) }

// TagClear takes off all tags of a server.
type TagClear struct {
	ID ID `json:"-" path:"id" of:"server"`
}

// maxTag is the most characters of a tag, and maxTags the most tags of a server
// (Nova's schema, of the dialects the one that takes most).
const (
	maxTag  = 60
	maxTags = 50
)

func validateTag(field, tag string) error {
	if n := utf8.RuneCountInString(tag); n < 1 || n > maxTag || strings.ContainsAny(tag, ",/") {
		return Invalid(field, "a tag has 1 to %d characters, and neither comma nor slash", maxTag)
	}
	return nil
}

func validateTags(tags []string) error {
	if len(tags) > maxTags {
		return Invalid("tags", "are at most %d", maxTags)
	}
	for i, tag := range tags {
		if err := validateTag(sprintf("tags.%d", i), tag); err != nil {
			return err
		}
	}
	return nil
}
