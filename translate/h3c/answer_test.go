package h3c

import (
	"net/url"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// TestShownSurvives: what is heard of a server, said and heard again, is the same.
func TestShownSurvives(t *testing.T) {
	for _, file := range []string{"testdata/server.show.json", "../../../shared/vectors/h3c/h3c.server.show.response.json"} {
		body, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue // the catalogue's examples are not everywhere
		}
		if err != nil {
			t.Fatal(err)
		}
		row, _ := Table().Row(canonical.GetServer.Spec(), canonical.ServerGet{})
		env := &translate.Env{Native: true, Wire: &translate.Request{Query: url.Values{}}}
		once, err := row.HearReply(&translate.Response{Body: body}, env)
		if err != nil {
			t.Fatal(err)
		}
		said, err := row.SayReply(once, env)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := row.HearReply(said, env)
		if diff := cmp.Diff(once.Result, twice.Result); err != nil || diff != "" {
			t.Errorf("%s: %v %s", file, err, diff)
		}
	}
}
