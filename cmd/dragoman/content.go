package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"

	"github.com/spf13/pflag"

	"github.com/dragoman-cloud/dragoman/canonical"
)

var contentType = reflect.TypeFor[*canonical.Content]()

// contentFlag adds the flag of what an operation sends or answers as a file, if it
// does; it is the name of the file.
func contentFlag(op *canonical.Spec, flags *pflag.FlagSet) *string {
	switch {
	case !op.Streams:
		return nil
	case op.Effect == canonical.Read:
		return flags.String("file", "-", "File to write to; - is standard output")
	default:
		return flags.String("file", "", "File to send; - is standard input")
	}
}

// withContent is the request with the content of the file, and what ends its use.
func withContent(request any, file string) (any, func(), error) {
	v := reflect.New(reflect.TypeOf(request)).Elem()
	v.Set(reflect.ValueOf(request))
	for i := range v.NumField() {
		if v.Field(i).Type() != contentType {
			continue
		}
		content, err := openContent(file)
		if err != nil {
			return nil, nil, err
		}
		v.Field(i).Set(reflect.ValueOf(content))
		return v.Interface(), func() { _ = content.Close() }, nil // it was only read
	}
	return request, func() {}, nil
}

func openContent(file string) (*canonical.Content, error) {
	switch file {
	case "":
		return nil, errors.New("--file: is required")
	case "-":
		return &canonical.Content{ReadCloser: io.NopCloser(os.Stdin), Size: -1}, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("--file: %w", err)
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("--file: %s is not a regular file", file), err, f.Close())
	}
	return &canonical.Content{ReadCloser: f, Size: info.Size()}, nil
}

// save writes a content to a file, which is then whole or, after an error, gone.
func save(c *canonical.Content, file string, out io.Writer) error {
	defer func() { _ = c.Close() }() // reading has told what there is to tell
	if file == "-" {
		_, err := io.Copy(out, c)
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // the user's umask decides, as with any download
	if err != nil {
		return fmt.Errorf("--file: %w", err)
	}
	_, err = io.Copy(f, c)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return nil
}
