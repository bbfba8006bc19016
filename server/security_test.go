package server

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	"mekiki/internal/hint"
	"mekiki/server/auth"
	"mekiki/server/problem"
)

// tokens makes one token of each scope and gives the secrets by scope.
func tokens(t testing.TB) ([]auth.Token, map[auth.Scope]string) {
	t.Helper()
	var list []auth.Token
	secrets := map[auth.Scope]string{}
	for _, scope := range []auth.Scope{auth.ScopeRead, auth.ScopeWrite, auth.ScopeAdmin} {
		token, secret, err := auth.NewToken(scope.String()+"er", scope)
		if err != nil {
			t.Fatal(err)
		}
		list, secrets[scope] = append(list, token), secret
	}
	token, secret, err := auth.NewShare(auth.Share{Collection: "none", Originals: true})
	if err != nil {
		t.Fatal(err)
	}
	list, secrets[auth.ScopeShare] = append(list, token), secret
	return list, secrets
}

// TestScopesOfEveryOperation asks for each operation without a token and with
// one of each scope, and expects 401, 403 or anything else, as documented.
func TestScopesOfEveryOperation(t *testing.T) {
	list, secrets := tokens(t)
	f := start(t, func(o *Options) { o.Tokens = list })
	for _, operation := range f.document.Operations() {
		need := auth.ScopeNone
		if operation.Scope != "none" {
			scope, err := auth.ParseNeed(operation.Scope)
			if err != nil {
				t.Fatal(err)
			}
			need = scope
		}
		path := withSegments(operation.Path, "999")
		for scope := auth.ScopeNone; scope <= auth.ScopeAdmin; scope++ {
			var edits []func(*http.Request)
			if scope > auth.ScopeNone {
				edits = append(edits, bearer(secrets[scope]))
			}
			got := f.send(f.request(operation.Method, path, nil, edits...))
			refused := got.StatusCode == http.StatusUnauthorized || got.StatusCode == http.StatusForbidden
			if allowed := scope >= need; allowed == refused {
				t.Errorf("%s with scope %s: status %d", operation.ID, scope, got.StatusCode)
			}
			if scope == auth.ScopeNone && refused && got.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s without a token: status %d, want 401", operation.ID, got.StatusCode)
			}
		}
	}
}

func TestWrongTokens(t *testing.T) {
	list, secrets := tokens(t)
	f := start(t, func(o *Options) { o.Tokens = list })
	for _, value := range []string{
		"Bearer wrong", "Bearer ", "Bearer", "Basic " + secrets[auth.ScopeAdmin], secrets[auth.ScopeAdmin],
		"Bearer " + secrets[auth.ScopeRead][:len(secrets[auth.ScopeRead])-1], "Bearer " + secrets[auth.ScopeRead] + "x", "Bearer " + strings.ToUpper(secrets[auth.ScopeRead]),
	} {
		got := f.expect(f.get("/api/v1/status", header("Authorization", value)), 401, problem.Unauthorized)
		if got.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%q: no WWW-Authenticate", value)
		}
		f.expect(f.get("/api/v1/session", header("Authorization", value)), 401, problem.Unauthorized)
	}
	f.expect(f.get("/api/v1/status", bearer(secrets[auth.ScopeRead])), 200, "")
	for _, token := range list {
		if strings.Contains(token.String(), secrets[token.Scope]) {
			t.Error("a token's line shows its secret")
		}
	}
}

func TestSessions(t *testing.T) {
	list, secrets := tokens(t)
	clock := newClock()
	f := start(t, func(o *Options) { o.Tokens = list; o.Now = clock.now })
	if got := f.get("/api/v1/session"); got.text(t, "authentication") != "token" || got.text(t, "scopes") != "[]" {
		t.Errorf("session of a stranger: %s", got.body)
	}
	f.expect(f.json("POST", "/api/v1/session", `{"token":"wrong"}`), 401, problem.Unauthorized)
	signedIn := f.expect(f.json("POST", "/api/v1/session", `{"token":"`+secrets[auth.ScopeWrite]+`"}`), 200, "")
	cookies := signedIn.Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode || strings.Contains(cookies[0].Value, secrets[auth.ScopeWrite]) {
		t.Fatalf("cookies %v", cookies)
	}
	with := func(request *http.Request) { request.AddCookie(cookies[0]) }
	f.expect(f.get("/api/v1/status", with), 200, "")
	f.expect(f.json("POST", "/api/v1/jobs", `{}`, with), 403, problem.Forbidden)
	if got := f.get("/api/v1/session", with); got.text(t, "scopes") != "[read write]" {
		t.Errorf("session: %s", got.body)
	}
	// A cookie is no help to another site.
	f.expect(f.json("POST", "/api/v1/tags", `{"ids":["1"],"add":["x"]}`, with, header("Origin", "https://evil.example")), 403, problem.CrossSite)

	f.expect(f.send(f.request("DELETE", "/api/v1/session", nil, with)), 204, "")
	f.expect(f.get("/api/v1/status", with), 401, problem.Unauthorized)

	again := f.json("POST", "/api/v1/session", `{"token":"`+secrets[auth.ScopeRead]+`"}`).Cookies()[0]
	clock.pass(auth.SessionLifetime)
	f.expect(f.get("/api/v1/status", func(request *http.Request) { request.AddCookie(again) }), 401, problem.Unauthorized)
}

