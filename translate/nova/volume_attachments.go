package nova

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// volumeAttachment is a volume of a server. Its id is the volume's, and gone from 2.89
// on.
type volumeAttachment struct {
	ID         string                `json:"id,omitempty" until:"2.88"`
	Volume     string                `json:"volumeId"`
	Server     string                `json:"serverId"`
	Device     canonical.Opt[string] `json:"device"`
	Tag        canonical.Opt[string] `json:"tag,omitzero" since:"2.70"`
	Delete     canonical.Opt[bool]   `json:"delete_on_termination,omitzero" since:"2.79"`
	Attachment canonical.Opt[string] `json:"attachment_id,omitzero" since:"2.89"`
	Mapping    canonical.Opt[string] `json:"bdm_uuid,omitzero" since:"2.89" wire:"native"`
}

type volumeAttachmentBody struct {
	Attachment volumeAttachment `json:"volumeAttachment"`
}

type volumeAttachmentsBody struct {
	Attachments []volumeAttachment `json:"volumeAttachments"`
}

func hearAttachment(w volumeAttachment, env *translate.Env) canonical.VolumeAttachment {
	a := canonical.VolumeAttachment{
		ID: canonical.ID(w.Volume), Volume: canonical.ID(w.Volume), Server: canonical.ID(w.Server), Device: words.Filled(w.Device.Or("")),
		Tag: words.Filled(w.Tag.Or("")), DeleteWithServer: ptr(w.Delete), Attachment: words.Filled(w.Attachment.Or("")),
	}
	if env.Native {
		a.Native = map[string]any{}
		put(a.Native, "bdm_uuid", w.Mapping)
	}
	return a
}

func sayAttachment(a canonical.VolumeAttachment) volumeAttachment {
	return volumeAttachment{
		ID: string(a.Volume), Volume: string(a.Volume), Server: string(a.Server), Device: opt(a.Device), Tag: opt(a.Tag),
		Delete: canonical.Some(words.Or(a.DeleteWithServer, false)), Attachment: opt(a.Attachment),
		Mapping: canonical.Some(kept(a.Native, "bdm_uuid", string(a.Volume))),
	}
}

var attachmentAnswer = translate.Answer[canonical.VolumeAttachment, volumeAttachmentBody]{
	Say: func(r canonical.TypedReply[canonical.VolumeAttachment], env *translate.Env, _ *translate.Response) (volumeAttachmentBody, error) {
		a := r.Result
		if asked, ok := env.Asked.(canonical.VolumeAttach); ok && a.Volume == "" { // the work goes on, and will tell
			a.Server, a.Volume, a.Device = asked.ID, canonical.ID(asked.Volume), words.Filled(asked.Device)
		}
		return volumeAttachmentBody{sayAttachment(a)}, nil
	},
	Hear: func(w volumeAttachmentBody, _ *translate.Response, env *translate.Env) (canonical.VolumeAttachment, error) {
		return hearAttachment(w.Attachment, env), nil
	},
}

var attachmentsAnswer = translate.List[canonical.VolumeAttachment, volumeAttachmentsBody]{
	Say: func(p canonical.Page[canonical.VolumeAttachment], _ *translate.Env, _ *translate.Response) (volumeAttachmentsBody, error) {
		w := volumeAttachmentsBody{make([]volumeAttachment, len(p.Items))}
		for i, a := range p.Items {
			w.Attachments[i] = sayAttachment(a)
		}
		return w, nil
	},
	Hear: func(w volumeAttachmentsBody, _ *translate.Response, env *translate.Env) ([]canonical.VolumeAttachment, error) {
		out := make([]canonical.VolumeAttachment, len(w.Attachments))
		for i, a := range w.Attachments {
			out[i] = hearAttachment(a, env)
		}
		return out, nil
	},
}

var askAttachments = translate.Ask[canonical.VolumeAttachmentList, translate.NoBody]{
	Say: func(r canonical.VolumeAttachmentList, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
		translate.SayPath(r, to)
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, from *translate.Request, env *translate.Env) (r canonical.VolumeAttachmentList, err error) {
		translate.HearPath(from, &r)
		r.ListOptions, err = hearPaging(from, env, pagingOf(canonical.ByName))
		return r, err
	},
}

type attachBody struct {
	Attachment attach `json:"volumeAttachment"`
}

type attach struct {
	Volume string  `json:"volumeId"`
	Device *string `json:"device,omitempty"`
	Tag    string  `json:"tag,omitempty" since:"2.49"`
	Delete *loose  `json:"delete_on_termination,omitempty" since:"2.79"`
}

var askAttach = translate.Ask[canonical.VolumeAttach, attachBody]{
	Say: func(r canonical.VolumeAttach, _ *translate.Env, to *translate.Request) (attachBody, error) {
		translate.SayPath(r, to)
		w := attach{Volume: string(r.Volume), Device: words.Filled(r.Device), Tag: r.Tag}
		if r.DeleteWithServer {
			yes := loose(true)
			w.Delete = &yes
		}
		return attachBody{w}, nil
	},
	Hear: func(w attachBody, from *translate.Request, _ *translate.Env) (r canonical.VolumeAttach, err error) {
		translate.HearPath(from, &r)
		a := w.Attachment
		r.Volume, r.Device, r.Tag, r.DeleteWithServer = canonical.Ref(a.Volume), words.Or(a.Device, ""), a.Tag, a.Delete != nil && bool(*a.Delete)
		return r, nil
	},
}

type attachmentUpdateBody struct {
	Attachment attachmentUpdate `json:"volumeAttachment"`
}

