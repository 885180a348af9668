package huawei

import (
	"net/http"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type jobID struct {
	JobID string `json:"job_id"`
}

func sayJob(r canonical.TypedReply[canonical.ServersCreated], _ *translate.Env, _ *translate.Response) (jobID, error) {
	if r.Task == nil || r.Task.Job == "" {
		return jobID{}, canonical.Errorf(canonical.Internal, "the cloud behind gave no job to follow")
	}
	return jobID{string(r.Task.Job)}, nil
}

func hearJob(jobID, *translate.Response, *translate.Env) (canonical.ServersCreated, error) {
	return canonical.ServersCreated{}, canonical.Errorf(canonical.UpstreamError, "the cloud's answer names no job")
}

func later(w jobID, _ *translate.Env) *canonical.Task {
	if w.JobID == "" {
		return nil
	}
	return &canonical.Task{Job: canonical.ID(w.JobID), Resources: []canonical.Resource{}}
}

// job is the state of a job (hws.job.show).
type job struct {
	JobID      string   `json:"job_id"`
	JobType    string   `json:"job_type"`
	BeginTime  string   `json:"begin_time"`
	EndTime    string   `json:"end_time"` // "" while it runs
	Status     string   `json:"status"`
	ErrorCode  *string  `json:"error_code"`
	FailReason *string  `json:"fail_reason"`
	Entities   entities `json:"entities"`
}

// entities is one of: sub jobs, a server, a NIC, nothing.
type entities struct {
	Total    int    `json:"sub_jobs_total,omitempty"`
	SubJobs  []job  `json:"sub_jobs,omitempty"`
	ServerID string `json:"server_id,omitempty"`
	NICID    string `json:"nic_id,omitempty"`
}

const millis = "2006-01-02T15:04:05.000Z"

// jobTypes are the words for canonical operations; others pass as they are.
var jobTypes = map[string]string{"server.create": "createServer", "server.delete": "deleteServer"}

func jobType(op string) string {
	if word, ok := jobTypes[op]; ok {
		return word
	}
	return op
}

func operation(word string) string {
	for op, known := range jobTypes {
		if known == word {
			return op
		}
	}
	return word
}

func sayOperation(r canonical.TypedReply[canonical.Operation], _ *translate.Env, _ *translate.Response) (job, error) {
	o := r.Result
	w := job{
		JobID: string(o.ID), JobType: jobType(o.Operation), Status: sayJobStatus(o.Status), BeginTime: words.Stamp(&o.CreatedAt, millis),
	}
	if o.Status.Final() {
		w.EndTime = words.Stamp(&o.UpdatedAt, millis)
	}
	if o.Error != nil {
		code := string(o.Error.Code)
		if up := o.Error.Upstream; up != nil && up.Code != "" { // in the cloud's own words
			code = up.Code
		}
		w.ErrorCode, w.FailReason = &code, &o.Error.Detail
	}
	for _, res := range o.Resources {
		if sub := (entities{ServerID: string(res.ID)}); res.Type == "server" {
			w.Entities.SubJobs = append(w.Entities.SubJobs, job{
				JobID: w.JobID, JobType: "createSingleServer", BeginTime: w.BeginTime, EndTime: w.EndTime, Status: w.Status, Entities: sub,
			})
		}
	}
	w.Entities.Total = len(w.Entities.SubJobs)
	return w, nil
}

func hearOperation(w job, _ *translate.Response, _ *translate.Env) (canonical.Operation, error) {
	if w.Status == "" {
		return canonical.Operation{}, canonical.Errorf(canonical.UpstreamError, "the cloud's answer holds no job")
	}
	o := canonical.Operation{
		ID: canonical.ID(w.JobID), Operation: operation(w.JobType), Status: hearJobStatus(w.Status),
		Resources: w.Entities.resources([]canonical.Resource{}), Steps: []canonical.Step{},
		CreatedAt: words.Or(words.Time(w.BeginTime), time.Time{}),
	}
	o.UpdatedAt = words.Or(words.Time(w.EndTime), o.CreatedAt)
	switch o.Status {
	case canonical.OperationSucceeded:
		o.Progress = 100
	case canonical.OperationFailed:
		o.Error = &canonical.Problem{
			Code: canonical.UpstreamError, Status: http.StatusBadGateway, Title: canonical.UpstreamError.Title(),
			Detail: words.Or(w.FailReason, "the job failed"), Upstream: &canonical.Upstream{Code: words.Or(w.ErrorCode, "")},
		}
	case canonical.OperationPending, canonical.OperationRunning, canonical.OperationCancelled:
	}
	return o, nil
}

// resources are what the entities name, at any depth.
func (e *entities) resources(to []canonical.Resource) []canonical.Resource {
	if e.ServerID != "" {
		to = append(to, canonical.Resource{Type: "server", ID: canonical.ID(e.ServerID)})
	}
	if e.NICID != "" {
		to = append(to, canonical.Resource{Type: "interface", ID: canonical.ID(e.NICID)})
	}
	for i := range e.SubJobs {
		to = e.SubJobs[i].Entities.resources(to)
	}
	return to
}
