package huawei

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// TestJobNames: entities name servers and NICs in every form that hws.job.show has.
func TestJobNames(t *testing.T) {
	cases := map[string]struct {
		entities string
		want     []canonical.Resource
	}{
		"Nothing":  {`{}`, []canonical.Resource{}},
		"Single":   {`{"server_id": "s1"}`, []canonical.Resource{{Type: "server", ID: "s1"}}},
		"NIC":      {`{"nic_id": "n1"}`, []canonical.Resource{{Type: "interface", ID: "n1"}}},
		"SubJobs":  {`{"sub_jobs_total": 1, "sub_jobs": [{"entities": {"server_id": "s2"}}]}`, []canonical.Resource{{Type: "server", ID: "s2"}}},
		"Starting": {`{"sub_jobs_total": 1, "sub_jobs": [{"entities": {}}]}`, []canonical.Resource{}},
	}
	row, _ := Table().Row(canonical.GetOperation.Spec(), canonical.OperationGet{}, translate.Window{})
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			body := `{"job_id": "j", "job_type": "createServer", "status": "RUNNING", "end_time": "", "entities": ` + c.entities + `}`
			got, err := row.HearReply(&translate.Response{Body: []byte(body)}, &translate.Env{})
			if err != nil {
				t.Fatal(err)
			}
			o, _ := got.Result.(canonical.Operation)
			if diff := cmp.Diff(c.want, o.Resources); diff != "" || o.Operation != "server.create" {
				t.Error(o.Operation, diff)
			}
		})
	}
}
