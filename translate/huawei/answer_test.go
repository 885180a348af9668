package huawei

import (
	"net/url"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// TestListSurvives: what is heard of servers, said and heard again, is the same.
func TestListSurvives(t *testing.T) {
	for _, file := range []string{"testdata/cloudserver.list_detail.json", "../../../shared/vectors/huawei-ecs/hws.cloudserver.list_detail.response.json"} {
		body, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue // the catalogue's examples are not everywhere
		}
		if err != nil {
			t.Fatal(err)
		}
		once := hearAll(t, body)
		row, _ := Table().Row(canonical.ListServers.Spec(), canonical.ServerList{})
		env := &translate.Env{Wire: &translate.Request{Query: url.Values{"offset": {"1"}}}}
		said, err := row.SayReply(canonical.Reply{Result: canonical.Page[canonical.Server]{Items: once}}, env)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(once, hearAll(t, said.Body)); len(once) == 0 || diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

func hearAll(t *testing.T, body []byte) []canonical.Server {
	t.Helper()
	row, _ := Table().Row(canonical.ListServers.Spec(), canonical.ServerList{})
	got, err := row.HearReply(&translate.Response{Body: body}, &translate.Env{})
	if err != nil {
		t.Fatal(err)
	}
	all, _ := got.Result.([]canonical.Server)
	return all
}
