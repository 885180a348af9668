package nova

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type imageMember struct {
	Member    string `json:"member_id"`
	Image     string `json:"image_id"`
	Status    string `json:"status"`
	CreatedAt string `json:"created_at"`
	UpdatedAt string `json:"updated_at"`
	Schema    string `json:"schema"`
}

type imageMembersBody struct {
	Members []imageMember `json:"members"`
	Schema  string        `json:"schema"`
}

func hearMember(w imageMember) canonical.ImageMember {
	return canonical.ImageMember{
		ID: canonical.ID(w.Member), Image: canonical.ID(w.Image), Status: w.Status, CreatedAt: words.Time(w.CreatedAt), UpdatedAt: words.Time(w.UpdatedAt),
	}
}

func sayMember(m canonical.ImageMember) imageMember {
	return imageMember{
		string(m.ID), string(m.Image), m.Status, words.Stamp(m.CreatedAt, zoned), words.Stamp(m.UpdatedAt, zoned), "/v2/schemas/member",
	}
}

var memberAnswer = translate.Answer[canonical.ImageMember, imageMember]{
	Say: func(r canonical.TypedReply[canonical.ImageMember], _ *translate.Env, _ *translate.Response) (imageMember, error) {
		return sayMember(r.Result), nil
	},
	Hear: func(w imageMember, _ *translate.Response, _ *translate.Env) (canonical.ImageMember, error) {
		return hearMember(w), nil
	},
}

type memberAsked struct {
	Member string `json:"member"`
}

type memberStatus struct {
	Status string `json:"status"`
}

func imageMemberRoutes() []translate.Route {
	const all, one = "/v2/images/{id}/members", "/v2/images/{id}/members/{member}"
	return []translate.Route{
		{
			ID: "glance.member.list", Service: "image", Method: "GET", Path: all, Op: canonical.ListImageMembers.Spec(), Status: 200,
			Ask: translate.Ask[canonical.ImageMemberList, translate.NoBody]{
				Say: func(r canonical.ImageMemberList, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
					translate.SayPath(r, to)
					return translate.NoBody{}, nil
				},
				Hear: func(_ translate.NoBody, from *translate.Request, _ *translate.Env) (r canonical.ImageMemberList, _ error) {
					translate.HearPath(from, &r)
					r.ListOptions = everything()
					return r, nil
				},
			},
			Answer: translate.List[canonical.ImageMember, imageMembersBody]{
				Say: func(p canonical.Page[canonical.ImageMember], _ *translate.Env, _ *translate.Response) (imageMembersBody, error) {
					w := imageMembersBody{make([]imageMember, len(p.Items)), "/v2/schemas/members"}
					for i, m := range p.Items {
						w.Members[i] = sayMember(m)
					}
					return w, nil
				},
				Hear: func(w imageMembersBody, _ *translate.Response, _ *translate.Env) ([]canonical.ImageMember, error) {
					out := make([]canonical.ImageMember, len(w.Members))
					for i, m := range w.Members {
						out[i] = hearMember(m)
					}
					return out, nil
				},
				Whole: true,
			},
		},
		{
			ID: "glance.member.show", Service: "image", Method: "GET", Path: one, Op: canonical.GetImageMember.Spec(),
			Ask: translate.ByPath[canonical.ImageMemberGet](), Answer: memberAnswer, Status: 200,
		},
		{
			ID: "glance.member.create", Service: "image", Method: "POST", Path: all, Op: canonical.CreateImageMember.Spec(), Status: 200,
			Ask: translate.Ask[canonical.ImageMemberCreate, memberAsked]{
				Say: func(r canonical.ImageMemberCreate, _ *translate.Env, to *translate.Request) (memberAsked, error) {
					translate.SayPath(r, to)
					return memberAsked{r.Member}, nil
				},
				Hear: func(w memberAsked, from *translate.Request, _ *translate.Env) (r canonical.ImageMemberCreate, _ error) {
					translate.HearPath(from, &r)
					r.Member = w.Member
					return r, nil
				},
			},
			Answer: memberAnswer,
		},
		{
			ID: "glance.member.update", Service: "image", Method: "PUT", Path: one, Op: canonical.UpdateImageMember.Spec(), Status: 200,
			Ask: translate.Ask[canonical.ImageMemberUpdate, memberStatus]{
				Say: func(r canonical.ImageMemberUpdate, _ *translate.Env, to *translate.Request) (memberStatus, error) {
					translate.SayPath(r, to)
					return memberStatus{r.Status}, nil
				},
				Hear: func(w memberStatus, from *translate.Request, _ *translate.Env) (r canonical.ImageMemberUpdate, _ error) {
					translate.HearPath(from, &r)
					r.Status = w.Status
					return r, nil
				},
			},
			Answer: memberAnswer,
		},
		{
			ID: "glance.member.delete", Service: "image", Method: "DELETE", Path: one, Op: canonical.DeleteImageMember.Spec(),
			Ask: translate.ByPath[canonical.ImageMemberDelete](), Answer: translate.Nothing[canonical.None](), Status: 204,
		},
		{
			ID: "glance.image.deactivate", Service: "image", Method: "POST", Path: "/v2/images/{id}/actions/deactivate", Op: canonical.DeactivateImage.Spec(),
			Ask: translate.ByPath[canonical.ImageDeactivate](), Answer: translate.Nothing[canonical.None](), Status: 204,
		},
		{
			ID: "glance.image.reactivate", Service: "image", Method: "POST", Path: "/v2/images/{id}/actions/reactivate", Op: canonical.ReactivateImage.Spec(),
			Ask: translate.ByPath[canonical.ImageReactivate](), Answer: translate.Nothing[canonical.None](), Status: 204,
		},
		{
			ID: "glance.image.tag.add", Service: "image", Method: "PUT", Path: "/v2/images/{id}/tags/{tag}", Op: canonical.AddImageTag.Spec(),
			Ask: translate.ByPath[canonical.ImageTagAdd](), Answer: translate.Nothing[canonical.None](), Status: 204,
		},
		{
			ID: "glance.image.tag.remove", Service: "image", Method: "DELETE", Path: "/v2/images/{id}/tags/{tag}", Op: canonical.RemoveImageTag.Spec(),
			Ask: translate.ByPath[canonical.ImageTagRemove](), Answer: translate.Nothing[canonical.None](), Status: 204,
		},
	}
}
