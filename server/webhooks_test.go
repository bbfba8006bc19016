package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mekiki/server/auth"
	"mekiki/server/problem"
	"mekiki/server/webhooks"
)

// TestWebhooks: a job that ends and a picture that is uploaded are told of, and administrators alone see what was sent, and
// never the secret.
func TestWebhooks(t *testing.T) {
	came := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		came <- string(body)
	}))
	defer receiver.Close()
	list, secrets := tokens(t)
	const secret = "0123456789abcdef0123456789abcdef"
	hook := webhooks.Hook{Name: "chat", URL: receiver.URL, Secret: []byte(secret), Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	f := start(t, func(o *Options) { o.Tokens, o.Webhooks = list, []webhooks.Hook{hook} })
	admin, reader := bearer(secrets[auth.ScopeAdmin]), bearer(secrets[auth.ScopeRead])
	wait := func(parts ...string) {
		t.Helper()
		for deadline := time.After(30 * time.Second); ; {
			select {
			case body := <-came:
				fits := true
				for _, part := range parts {
					fits = fits && strings.Contains(body, part)
				}
				if fits {
					return
				}
			case <-deadline:
				t.Fatalf("nothing came with %v", parts)
			}
		}
	}
	f.expect(f.json("POST", "/api/v1/webhooks/chat/test", "", admin), 202, "")
	wait(`"type":"webhook.test"`)
	f.expect(f.json("POST", "/api/v1/jobs", `{}`, admin), 202, "")
	wait(`"type":"job.finished"`, `"state":"succeeded"`, `"id":"1"`)
	added := f.expect(f.form("/api/v1/records", map[string]string{"image": string(jpegOf(61, 30))}, admin), 201, "")
	wait(`"type":"records.added"`, `"ids":["`+added.text(t, "id")+`"]`)

	shown := f.expect(f.get("/api/v1/webhooks", admin), 200, "")
	if shown.text(t, "webhooks.0.name") != "chat" || strings.Contains(string(shown.body), "MDEy") || strings.Contains(string(shown.body), secret) {
		t.Errorf("%s", shown.body)
	}
	page := f.expect(f.get("/api/v1/webhooks/deliveries?limit=2", admin), 200, "")
	rest := f.expect(f.get("/api/v1/webhooks/deliveries?cursor="+page.text(t, "cursor"), admin), 200, "")
	if len(page.at(t, "deliveries").([]any)) != 2 || rest.text(t, "deliveries.0.event") != webhooks.EventTest {
		t.Errorf("%s\n%s", page.body, rest.body)
	}
	for _, path := range []string{"/api/v1/webhooks", "/api/v1/webhooks/deliveries"} {
		f.expect(f.get(path, reader), 403, problem.Forbidden)
		f.expect(f.get(path, bearer(secrets[auth.ScopeWrite])), 403, problem.Forbidden)
	}
	f.expect(f.json("POST", "/api/v1/webhooks/chat/test", "", reader), 403, problem.Forbidden)
	f.expect(f.json("POST", "/api/v1/webhooks/none/test", "", admin), 404, problem.NotFound)
}
