package canonical

import "regexp"

// markForm is the form of Mark: the names of dragomans are 8 letters and digits of base32.
var markForm = regexp.MustCompile(`^dragoman\.[a-z2-7]{8}$`)

// Mark is the key of the metadata item by which a server names the operation that made
// it, of the dragoman of that name (store.Instance): by it a create is settled whose
// answer was lost; tenants do not see it. Dragomans behind each other have marks of
// their own.
func Mark(instance string) string { return "dragoman." + instance }

// IsMark says whether a key of metadata is a mark, of whichever dragoman.
func IsMark(key string) bool { return markForm.MatchString(key) }
