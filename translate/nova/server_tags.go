package nova

import (
	"net/url"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type tagsBody struct {
	Tags []string `json:"tags"`
}

var tagsAnswer = translate.Answer[canonical.Tags, tagsBody]{
	Say: func(r canonical.TypedReply[canonical.Tags], _ *translate.Env, _ *translate.Response) (tagsBody, error) {
		return tagsBody{words.List(r.Result.Tags)}, nil
	},
	Hear: func(w tagsBody, _ *translate.Response, _ *translate.Env) (canonical.Tags, error) {
		return canonical.Tags{Tags: words.List(w.Tags)}, nil
	},
}

var askTags = translate.Ask[canonical.TagReplace, tagsBody]{
	Say: func(r canonical.TagReplace, _ *translate.Env, to *translate.Request) (tagsBody, error) {
		translate.SayPath(r, to)
		return tagsBody{words.List(r.Tags)}, nil
	},
	Hear: func(w tagsBody, from *translate.Request, _ *translate.Env) (r canonical.TagReplace, err error) {
		translate.HearPath(from, &r)
		if w.Tags == nil {
			return r, canonical.Errorf(canonical.InvalidRequest, "Invalid input for field/attribute tags. 'tags' is a required property")
		}
		r.Tags = w.Tags
		return r, nil
	},
}

// factTagged is there where the server has the tag before it gets it.
const factTagged = "tagged"

func needTagged() translate.Need {
	return translate.Need{
		Fact: factTagged,
		Hear: func(req *translate.Request) (canonical.Call, bool) {
			return translate.Question(canonical.CheckTag, canonical.TagCheck{ID: canonical.ID(req.Params["id"]), Tag: req.Params["tag"]}), true
		},
		Pick: func(any, *translate.Env) any { return true },
	}
}

// tagAdded is 201 with the tag's place for a new tag, and 204 for one that was there.
func tagAdded() translate.Answer[canonical.None, translate.NoBody] {
	a := translate.Nothing[canonical.None]()
	a.Say = func(_ canonical.TypedReply[canonical.None], env *translate.Env, to *translate.Response) (translate.NoBody, error) {
		if was, _ := translate.Fact[bool](env, factTagged); was {
			to.Status = 204
			return translate.NoBody{}, nil
		}
		asked, _ := env.Asked.(canonical.TagAdd)
		to.Header.Set("Location", env.Base("compute")+"/servers/"+url.PathEscape(string(asked.ID))+"/tags/"+url.PathEscape(asked.Tag))
		return translate.NoBody{}, nil
	}
	return a
}

func tagRoutes() []translate.Route {
	const all, one = "/servers/{id}/tags", "/servers/{id}/tags/{tag}"
	return []translate.Route{
		{
			ID: "nova.server.tags.list", Service: "compute", Method: "GET", Path: all, Op: canonical.ListTags.Spec(), Since: v(26),
			Ask: translate.ByPath[canonical.TagList](), Answer: tagsAnswer, Status: 200,
		},
		{
			ID: "nova.server.tags.replace", Service: "compute", Method: "PUT", Path: all, Op: canonical.ReplaceTags.Spec(), Since: v(26),
			Ask: askTags, Answer: tagsAnswer, Status: 200,
		},
		{
			ID: "nova.server.tags.clear", Service: "compute", Method: "DELETE", Path: all, Op: canonical.ClearTags.Spec(), Since: v(26),
			Ask: translate.ByPath[canonical.TagClear](), Answer: translate.Nothing[canonical.None](), Status: 204,
		},
		{
			ID: "nova.server.tags.check", Service: "compute", Method: "GET", Path: one, Op: canonical.CheckTag.Spec(), Since: v(26),
			Ask: translate.ByPath[canonical.TagCheck](), Answer: translate.Nothing[canonical.None](), Status: 204,
		},
		{
			ID: "nova.server.tags.add", Service: "compute", Method: "PUT", Path: one, Op: canonical.AddTag.Spec(), Since: v(26),
			Needs: []translate.Need{needTagged()}, Ask: translate.ByPath[canonical.TagAdd](), Answer: tagAdded(), Status: 201,
		},
		{
			ID: "nova.server.tags.remove", Service: "compute", Method: "DELETE", Path: one, Op: canonical.RemoveTag.Spec(), Since: v(26),
			Ask: translate.ByPath[canonical.TagRemove](), Answer: translate.Nothing[canonical.None](), Status: 204,
		},
	}
}