// TestOtherSitesAreRefused covers DNS rebinding (a foreign Host) and cross-site
// requests on loopback, where no token protects.
func TestOtherSitesAreRefused(t *testing.T) {
	f := start(t)
	port := f.base[strings.LastIndex(f.base, ":"):]
	host := func(name string) func(*http.Request) { return func(request *http.Request) { request.Host = name } }
	tests := []struct {
		name    string
		method  string
		path    string
		edits   []func(*http.Request)
		refused bool
	}{
		{"plain", "GET", "/api/v1/status", nil, false},
		{"localhost", "GET", "/api/v1/status", []func(*http.Request){host("localhost" + port)}, false},
		{"name below localhost", "GET", "/api/v1/status", []func(*http.Request){host("mekiki.localhost" + port)}, false},
		{"IPv6 loopback", "GET", "/api/v1/status", []func(*http.Request){host("[::1]" + port)}, false},
		{"rebound name", "GET", "/api/v1/status", []func(*http.Request){host("evil.example" + port)}, true},
		{"rebound name, page", "GET", "/", []func(*http.Request){host("evil.example")}, true},
		{"name that begins like ours", "GET", "/", []func(*http.Request){host("127.0.0.1.evil.example")}, true},
		{"name that ends like ours", "GET", "/", []func(*http.Request){host("notlocalhost")}, true},
		{"address of the network", "GET", "/", []func(*http.Request){host("192.168.1.5")}, true},
		{"foreign image", "GET", "/api/v1/records/1/original", []func(*http.Request){header("Sec-Fetch-Site", "cross-site"), header("Sec-Fetch-Mode", "no-cors")}, true},
		{"other port of this machine", "GET", "/api/v1/status", []func(*http.Request){header("Sec-Fetch-Site", "same-site"), header("Sec-Fetch-Mode", "cors")}, true},
		{"link to the page", "GET", "/", []func(*http.Request){header("Sec-Fetch-Site", "cross-site"), header("Sec-Fetch-Mode", "navigate"), header("Sec-Fetch-Dest", "document")}, false},
		{"page in a frame", "GET", "/", []func(*http.Request){header("Sec-Fetch-Site", "cross-site"), header("Sec-Fetch-Mode", "navigate"), header("Sec-Fetch-Dest", "iframe")}, true},
		{"link to the API", "GET", "/api/v1/status", []func(*http.Request){header("Sec-Fetch-Site", "cross-site"), header("Sec-Fetch-Mode", "navigate"), header("Sec-Fetch-Dest", "document")}, true},
		{"form of another site", "POST", "/api/v1/tags", []func(*http.Request){header("Origin", "https://evil.example")}, true},
		{"form of a sandbox", "POST", "/api/v1/tags", []func(*http.Request){header("Origin", "null")}, true},
		{"form of another port", "POST", "/api/v1/tags", []func(*http.Request){header("Origin", "http://127.0.0.1:1")}, true},
		{"form of the page", "POST", "/api/v1/tags", []func(*http.Request){header("Origin", f.base)}, false},
		{"form of the page, fetch metadata", "POST", "/api/v1/tags", []func(*http.Request){header("Sec-Fetch-Site", "same-origin"), header("Origin", f.base)}, false},
		{"address bar", "GET", "/", []func(*http.Request){header("Sec-Fetch-Site", "none")}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := f.send(f.request(test.method, test.path, nil, test.edits...))
			if refused := got.StatusCode == http.StatusForbidden && got.text(t, "code") == string(problem.CrossSite); refused != test.refused {
				t.Errorf("status %d: %.200s", got.StatusCode, got.body)
			}
		})
	}
}

func TestHostsWithTokens(t *testing.T) {
	list, secrets := tokens(t)
	for _, test := range []struct {
		hosts []string
		host  string
		want  int
	}{
		{nil, "photos.example:8080", 200},
		{[]string{"Photos.example"}, "photos.example", 200},
		{[]string{"photos.example"}, "photos.example.:443", 200},
		{[]string{"photos.example"}, "127.0.0.1", 200},
		{[]string{"photos.example"}, "other.example", 403},
	} {
		f := start(t, func(o *Options) { o.Tokens, o.Hosts = list, test.hosts })
		got := f.get("/api/v1/status", bearer(secrets[auth.ScopeRead]), func(request *http.Request) { request.Host = test.host })
		f.expect(got, test.want, "")
	}
}

func TestSecurityHeaders(t *testing.T) {
	f := start(t)
	for _, path := range []string{"/", "/search/cats", "/api/docs", "/api/v1/status", "/api/v1/nothing", "/api/v1/records/1/original", "/api/v1/records/1/thumbnail", "/healthz"} {
		got := f.get(path)
		policy := got.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY",
		} {
			if got.Header.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, got.Header.Get(name))
			}
		}
		if got.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: opened to other origins", path)
		}
	}
}

func TestOpenAddressesNeedTokens(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "photos.example:0"} {
		f := prepare(t, func(o *Options) { o.Address = address })
		err := f.server.Run(context.Background(), func(at net.Addr) { t.Errorf("%s: serving at %s", address, at) })
		if err == nil || hint.Of(err) == "" {
			t.Errorf("%s: error %v, remedy %q", address, err, hint.Of(err))
		}
	}
	list, _ := tokens(t)
	f := prepare(t, func(o *Options) { o.Address, o.Tokens = ":0", list })
	ctx, cancel := context.WithCancel(context.Background())
	if err := f.server.Run(ctx, func(net.Addr) { cancel() }); err != nil {
		t.Errorf("with tokens: %v", err)
	}
	if err := f.server.Run(ctx, nil); err == nil {
		t.Error("a second run should fail")
	}
}