// attachmentUpdate is what 2.85 makes of the swap of volumes: beside what may change,
// clients send back what may not.
type attachmentUpdate struct {
	Volume string                `json:"volumeId"`
	Delete canonical.Opt[loose]  `json:"delete_on_termination,omitzero"`
	ID     canonical.Opt[string] `json:"id,omitzero" wire:"advisory"`
	Server canonical.Opt[string] `json:"serverId,omitzero" wire:"advisory"`
	Device canonical.Opt[string] `json:"device,omitzero" wire:"advisory"`
	Tag    canonical.Opt[string] `json:"tag,omitzero" wire:"advisory"`
}

var askAttachmentUpdate = translate.Ask[canonical.VolumeAttachmentUpdate, attachmentUpdateBody]{
	Say: func(r canonical.VolumeAttachmentUpdate, _ *translate.Env, to *translate.Request) (attachmentUpdateBody, error) {
		translate.SayPath(r, to)
		return attachmentUpdateBody{attachmentUpdate{Volume: string(r.Volume), Delete: canonical.Some(loose(r.DeleteWithServer.Or(false)))}}, nil
	},
	Hear: func(w attachmentUpdateBody, from *translate.Request, _ *translate.Env) (r canonical.VolumeAttachmentUpdate, err error) {
		translate.HearPath(from, &r)
		if w.Attachment.Volume != string(r.Volume) {
			return r, words.Refuse("volumeId", "volumes are not swapped here")
		}
		if to, ok := w.Attachment.Delete.Get(); ok {
			r.DeleteWithServer = canonical.Some(bool(to))
		}
		return r, nil
	},
}

// unsaidAttachment answers without a body; the adapter asks for what is there then.
var unsaidAttachment = translate.Answer[canonical.VolumeAttachment, translate.NoBody]{
	Say: func(canonical.TypedReply[canonical.VolumeAttachment], *translate.Env, *translate.Response) (translate.NoBody, error) {
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, _ *translate.Response, env *translate.Env) (canonical.VolumeAttachment, error) {
		asked, _ := env.Asked.(canonical.VolumeAttachmentUpdate)
		return canonical.VolumeAttachment{
			ID: asked.Volume, Volume: asked.Volume, Server: asked.ID, DeleteWithServer: ptr(asked.DeleteWithServer),
		}, nil
	},
}

// factVolume is the volume that is to be detached.
const factVolume = "volume"

// needVolume asks for a volume before it is detached: one that several servers have
// stays in use.
func needVolume() translate.Need {
	return translate.Need{
		Fact: factVolume, Fresh: true,
		Say: func(req any) (canonical.Call, bool) {
			r, ok := req.(canonical.VolumeDetach)
			return translate.Question(canonical.GetVolume, canonical.VolumeGet{ID: r.Volume}), ok
		},
	}
}

// attachDone waits until the volume is in use; one that is available again was not
// attached.
func attachDone(req, _ any, _ *translate.Env) *canonical.Task {
	r, _ := req.(canonical.VolumeAttach)
	task := canonical.WaitState("volume", canonical.ID(r.Volume), string(canonical.VolumeInUse))
	task.State.Failed = []string{string(canonical.VolumeAvailable)}
	return task
}

// detachDone waits until the volume is free, unless the cloud tells of no volumes.
func detachDone(req, _ any, env *translate.Env) *canonical.Task {
	r, _ := req.(canonical.VolumeDetach)
	before, known := translate.Fact[canonical.Volume](env, factVolume)
	if !known {
		return nil
	}
	task := canonical.WaitState("volume", r.Volume, string(canonical.VolumeAvailable))
	if rest := &task.State.Failed; len(before.Attachments) > 1 {
		task.State.Done = append(task.State.Done, string(canonical.VolumeInUse))
	} else {
		*rest = []string{string(canonical.VolumeInUse)}
	}
	return task
}

func volumeAttachmentRoutes() []translate.Route {
	const all, one = "/servers/{id}/os-volume_attachments", "/servers/{id}/os-volume_attachments/{volume}"
	return []translate.Route{
		{
			ID: "nova.volume_attachment.list", Service: "compute", Method: "GET", Path: all, Op: canonical.ListVolumeAttachments.Spec(),
			Want: v(89), Ask: askAttachments, Answer: attachmentsAnswer, Status: 200,
		},
		{
			ID: "nova.volume_attachment.show", Service: "compute", Method: "GET", Path: one, Op: canonical.GetVolumeAttachment.Spec(),
			Want: v(89), Ask: translate.ByPath[canonical.VolumeAttachmentGet](), Answer: attachmentAnswer, Status: 200,
		},
		{
			ID: "nova.volume_attachment.create", Service: "compute", Method: "POST", Path: all, Op: canonical.AttachVolume.Spec(),
			Want: v(60), Ask: askAttach, Answer: attachmentAnswer, Status: 200, Done: attachDone,
		},
		{
			ID: "nova.volume_attachment.update", Service: "compute", Method: "PUT", Path: one, Op: canonical.UpdateVolumeAttachment.Spec(),
			Since: v(85), Ask: askAttachmentUpdate, Answer: unsaidAttachment, Status: 202,
		},
		{
			ID: "nova.volume_attachment.delete", Service: "compute", Method: "DELETE", Path: one, Op: canonical.DetachVolume.Spec(),
			Needs: []translate.Need{needVolume()}, Ask: translate.ByPath[canonical.VolumeDetach](), Answer: translate.Nothing[canonical.None](), Status: 202,
			Done: detachDone,
		},
	}
}
