package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/vfs/vfstest"
	"mekiki/search"
	"mekiki/server/openapi"
	"mekiki/server/problem"
	"mekiki/server/servertest"
	"mekiki/server/status"
)

func TestMain(m *testing.M) {
	// bleve starts these when it is imported.
	slowClientsOrTests(func() {
		goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/blevesearch/bleve_index_api.AnalysisWorker"))
	})
}

// fixture is a server over a real library in memory, with two pictures below its root, one text and two failures.
type fixture struct {
	testing.TB
	server   *Server
	index    *local.Library
	library  *countedLibrary
	searcher *hookedSearcher
	ingester *hookedIngester
	failing  atomic.Pointer[func(int64, vfstest.Operation) error]
	root     string // of indexing; holds the pictures
	base     string // http://address
	document *openapi.Document
	client   *http.Client
	stop     func() error
}

// clock tells a time that a test sets while the server reads it.
type clock struct{ at atomic.Pointer[time.Time] }

func newClock() *clock {
	c := &clock{}
	c.set(time.Now())
	return c
}

func (c *clock) now() time.Time       { return *c.at.Load() }
func (c *clock) set(to time.Time)     { c.at.Store(&to) }
func (c *clock) pass(d time.Duration) { c.set(c.now().Add(d)) }

// start runs a server on a free loopback port until the test ends.
func start(t testing.TB, edit ...func(*Options)) *fixture {
	t.Helper()
	return prepare(t, edit...).start()
}

