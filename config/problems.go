package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// problems gathers all that is wrong with a configuration, and knows where each key
// was given.
type problems struct {
	all   []problem
	lines map[string]int    // by path (clouds.0.name), of the file
	nodes map[string]string // by path, the YAML kind of scalars
	env   map[string]string // by path, the variable that gave the key
}

type problem struct {
	line int // 0: not of the file
	text string
}

// index notes the lines of all that is below n.
func (p *problems) index(n *yaml.Node, path string) {
	if p.lines == nil {
		p.lines, p.nodes, p.env = map[string]int{}, map[string]string{}, map[string]string{}
	}
	switch n.Kind {
	case yaml.DocumentNode:
		p.index(n.Content[0], "")
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			at := join(path, n.Content[i].Value)
			p.lines[at] = n.Content[i].Line
			p.index(n.Content[i+1], at)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			at := join(path, strconv.Itoa(i))
			p.lines[at] = item.Line
			p.index(item, at)
		}
	case yaml.ScalarNode:
		p.nodes[path] = n.ShortTag()
	case yaml.AliasNode: // what it stands for has lines of its own
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// add notes what is wrong with a key. Where it was not given, the line is that of
// what it is missing in.
func (p *problems) add(path, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if name := p.env[path]; name != "" {
		p.all = append(p.all, problem{text: path + " (" + name + "): " + text})
		return
	}
	at := path
	for p.lines[at] == 0 && strings.Contains(at, ".") {
		at = at[:strings.LastIndexByte(at, '.')]
	}
	p.addAt(p.lines[at], path, text)
}

func (p *problems) addAt(line int, path, text string) {
	if path != "" {
		text = path + ": " + text
	}
	if line > 0 {
		text = fmt.Sprintf("line %d: %s", line, text)
	}
	p.all = append(p.all, problem{line, text})
}

// join is all that is wrong as one error, by line; nil: nothing.
func (p *problems) join() error {
	slices.SortStableFunc(p.all, func(a, b problem) int { return cmp.Compare(a.line, b.line) })
	var errs []error
	for _, one := range p.all {
		errs = append(errs, errors.New(one.text))
	}
	return errors.Join(errs...)
}

// What yaml.v3 says of values that do not fit.
var (
	unknownKey = regexp.MustCompile(`^line (\d+): field (.*) not found in type `)
	wrongKind  = regexp.MustCompile(`(?s)^line (\d+): cannot unmarshal .* into (\S+)$`)
	sameKey    = regexp.MustCompile(`^line (\d+): mapping key "(.*)" already defined at line (\d+)$`)
)

// shapes say what a Go type is in YAML.
var shapes = map[string]string{
	"time.Duration": "a duration such as 20s", "int": "a whole number", "float64": "a number", "bool": "true or false", "string": "a text",
}

// kinds adds what yaml.v3 found, in our words: its own name Go types and show values,
// which may be secrets.
func (p *problems) kinds(err *yaml.TypeError) {
	for _, text := range err.Errors {
		if m := unknownKey.FindStringSubmatch(text); m != nil {
			p.addAt(atoi(m[1]), p.pathAt(atoi(m[1]), m[2]), "is not a known key")
		} else if m := sameKey.FindStringSubmatch(text); m != nil {
			p.addAt(atoi(m[1]), p.pathAt(atoi(m[1]), m[2]), "is given in line "+m[3]+" already")
		} else if m := wrongKind.FindStringSubmatch(text); m != nil {
			shape := shapes[m[2]]
			switch {
			case shape == "" && strings.HasPrefix(m[2], "[]"):
				shape = "a list"
			case shape == "":
				shape = "a map of keys"
			}
			p.addAt(atoi(m[1]), p.pathAt(atoi(m[1]), ""), "must be "+shape)
		} else {
			p.all = append(p.all, problem{text: text})
		}
	}
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// pathAt is the longest path that begins in that line and ends with that key; where
// several lie there it is the key alone.
func (p *problems) pathAt(line int, key string) string {
	var found []string
	for path, at := range p.lines {
		if at == line && (key == "" || path == key || strings.HasSuffix(path, "."+key)) {
			found = append(found, path)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return key
}
