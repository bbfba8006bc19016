package server

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mekiki/server/auth"
	"mekiki/server/problem"
)

// guarded is a server with a file of tokens of each scope, and a clock.
type guarded struct {
	*fixture
	path    string
	secrets map[auth.Scope]string
	clock   *clock
}

func startGuarded(t *testing.T) *guarded {
	t.Helper()
	list, secrets := tokens(t)
	g := &guarded{path: filepath.Join(t.TempDir(), "tokens.txt"), secrets: secrets, clock: newClock()}
	text := "# who may come\n"
	for _, token := range list {
		text += token.String() + "\n"
	}
	if err := os.WriteFile(g.path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	g.fixture = start(t, func(o *Options) { o.Tokens, o.TokenFile, o.Now = list, g.path, g.clock.now })
	return g
}

func (g *guarded) admin() func(*http.Request) { return bearer(g.secrets[auth.ScopeAdmin]) }

// TestTokensOverHTTP: a token that is made is good at once, is listed without its secret, and is good no more once it has
// expired or is revoked; neither are its sessions.
func TestTokensOverHTTP(t *testing.T) {
	g := startGuarded(t)
	made := g.expect(g.json("POST", "/api/v1/tokens", fmt.Sprintf(`{"name":"alice","scope":"write","expires":%q}`, g.clock.now().Add(time.Hour).Format(time.RFC3339)), g.admin()), 201, "")
	secret := made.text(t, "token")
	g.expect(g.json("POST", "/api/v1/edits", `{"ids":["1"]}`, bearer(secret)), 200, "")
	file := string(readFile(t, g.path))
	listed := g.expect(g.get("/api/v1/tokens", g.admin()), 200, "")
	if strings.Contains(file+string(listed.body), secret) || !strings.HasPrefix(file, "# who may come\n") || !strings.Contains(file, "\nalice write ") {
		t.Errorf("file:\n%s\nlist: %s", file, listed.body)
	}
	if listed.text(t, "tokens.1.name") != "alice" || listed.at(t, "tokens.1.last_used") == nil || listed.text(t, "total") != "4" {
		t.Errorf("list: %s", listed.body)
	}
	if info, err := os.Stat(g.path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("permissions %v, %v", info.Mode(), err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(g.path), "*")); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
	cookie := g.json("POST", "/api/v1/session", `{"token":"`+secret+`"}`).Cookies()[0]
	signedIn := func(request *http.Request) { request.AddCookie(cookie) }
	g.expect(g.get("/api/v1/status", signedIn), 200, "")

	g.clock.pass(2 * time.Hour)
	g.expect(g.get("/api/v1/status", bearer(secret)), 401, problem.Unauthorized)
	g.expect(g.get("/api/v1/status", signedIn), 401, problem.Unauthorized)
	g.expect(g.json("POST", "/api/v1/session", `{"token":"`+secret+`"}`), 401, problem.Unauthorized)
	g.expect(g.json("PATCH", "/api/v1/tokens/alice", `{"expires":null}`, g.admin()), 200, "")
	g.expect(g.get("/api/v1/status", bearer(secret)), 200, "")
	g.expect(g.send(g.request("DELETE", "/api/v1/tokens/alice", nil, g.admin())), 204, "")
	g.expect(g.get("/api/v1/status", bearer(secret)), 401, problem.Unauthorized)
	g.expect(g.send(g.request("DELETE", "/api/v1/tokens/alice", nil, g.admin())), 404, problem.NotFound)
}

// TestTimesAtTheEdges: the first second that there is has passed, as others have, and one that no file of tokens can say is refused.
func TestTimesAtTheEdges(t *testing.T) {
	g := startGuarded(t)
	const beyond = `"expires":"9999-12-31T23:59:59-14:00"`
	g.expect(g.json("POST", "/api/v1/tokens", `{"name":"x","scope":"read",`+beyond+`}`, g.admin()), 400, problem.InvalidRequest)
	g.expect(g.json("PATCH", "/api/v1/tokens/reader", `{`+beyond+`}`, g.admin()), 400, problem.InvalidRequest)
	g.expect(g.json("PATCH", "/api/v1/tokens/reader", `{"expires":"0001-01-01T00:00:00+14:00"}`, g.admin()), 400, problem.InvalidRequest)
	g.share(t, "")
	g.expect(g.json("POST", "/api/v1/shares", `{"collection":"Summer 2024",`+beyond+`}`, g.admin()), 400, problem.InvalidRequest)
	reader := bearer(g.secrets[auth.ScopeRead])
	g.expect(g.get("/api/v1/status", reader), 200, "")
	g.expect(g.json("PATCH", "/api/v1/tokens/reader", `{"expires":"0001-01-01T00:00:00Z"}`, g.admin()), 200, "")
	g.expect(g.get("/api/v1/status", reader), 401, problem.Unauthorized)
}

func TestTokensRefused(t *testing.T) {
	g := startGuarded(t)
	for body, code := range map[string]problem.Code{
		`{"name":"reader","scope":"read"}`: problem.Conflict, `{"name":"a b","scope":"read"}`: problem.InvalidRequest, `{"name":"a\nb admin x","scope":"read"}`: problem.InvalidRequest,
		`{"name":"x","scope":"root"}`: problem.InvalidRequest, `{"name":"x"}`: problem.InvalidRequest, `{"name":"x","scope":"read","expires":"2001-01-01T00:00:00Z"}`: problem.InvalidRequest,
		`{"name":"x","scope":"read","expires":"tomorrow"}`: problem.InvalidRequest, `{"name":"x","scope":"none"}`: problem.InvalidRequest,
	} {
		g.expect(g.json("POST", "/api/v1/tokens", body, g.admin()), code.Status(), code)
	}
	g.expect(g.send(g.request("DELETE", "/api/v1/tokens/adminer", nil, g.admin())), 409, problem.Conflict)
	g.expect(g.json("PATCH", "/api/v1/tokens/adminer", `{"expires":"2001-01-01T00:00:00Z"}`, g.admin()), 409, problem.Conflict)
	for _, scope := range []auth.Scope{auth.ScopeRead, auth.ScopeWrite} {
		who := bearer(g.secrets[scope])
		g.expect(g.get("/api/v1/tokens", who), 403, problem.Forbidden)
		g.expect(g.json("POST", "/api/v1/tokens", `{"name":"x","scope":"read"}`, who), 403, problem.Forbidden)
		g.expect(g.json("PATCH", "/api/v1/tokens/adminer", `{"expires":null}`, who), 403, problem.Forbidden)
		g.expect(g.send(g.request("DELETE", "/api/v1/tokens/writer", nil, who)), 403, problem.Forbidden)
	}
	open := start(t)
	open.expect(open.json("POST", "/api/v1/tokens", `{"name":"x","scope":"read"}`), 409, problem.Conflict)
	if got := open.expect(open.get("/api/v1/tokens"), 200, ""); got.text(t, "writable") != "false" {
		t.Errorf("%s", got.body)
	}
}

// TestTokensFileEditedByHand: what somebody writes into the file holds within a second or two; a file that is wrong or
// gone changes nothing, and one without tokens lets nobody in.
func TestTokensFileEditedByHand(t *testing.T) {
	g := startGuarded(t)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(g.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		g.clock.pass(2 * time.Second)
	}
	before := string(readFile(t, g.path))
	token, secret, err := auth.NewToken("bob", auth.ScopeRead)
	if err != nil {
		t.Fatal(err)
	}
	write(before + token.String() + "\n")
	g.expect(g.get("/api/v1/status", bearer(secret)), 200, "")
	write(before + "not a line of tokens\n")
	g.expect(g.get("/api/v1/status", bearer(secret)), 200, "")
	if err := os.Remove(g.path); err != nil {
		t.Fatal(err)
	}
	g.clock.pass(2 * time.Second)
	g.expect(g.get("/api/v1/status", bearer(secret)), 200, "")
	write(before)
	g.expect(g.get("/api/v1/status", bearer(secret)), 401, problem.Unauthorized)
	write("# nobody\n")
	g.expect(g.get("/api/v1/status", g.admin()), 401, problem.Unauthorized)
	g.expect(g.get("/api/v1/status"), 401, problem.Unauthorized)
}

// TestTokensMadeAtOnce: none of many changes at a time is lost.
func TestTokensMadeAtOnce(t *testing.T) {
	g := startGuarded(t)
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			g.expect(g.json("POST", "/api/v1/tokens", fmt.Sprintf(`{"name":"t%d","scope":"read"}`, i), g.admin()), 201, "")
		})
	}
	group.Wait()
	if got := g.get("/api/v1/tokens?limit=2", g.admin()); got.text(t, "total") != "23" || got.at(t, "cursor") == nil {
		t.Errorf("%s", got.body)
	}
}
