package nova

import (
	"strconv"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type keypair struct {
	Name        string                `json:"name"`
	PublicKey   string                `json:"public_key"`
	Fingerprint string                `json:"fingerprint"`
	Type        string                `json:"type,omitempty" since:"2.2" always:"easystack"`
	PrivateKey  *string               `json:"private_key,omitempty"`
	UserID      string                `json:"user_id,omitempty"`
	CreatedAt   canonical.Opt[string] `json:"created_at,omitzero"`
	Deleted     canonical.Opt[bool]   `json:"deleted,omitzero" wire:"native"`
	DeletedAt   canonical.Opt[string] `json:"deleted_at,omitzero" wire:"native"`
	UpdatedAt   canonical.Opt[string] `json:"updated_at,omitzero" wire:"native"`
	Number      canonical.Opt[int]    `json:"id,omitzero" wire:"native"`
}

type keypairBody struct {
	Keypair keypair `json:"keypair"`
}

type keypairsBody struct {
	Keypairs []keypairBody `json:"keypairs"`
	Links    []link        `json:"keypairs_links,omitempty" since:"2.35"`
}

type keypairCreateBody struct {
	Keypair keypairCreate `json:"keypair"`
}

type keypairCreate struct {
	Name      string `json:"name"`
	PublicKey string `json:"public_key,omitempty"`
	Type      string `json:"type,omitempty" since:"2.2" always:"easystack"`
	UserID    string `json:"user_id,omitempty" since:"2.10" always:"easystack" wire:"binding"`
}

// hearKeypair takes the name for the id: Nova addresses keypairs so.
func hearKeypair(w keypair) canonical.Keypair {
	k := canonical.Keypair{
		ID: canonical.ID(w.Name), Name: w.Name, Kind: canonical.SSHKey, PublicKey: w.PublicKey,
		Fingerprint: w.Fingerprint, PrivateKey: w.PrivateKey, UserID: words.Filled(w.UserID), CreatedAt: words.Time(w.CreatedAt.Or("")),
	}
	if w.Type != "" {
		k.Kind = canonical.KeypairKind(w.Type)
	}
	return k
}

// sayKeypair is what lists tell of a keypair.
func sayKeypair(k canonical.Keypair) keypair {
	return keypair{Name: k.Name, PublicKey: k.PublicKey, Fingerprint: k.Fingerprint, Type: firstOf(string(k.Kind), "ssh")}
}

func keypairAnswer(detail bool) translate.Answer[canonical.Keypair, keypairBody] {
	return translate.Answer[canonical.Keypair, keypairBody]{
		Say: func(r canonical.TypedReply[canonical.Keypair], env *translate.Env, to *translate.Response) (keypairBody, error) {
			w := sayKeypair(r.Result)
			w.UserID = firstOf(words.Or(r.Result.UserID, ""), env.User)
			if detail {
				w.CreatedAt = sayOptTime(r.Result.CreatedAt, naive)
				w.Deleted, w.Number = canonical.Some(false), canonical.Some(0)
				w.DeletedAt, w.UpdatedAt = canonical.Null[string](), canonical.Null[string]()
				return keypairBody{w}, nil
			}
			w.PrivateKey = r.Result.PrivateKey
			if !env.Version.IsZero() && !env.Version.AtLeast(v(2)) {
				to.Status = 200
			}
			return keypairBody{w}, nil
		},
		Hear: func(w keypairBody, _ *translate.Response, _ *translate.Env) (canonical.Keypair, error) {
			return hearKeypair(w.Keypair), nil
		},
	}
}

var keypairsAnswer = translate.List[canonical.Keypair, keypairsBody]{
	Say: func(p canonical.Page[canonical.Keypair], env *translate.Env, _ *translate.Response) (keypairsBody, error) {
		w := keypairsBody{make([]keypairBody, len(p.Items)), nextLinks(env, "compute", p.NextCursor, lastID(p.Items))}
		for i, k := range p.Items {
			w.Keypairs[i].Keypair = sayKeypair(k)
		}
		return w, nil
	},
	Hear: func(w keypairsBody, _ *translate.Response, _ *translate.Env) ([]canonical.Keypair, error) {
		out := make([]canonical.Keypair, len(w.Keypairs))
		for i, k := range w.Keypairs {
			out[i] = hearKeypair(k.Keypair)
		}
		return out, nil
	},
	Next: func(w keypairsBody, asked *translate.Request, _ []canonical.Keypair) *translate.Request {
		return follow(w.Links, asked)
	},
	Keep: keepBy[canonical.Keypair],
}

var askKeypairs = translate.Ask[canonical.KeypairList, translate.NoBody]{
	Say: func(canonical.KeypairList, *translate.Env, *translate.Request) (translate.NoBody, error) {
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, from *translate.Request, env *translate.Env) (r canonical.KeypairList, err error) {
		r.ListOptions, err = hearPaging(from, env, pagingOf(canonical.ByName))
		return r, err
	},
}

var askKeypairCreate = translate.Ask[canonical.KeypairCreate, keypairCreateBody]{
	Say: func(r canonical.KeypairCreate, env *translate.Env, _ *translate.Request) (keypairCreateBody, error) {
		if err := keypairName(r.Name, env.Version); err != nil {
			return keypairCreateBody{}, canonical.Invalid("name", "%s", canonical.AsError(err).Detail)
		}
		w := keypairCreate{Name: r.Name, PublicKey: r.PublicKey}
		if r.Kind == canonical.X509Key {
			w.Type = string(r.Kind)
		}
		return keypairCreateBody{w}, nil
	},
	Hear: func(w keypairCreateBody, _ *translate.Request, env *translate.Env) (canonical.KeypairCreate, error) {
		r := canonical.KeypairCreate{
			Name: w.Keypair.Name, PublicKey: w.Keypair.PublicKey, Kind: canonical.KeypairKind(w.Keypair.Type),
		}
		if err := keypairName(r.Name, env.Version); err != nil {
			return r, err
		}
		if r.PublicKey == "" && env.Version.AtLeast(v(92)) {
			return r, canonical.Errorf(canonical.InvalidRequest,
				"Invalid input for field/attribute keypair. 'public_key' is a required property")
		}
		return r, nil
	},
}

// Characters of the names of keypairs; since 2.92 there are two more.
const (
	keypairLetters   = "_- 0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	keypairLetters92 = "@." + keypairLetters
)

// keypairName refuses names as Nova's schema does.
func keypairName(name string, version translate.Version) error {
	letters := keypairLetters
	if version.IsZero() || version.AtLeast(v(92)) {
		letters = keypairLetters92
	}
	const refused = "An invalid 'name' value was provided. The name must be: "
	switch n := len([]rune(name)); {
	case n == 0 || n > 255:
		return canonical.Errorf(canonical.InvalidRequest, "Invalid input for field/attribute name. Value: %s. '%s' is too %s", name, name, lengthWord(n))
	case strings.TrimSpace(name) != name:
		return canonical.Errorf(canonical.InvalidRequest, refused+"printable characters. Can not start or end with whitespace.")
	case strings.ContainsFunc(name, func(c rune) bool { return !strings.ContainsRune(letters, c) }):
		return canonical.Errorf(canonical.InvalidRequest, refused+"Only expected characters: [%s]", letters)
	default:
		return nil
	}
}

func lengthWord(n int) string {
	if n == 0 {
		return "short"
	}
	return "long"
}

func keypairRoutes() []translate.Route {
	get := func(id canonical.ID) canonical.KeypairGet { return canonical.KeypairGet{ID: id} }
	return []translate.Route{
		{
			ID: "nova.keypair.list", Service: "compute", Method: "GET", Path: "/os-keypairs", Op: canonical.ListKeypairs.Spec(),
			Want: v(35), Needs: []translate.Need{needMarker(canonical.GetKeypair, get)}, Ask: askKeypairs, Answer: keypairsAnswer, Status: 200,
		},
		{
			ID: "nova.keypair.show", Service: "compute", Method: "GET", Path: "/os-keypairs/{id}", Op: canonical.GetKeypair.Spec(), Want: v(2),
			Ask: translate.ByID[canonical.KeypairGet]("id"), Answer: keypairAnswer(true), Status: 200,
		},
		{
			ID: "nova.keypair.create", Service: "compute", Method: "POST", Path: "/os-keypairs", Op: canonical.CreateKeypair.Spec(), Want: v(2),
			Ask: askKeypairCreate, Answer: keypairAnswer(false), Status: 201,
		},
		{
			ID: "nova.keypair.delete", Service: "compute", Method: "DELETE", Path: "/os-keypairs/{id}", Op: canonical.DeleteKeypair.Spec(),
			Ask:    translate.ByID[canonical.KeypairDelete]("id"),
			Answer: keypairGone(), Status: 204,
		},
	}
}

// keypairGone answers 202 below 2.2.
func keypairGone() translate.Answer[canonical.None, translate.NoBody] {
	a := translate.Nothing[canonical.None]()
	a.Say = func(_ canonical.TypedReply[canonical.None], env *translate.Env, to *translate.Response) (translate.NoBody, error) {
		if !env.Version.IsZero() && !env.Version.AtLeast(v(2)) {
			to.Status = 202
		}
		return translate.NoBody{}, nil
	}
	return a
}

// isTrue reads a boolean of a query; nil where there is none.
func isTrue(s string) *bool {
	got, err := strconv.ParseBool(s)
	if err != nil {
		return nil
	}
	return &got
}
