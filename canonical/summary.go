package canonical

import "strings"

// Summary says what the operation does, in a few words: "Stop a server".
func (s *Spec) Summary() string {
	verb, thing := Spoken(s.Verb()), Spoken(s.Resource())
	switch {
	case verb == "list":
		thing = Plural(thing)
	case strings.HasSuffix(thing, "s"), uncountable[thing]: // there is one of it, as of limits
	case strings.ContainsRune("aeiou", rune(thing[0])):
		thing = "an " + thing
	default:
		thing = "a " + thing
	}
	if strings.Contains(verb, " ") { // it has an object of its own, as console_output
		verb += " of"
	}
	return strings.ToUpper(verb[:1]) + verb[1:] + " " + thing
}

// Spoken is a name of the contract in words.
func Spoken(name string) string { return strings.NewReplacer("_", " ", ".", " ").Replace(name) }

// uncountable are the resources that are never spoken of as several.
var uncountable = map[string]bool{"metadata": true}

// Plural is a resource in words, spoken of as several.
func Plural(thing string) string {
	if uncountable[thing] {
		return thing
	}
	return strings.TrimSuffix(thing, "s") + "s"
}
