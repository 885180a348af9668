package nova

import (
	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// numberID is an id that is a number at every version; see numberOf.
type numberID string

// MarshalJSON implements json.Marshaler.
func (i numberID) MarshalJSON() ([]byte, error) { return []byte(numberOf(string(i))), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (i *numberID) UnmarshalJSON(b []byte) error {
	var id hypervisorID
	err := id.UnmarshalJSON(b)
	*i = numberID(id.Text)
	return err
}

// needNumbered finds, northwards, the thing whose number is a parameter of the path.
func needNumbered[Req any, T canonical.Listed](fact, param string, list canonical.Op[Req, canonical.Page[T]], req Req) translate.Need {
	return translate.Need{
		Fact: fact,
		Hear: func(*translate.Request) (canonical.Call, bool) { return translate.Question(list, req), true },
		Pick: func(result any, env *translate.Env) any {
			page, _ := result.(canonical.Page[T])
			for _, item := range page.Items {
				if id, _, _ := item.ListKeys(); env.Wire.Params[param] == string(id) || env.Wire.Params[param] == numberOf(string(id)) {
					return item
				}
			}
			return nil
		},
	}
}

// everything asks for as many as a list gives.
func everything() canonical.ListOptions { return canonical.ListOptions{Limit: canonical.MaxLimit} }

// uuidOf is the UUID that clients know a thing by whose cloud tells none.
func uuidOf(kind, id string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://dragoman.cloud/"+kind+"/"+id)).String()
}
