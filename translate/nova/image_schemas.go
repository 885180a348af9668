package nova

import "github.com/dragoman-cloud/dragoman/translate"

// attribute is what a schema says of one.
type attribute = map[string]any

const uuidPattern = "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"

func textOf(description string) attribute {
	return attribute{"type": "string", "description": description}
}

// with is an attribute with more said of it.
func with(a attribute, key string, value any) attribute {
	a[key] = value
	return a
}

func orNull(a attribute) attribute { return with(a, "type", []any{"null", a["type"]}) }

func readOnlyOf(a attribute) attribute { return with(a, "readOnly", true) }

func wholeOf(description string) attribute {
	return attribute{"type": "integer", "description": description}
}

// wordsOf is an attribute of one of those words, or none.
func wordsOf(description string, all []string) attribute {
	enum := []any{nil}
	for _, word := range all {
		enum = append(enum, word)
	}
	return orNull(with(textOf(description), "enum", enum))
}

// own is an attribute that is a property of images, with a meaning known to many.
func own(a attribute) attribute { return with(a, "is_base", false) }

func imageSchema() attribute {
	return attribute{
		"name": "image", "additionalProperties": attribute{"type": "string"},
		"links": []any{
			attribute{"rel": "self", "href": "{self}"},
			attribute{"rel": "enclosure", "href": "{file}"},
			attribute{"rel": "describedby", "href": "{schema}"},
		},
		"properties": attribute{
			"id":   with(textOf("The image's id"), "pattern", uuidPattern),
			"name": orNull(with(textOf("The image's name"), "maxLength", 255)),
			"status": readOnlyOf(with(textOf("What state the image is in"), "enum", []string{
				"queued", "saving", "active", "killed", "deleted", "uploading", "importing", "pending_delete", "deactivated",
			})),
			"visibility":       with(textOf("Who sees the image"), "enum", visibilities),
			"protected":        attribute{"type": "boolean", "description": "Whether deleting the image is refused"},
			"os_hidden":        attribute{"type": "boolean", "description": "Whether lists leave the image out"},
			"checksum":         readOnlyOf(orNull(with(textOf("The MD5 of the bytes"), "maxLength", 32))),
			"os_hash_algo":     readOnlyOf(orNull(with(textOf("The algorithm of os_hash_value"), "maxLength", 64))),
			"os_hash_value":    readOnlyOf(orNull(with(textOf("Another hash of the bytes"), "maxLength", 128))),
			"owner":            orNull(with(textOf("The project that has the image"), "maxLength", 255)),
			"size":             readOnlyOf(orNull(wholeOf("How many bytes the image has"))),
			"virtual_size":     readOnlyOf(orNull(wholeOf("How many bytes a disk made of it has"))),
			"container_format": wordsOf("What the bytes are wrapped in", containerFormats),
			"disk_format":      wordsOf("The format of the bytes", diskFormats),
			"created_at":       readOnlyOf(textOf("When the image was made")),
			"updated_at":       readOnlyOf(textOf("When it was last changed")),
			"tags":             attribute{"type": "array", "description": "The image's tags", "items": attribute{"type": "string", "maxLength": 255}},
			"min_ram":          wholeOf("MiB of memory that a server of it needs"),
			"min_disk":         wholeOf("GiB of disk that a server of it needs"),
			"self":             readOnlyOf(textOf("The path of the image")),
			"file":             readOnlyOf(textOf("The path of its bytes")),
			"schema":           readOnlyOf(textOf("The path of this document")),
			"instance_uuid":    own(textOf("The server that the image was made of")),
			"architecture":     own(textOf("The processor that the image is for")),
			"os_distro":        own(textOf("The system on the image")),
			"os_version":       own(textOf("The version of that system")),
			"description":      own(textOf("What people should know of the image")),
		},
	}
}

func memberSchema() attribute {
	return attribute{"name": "member", "properties": attribute{
		"member_id":  textOf("The project that may use the image"),
		"image_id":   with(textOf("The image's id"), "pattern", uuidPattern),
		"created_at": textOf("When it was let"),
		"updated_at": textOf("When the status was last changed"),
		"status":     with(textOf("Whether the member's list shows the image"), "enum", []string{"pending", "accepted", "rejected"}),
		"schema":     readOnlyOf(attribute{"type": "string"}),
	}}
}

// collectionSchema is that of a list of what one describes.
func collectionSchema(name string, one attribute, paged bool) attribute {
	properties := attribute{name: attribute{"type": "array", "items": one}, "schema": attribute{"type": "string"}}
	links := []any{attribute{"rel": "describedby", "href": "{schema}"}}
	if paged {
		properties["first"], properties["next"] = attribute{"type": "string"}, attribute{"type": "string"}
		links = append([]any{attribute{"rel": "first", "href": "{first}"}, attribute{"rel": "next", "href": "{next}"}}, links...)
	}
	return attribute{"name": name, "properties": properties, "links": links}
}

// imageDocuments are what clients read before they ask: the schemas, the ways to import
// (there are none beside uploading) and the tasks of imports.
func imageDocuments() []translate.Route {
	document := func(id, path string, body func() any) translate.Route {
		return translate.Route{
			ID: "glance." + id, Service: "image", Method: "GET", Path: "/v2/" + path,
			Static: func(*translate.Env) (int, any) { return 200, body() },
		}
	}
	return []translate.Route{
		document("schema.image", "schemas/image", func() any { return imageSchema() }),
		document("schema.images", "schemas/images", func() any { return collectionSchema("images", imageSchema(), true) }),
		document("schema.member", "schemas/member", func() any { return memberSchema() }),
		document("schema.members", "schemas/members", func() any { return collectionSchema("members", memberSchema(), false) }),
		document("import.info", "info/import", func() any {
			return attribute{"import-methods": attribute{"description": "Import methods available.", "type": "array", "value": []string{}}}
		}),
		document("task.list", "tasks", func() any {
			return attribute{"tasks": []any{}, "first": "/v2/tasks", "schema": "/v2/schemas/tasks"}
		}),
	}
}
