package server

import (
	"net/http"
	"strings"
	"testing"

	"mekiki/server/auth"
	"mekiki/server/problem"
)

const friend = "https://photos.example"

func fromPage(origin string) func(*http.Request) {
	return func(request *http.Request) {
		request.Header.Set("Origin", origin)
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		request.Header.Set("Sec-Fetch-Mode", "cors")
	}
}

// TestPagesOfOtherOrigins: pages of allowed origins call the API with a token, never with a cookie; others do not.
func TestPagesOfOtherOrigins(t *testing.T) {
	list, secrets := tokens(t)
	f := start(t, func(o *Options) { o.Tokens, o.Origins = list, []string{friend} })
	token := bearer(secrets[auth.ScopeWrite])
	ask := func(header, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Access-Control-Request-"+header, value) }
	}
	preflight := f.send(f.request("OPTIONS", "/api/v1/edits", nil, fromPage(friend), ask("Method", "POST"), ask("Headers", "authorization,content-type,idempotency-key")))
	if head := preflight.Header; preflight.StatusCode != 204 || head.Get("Access-Control-Allow-Origin") != friend || !strings.Contains(head.Get("Access-Control-Allow-Methods"), "PATCH") ||
		!strings.Contains(head.Get("Access-Control-Allow-Headers"), "Idempotency-Key") || head.Get("Access-Control-Allow-Credentials") != "" || head.Get("Access-Control-Max-Age") == "" {
		t.Errorf("preflight: %d %v", preflight.StatusCode, preflight.Header)
	}
	got := f.expect(f.get("/api/v1/records/1", fromPage(friend), token), 200, "")
	if got.Header.Get("Access-Control-Allow-Origin") != friend || !strings.Contains(got.Header.Get("Access-Control-Expose-Headers"), "ETag") ||
		!strings.Contains(strings.Join(got.Header.Values("Vary"), ","), "Origin") || got.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("answer: %v", got.Header)
	}
	f.expect(f.json("PATCH", "/api/v1/records/1", `{"rating":1}`, fromPage(friend), token), 200, "")
	if refused := f.expect(f.get("/api/v1/records/99", fromPage(friend), token), 404, problem.NotFound); refused.Header.Get("Access-Control-Allow-Origin") != friend {
		t.Errorf("a problem cannot be read: %v", refused.Header)
	}
	cookie := f.json("POST", "/api/v1/session", `{"token":"`+secrets[auth.ScopeAdmin]+`"}`).Cookies()[0]
	signedIn := func(r *http.Request) { r.AddCookie(cookie) }
	f.expect(f.get("/api/v1/records/1", signedIn), 200, "")
	f.expect(f.get("/api/v1/records/1", fromPage(friend), signedIn), 401, problem.Unauthorized)
	f.expect(f.json("POST", "/api/v1/edits", `{"ids":["1"]}`, fromPage(friend), signedIn), 401, problem.Unauthorized)

	for _, origin := range []string{"https://evil.example", "http://photos.example", friend + ":8443", "https://photos.example.evil.example", "https://PHOTOS.example", "null", friend + "/", "*"} {
		for _, got := range []answer{
			f.get("/api/v1/records/1", fromPage(origin), token),
			f.send(f.request("OPTIONS", "/api/v1/edits", nil, fromPage(origin), ask("Method", "POST"))),
		} {
			f.expect(got, 403, problem.CrossSite)
			if got.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s: %v", origin, got.Header)
			}
		}
	}
	f.expect(f.get("/api/v1/records/1", func(r *http.Request) {
		r.Header["Origin"] = []string{friend, "https://evil.example"}
		r.Header.Set("Sec-Fetch-Site", "cross-site")
	}, token), 403, problem.CrossSite)
	for _, path := range []string{"/", "/metrics"} { // the API alone
		f.expect(f.get(path, fromPage(friend), token), 403, problem.CrossSite)
	}
	plain := start(t, func(o *Options) { o.Tokens = list })
	plain.expect(plain.get("/api/v1/records/1", fromPage(friend), token), 403, problem.CrossSite)
}

// TestOriginsRefused: an origin is exact, and means nothing on a server that anybody may use.
func TestOriginsRefused(t *testing.T) {
	for origin, fine := range map[string]bool{
		"https://a.example": true, "http://localhost:5173": true, "http://[::1]:8080": true, "*": false, "null": false, "https://*.example": false, "https://a.example/": false,
		"https://A.example": false, "a.example": false, "https://a.example:443": false, "ftp://a.example": false, "https://u@a.example": false, "https://a.example?x": false, "": false,
	} {
		if err := auth.CheckOrigin(origin); (err == nil) != fine {
			t.Errorf("%q: %v", origin, err)
		}
	}
	if err := (Options{Origins: []string{friend}}).Validate(); err == nil || !strings.Contains(err.Error(), "tokens") {
		t.Errorf("without tokens: %v", err)
	}
}
