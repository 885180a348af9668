package seed

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// partTypes are the types of parts by how they begin (cloud-init's documentation,
// "User data formats"; cloudbase-init's for the two of Windows).
var partTypes = []struct{ begins, kind string }{
	{"#!", "text/x-shellscript"},
	{"#ps1", "text/x-shellscript"},
	{"rem cmd", "text/x-shellscript"},
	{"#cloud-config-archive", "text/cloud-config-archive"},
	{"#cloud-config", "text/cloud-config"},
	{"#cloud-boothook", "text/cloud-boothook"},
	{"#include", "text/x-include-url"},
	{"#part-handler", "text/part-handler"},
	{"## template: jinja", "text/jinja2"},
	{"\x1f\x8b", "application/gzip"},
}

func partType(data []byte) string {
	for _, t := range partTypes {
		if bytes.HasPrefix(data, []byte(t.begins)) {
			return t.kind
		}
	}
	return "text/plain" // the agent looks for itself
}

// joined is a MIME message of both. Its boundary is made from what it parts, so that
// the same parts give the same message and no part can hold it.
func joined(theirs, ours []byte) []byte {
	sum := sha256.Sum256(append(append([]byte{}, theirs...), ours...))
	boundary := fmt.Sprintf("==%x==", sum[:16])
	var b bytes.Buffer
	fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=%q\nMIME-Version: 1.0\n\n", boundary)
	for _, part := range [][]byte{theirs, ours} {
		fmt.Fprintf(&b, "--%s\n", boundary)
		if isMIME(part) {
			b.Write(part) // a message within the message
		} else {
			fmt.Fprintf(&b, "Content-Type: %s; charset=\"utf-8\"\nMIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\n", partType(part))
			writeBase64(&b, part)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "--%s--\n", boundary)
	return b.Bytes()
}

// isMIME knows a message by the headers that agents look for.
func isMIME(data []byte) bool {
	first := bytes.ToLower(data[:min(len(data), 32)])
	return bytes.HasPrefix(first, []byte("content-type: multipart")) || bytes.HasPrefix(first, []byte("mime-version:"))
}

// lineLength is that of base64 in mail (RFC 2045, 6.8).
const lineLength = 76

func writeBase64(b *bytes.Buffer, data []byte) {
	for text := base64.StdEncoding.EncodeToString(data); text != ""; {
		n := min(len(text), lineLength)
		b.WriteString(text[:n])
		b.WriteByte('\n')
		text = text[n:]
	}
}