// start runs a prepared server.
func (f *fixture) start() *fixture {
	f.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	address, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() { ended <- f.server.Run(ctx, func(at net.Addr) { address <- at }) }()
	select {
	case at := <-address:
		f.base = "http://" + at.String()
	case err := <-ended:
		f.Fatalf("the server did not start: %v", err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	f.client = &http.Client{Transport: transport, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	stopped := false
	f.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		transport.CloseIdleConnections()
		cancel()
		err := <-ended
		transport.CloseIdleConnections()
		return err
	}
	f.Cleanup(func() {
		if err := f.stop(); err != nil {
			f.Errorf("the server ended with %v", err)
		}
		if open := f.library.open.Load(); open != 0 {
			f.Errorf("%d snapshots were not closed", open)
		}
	})
	return f
}

// prepare makes a server that does not run.
func prepare(t testing.TB, edit ...func(*Options)) *fixture {
	t.Helper()
	return prepareWith(t, colourEngine{}, edit...)
}

// prepareWith is prepare with an engine of the test's own.
func prepareWith(t testing.TB, engine colourEngine, edit ...func(*Options)) *fixture {
	t.Helper()
	f := &fixture{TB: t, root: t.TempDir()}
	f.index = servertest.Open(t, "/library", &vfstest.Faulty{Base: vfstest.NewMemory(), Fail: func(number int64, operation vfstest.Operation) error {
		if fail := f.failing.Load(); fail != nil && *fail != nil {
			return (*fail)(number, operation)
		}
		return nil
	}})
	fill(t, f.index, f.root)
	searcher, err := search.New(f.index, engine, search.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f.library = &countedLibrary{Library: f.index}
	f.searcher = &hookedSearcher{Searcher: searcher}
	f.ingester = &hookedIngester{Ingester: IngesterOf(f.index, engine, imageSide)}
	options := Options{
		Address: "127.0.0.1:0", Searcher: f.searcher, Asker: newAsker(t), Interpreter: newInterpreter(), Questions: []string{"which colour?"}, Library: f.library, LibraryFolder: "/library", Ingester: f.ingester,
		Models: func() []status.Model {
			return []status.Model{{Name: "tiny", Fingerprint: "f", Parts: 32, Width: 256, Captions: true, Active: true}}
		},
		Roots:        []string{f.root},
		UploadFolder: filepath.Join(t.TempDir(), "uploads"),
		Page:         testPage(),
		Limits:       Limits{ShutdownTime: 5 * time.Second},
		Version:      "test",
	}
	for _, change := range edit {
		change(&options)
	}
	server, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	f.server, f.document = server, server.document
	if len(server.options.Roots) > 0 {
		f.root = server.options.Roots[0] // with its links followed
	}
	return f
}

// disk makes operations on the library's disk fail; nil lets all pass again.
func (f *fixture) disk(fail func(number int64, operation vfstest.Operation) error) {
	f.failing.Store(&fail)
}

// put writes a record without vectors into the library.
func (f *fixture) put(record index.Record) index.ID {
	f.Helper()
	return servertest.Put(f, f.index, record)[0]
}

func testPage() fstest.MapFS {
	return fstest.MapFS{
		"index.html": {Data: []byte("<!doctype html><title>Mekiki</title><script type=module src=\"/js/app.js\"></script>")},
		"js/app.js":  {Data: []byte("// " + strings.Repeat("page ", 1000))},
		"icon.svg":   {Data: []byte("<svg xmlns='http://www.w3.org/2000/svg'/>")},
		"secret.key": {Data: []byte("not a kind of file that a page has")},
	}
}

// answer is a response that has been read and held against the API document.
type answer struct {
	*http.Response
	body []byte
}

// value decodes a JSON answer.
func (a answer) value(t testing.TB) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(a.body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("answer is not JSON: %v: %.200s", err, a.body)
	}
	return value
}

// at gives a member of a JSON answer by its path, such as "hits.0.id".
func (a answer) at(t testing.TB, path string) any {
	t.Helper()
	value := a.value(t)
	for _, name := range strings.Split(path, ".") {
		switch within := value.(type) {
		case map[string]any:
			value = within[name]
		case []any:
			number := 0
			if _, err := fmt.Sscan(name, &number); err != nil || number >= len(within) {
				t.Fatalf("%s: there is no entry %s in %.300s", path, name, a.body)
			}
			value = within[number]
		default:
			return nil
		}
	}
	return value
}

func (a answer) text(t testing.TB, path string) string { t.Helper(); return fmt.Sprint(a.at(t, path)) }

// request makes a request; edits may change it before it is sent.
func (f *fixture) request(method, path string, body io.Reader, edit ...func(*http.Request)) *http.Request {
	f.Helper()
	request, err := http.NewRequest(method, f.base+path, body)
	if err != nil {
		f.Fatal(err)
	}
	for _, change := range edit {
		change(request)
	}
	return request
}

// send sends a request and holds the answer against the API document.
func (f *fixture) send(request *http.Request) answer {
	f.Helper()
	response, err := f.client.Do(request)
	if err != nil {
		f.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		f.Fatal(err)
	}
	got := answer{response, body}
	for _, complaint := range againstDocument(f.document, request.Method, request.URL, got) {
		f.Errorf("%s %s: %s", request.Method, request.URL, complaint)
	}
	return got
}

func (f *fixture) get(path string, edit ...func(*http.Request)) answer {
	f.Helper()
	return f.send(f.request(http.MethodGet, path, nil, edit...))
}

func (f *fixture) json(method, path, body string, edit ...func(*http.Request)) answer {
	f.Helper()
	edit = append([]func(*http.Request){header("Content-Type", "application/json")}, edit...)
	return f.send(f.request(method, path, strings.NewReader(body), edit...))
}

// form posts parts; one named image is a file.
func (f *fixture) form(path string, parts map[string]string, edit ...func(*http.Request)) answer {
	f.Helper()
	body, kind := formOf(f, parts)
	edit = append([]func(*http.Request){header("Content-Type", kind)}, edit...)
	return f.send(f.request(http.MethodPost, path, body, edit...))
}

func formOf(t testing.TB, parts map[string]string) (io.Reader, string) {
	t.Helper()
	var buffer bytes.Buffer
	writer := multipart.NewWriter(&buffer)
	for name, value := range parts {
		headers := textproto.MIMEHeader{}
		headers.Set("Content-Disposition", mime.FormatMediaType("form-data", map[string]string{"name": name, "filename": "../../" + name + ".jpg"}))
		part, err := writer.CreatePart(headers)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return &buffer, writer.FormDataContentType()
}

func header(name, value string) func(*http.Request) {
	return func(request *http.Request) { request.Header.Set(name, value) }
}

func bearer(secret string) func(*http.Request) { return header("Authorization", "Bearer "+secret) }

// expect checks status and, of a problem, the code.
func (f *fixture) expect(got answer, status int, code problem.Code) answer {
	f.Helper()
	if got.StatusCode != status {
		f.Errorf("status %d, want %d: %.300s", got.StatusCode, status, got.body)
		return got
	}
	if code != "" {
		if found := got.text(f, "code"); found != string(code) {
			f.Errorf("code %s, want %s: %.300s", found, code, got.body)
		}
	}
	return got
}

// operationOf finds the operation that an address belongs to.
func operationOf(document *openapi.Document, method string, address *url.URL) *openapi.Operation {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	parts := strings.Split(address.EscapedPath(), "/")
	var best *openapi.Operation
	for _, operation := range document.Operations() {
		wanted := strings.Split(operation.Path, "/")
		if operation.Method != method || len(wanted) != len(parts) {
			continue
		}
		fits, exact := true, 0
		for i := range wanted {
			switch {
			case wanted[i] == parts[i]:
				exact++
			case !strings.HasPrefix(wanted[i], "{"):
				fits = false
			}
		}
		if fits && (best == nil || exact == len(wanted)) {
			best = operation
		}
	}
	return best
}

// againstDocument lists what is wrong with an answer by the API document: an
// undocumented status, media type or member, or a value that breaks its schema.
func againstDocument(document *openapi.Document, method string, address *url.URL, got answer) []string {
	operation := operationOf(document, method, address)
	kind, _, _ := mime.ParseMediaType(got.Header.Get("Content-Type"))
	if operation == nil {
		return nil
	}
	content, documented := operation.Responses[fmt.Sprint(got.StatusCode)]
	if !documented {
		if got.StatusCode < 400 {
			return []string{fmt.Sprintf("status %d is not documented", got.StatusCode)}
		}
		content = operation.Responses["default"]
	}
	if len(got.body) == 0 {
		return nil
	}
	schema, documented := content[kind]
	if !documented && strings.HasPrefix(kind, "image/") {
		schema, documented = content["image/*"]
	}
	if !documented {
		return []string{fmt.Sprintf("media type %q is not documented for status %d", kind, got.StatusCode)}
	}
	if !strings.HasSuffix(kind, "json") || got.Header.Get("Content-Encoding") != "" {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(got.body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return []string{"the body is not JSON: " + err.Error()}
	}
	var complaints []string
	for _, violation := range schema.ValidateStrict(value) {
		complaints = append(complaints, fmt.Sprintf("%s %s in %.400s", violation.Field, violation.Detail, got.body))
	}
	return complaints
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
