package translate

import (
	"encoding/json"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// onlyFields is an answer whose item, or whose items, have the named keys alone. An
// answer is an object that holds the item or the list under a name.
func onlyFields(body []byte, keys []string) ([]byte, error) {
	if len(keys) == 0 || len(body) == 0 {
		return body, nil
	}
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, canonical.Errorf(canonical.Internal, "an answer does not decode: %v", err)
	}
	for _, value := range answer {
		switch v := value.(type) {
		case map[string]any:
			keep(v, keys)
		case []any:
			for _, item := range v {
				if object, ok := item.(map[string]any); ok && object["rel"] == nil { // links are no items
					keep(object, keys)
				}
			}
		}
	}
	out, err := json.Marshal(answer)
	if err != nil {
		return nil, canonical.Errorf(canonical.Internal, "an answer does not encode: %v", err)
	}
	return out, nil
}

func keep(object map[string]any, keys []string) {
	for key := range object {
		if !slices.Contains(keys, key) {
			delete(object, key)
		}
	}
}
