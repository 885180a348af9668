package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway/gatewaytest"
)

// fleet is a whole dragoman over memory with n servers of one tenant, whose key it
// gives with the id of one server.
func fleet(b *testing.B, n int) (h http.Handler, key string, id canonical.ID) {
	b.Helper()
	s := gatewaytest.New(b, gatewaytest.Share("mem", memory.New(memory.Options{})))
	key = s.Key("acme", canonical.Member)
	ctx := canonical.WithCaller(context.Background(), canonical.Caller{Tenant: "acme", Role: canonical.Member})
	for made := 0; made < n; {
		r := canonical.ServerCreate{Name: fmt.Sprintf("s%d", made), Flavor: "small", Image: "cirros", Count: min(100, n-made)}
		reply, err := canonical.CreateServer.Do(ctx, s.Broker, r)
		if err != nil {
			b.Fatal(err)
		}
		made, id = made+r.Count, reply.Result.Servers[0].ID
	}
	return s.Handler, key, id
}

func benchmarkGet(b *testing.B, h http.Handler, key, target string) (body []byte) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r.Header.Set("Authorization", "Bearer "+key)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
		body = w.Body.Bytes()
	}
	return body
}

func BenchmarkGetServer(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprintf("of%d", n), func(b *testing.B) {
			h, key, id := fleet(b, n)
			benchmarkGet(b, h, key, "/v1/servers/"+string(id))
		})
	}
}

func BenchmarkPageOf1000Of10000(b *testing.B) {
	h, key, _ := fleet(b, 10_000)
	var page canonical.Page[json.RawMessage]
	if err := json.Unmarshal(benchmarkGet(b, h, key, "/v1/servers?limit=1000"), &page); err != nil || len(page.Items) != 1000 || page.NextCursor == "" {
		b.Fatalf("%d items, %v", len(page.Items), err)
	}
}
