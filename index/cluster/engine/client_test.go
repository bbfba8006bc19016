package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"mekiki/embed/priority"
	"mekiki/internal/hint"
)

// answers is an engine that gives each request the next of some answers, and the last one
// for ever.
type answers struct {
	given []func() (*http.Response, error)
	asked []string
}

func (a *answers) RoundTrip(request *http.Request) (*http.Response, error) {
	a.asked = append(a.asked, request.URL.Host)
	at := min(len(a.asked), len(a.given)) - 1
	return a.given[at]()
}

func answer(status int, body string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		recorder := httptest.NewRecorder()
		recorder.WriteHeader(status)
		fmt.Fprint(recorder, body)
		return recorder.Result(), nil
	}
}

func refused() (*http.Response, error) { return nil, errors.New("dial: connection refused") }

const meta = `{"version":"1.35.2"}`

func TestRequestsGoOnToAnotherNode(t *testing.T) {
	for name, c := range map[string]struct {
		given []func() (*http.Response, error)
		asked int
		want  error
	}{
		"at once":          {[]func() (*http.Response, error){answer(200, meta)}, 1, nil},
		"one lost":         {[]func() (*http.Response, error){refused, answer(200, meta)}, 2, nil},
		"all for a moment": {[]func() (*http.Response, error){refused, refused, answer(503, "starting"), answer(200, meta)}, 4, nil},
		"half an answer":   {[]func() (*http.Response, error){answer(200, `{"vers`), answer(200, meta)}, 2, nil},
		"no leader":        {[]func() (*http.Response, error){answer(422, `{"error":[{"message":"leader not found"}]}`), answer(200, meta)}, 2, nil},
		"refused":          {[]func() (*http.Response, error){answer(401, `{}`)}, 1, ErrRights},
		"no such thing":    {[]func() (*http.Response, error){answer(404, `{}`)}, 1, ErrAbsent},
		"too old":          {[]func() (*http.Response, error){answer(200, `{"version":"1.24.1"}`)}, 1, ErrVersion},
		"too new":          {[]func() (*http.Response, error){answer(200, `{"version":"2.0.0-rc.1"}`)}, 1, ErrVersion},
		"disk full":        {[]func() (*http.Response, error){answer(500, `{"error":[{"message":"no space left on device"}]}`)}, 1, errors.New("")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				engine := &answers{given: c.given}
				client, err := Open(Options{Addresses: []string{"http://a:1/", "http://b:1"}, Transport: engine})
				if err != nil {
					t.Fatal(err)
				}
				_, err = client.Check(t.Context())
				if (err == nil) != (c.want == nil) || c.want != nil && c.want.Error() != "" && !errors.Is(err, c.want) {
					t.Errorf("error %v, expected %v", err, c.want)
				}
				if len(engine.asked) != c.asked || c.asked > 1 && engine.asked[0] == engine.asked[1] {
					t.Errorf("asked %v, expected %d times", engine.asked, c.asked)
				}
			})
		})
	}
}

func TestDownIsSaidInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &answers{given: []func() (*http.Response, error){refused}}
		client, err := Open(Options{Addresses: []string{"http://a:1"}, Transport: engine})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = client.Check(t.Context()); !errors.Is(err, ErrDown) || hint.Of(err) == "" {
			t.Errorf("error %v", err)
		}
		if len(engine.asked) < 20 || len(engine.asked) > 100 {
			t.Errorf("asked %d times within %v", len(engine.asked), callTimeout)
		}
	})
}

// TestRefusalsAreGivenUpSoonBySearches: where nobody listens at any address a search is told so within seconds, a
// write and work in the background are patient; so is a search where one address does not refuse.
func TestRefusalsAreGivenUpSoonBySearches(t *testing.T) {
	nobody := func() (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	same := func(ctx context.Context) context.Context { return ctx }
	for name, c := range map[string]struct {
		given []func() (*http.Response, error)
		mark  func(context.Context) context.Context
		least time.Duration
	}{
		"search":              {[]func() (*http.Response, error){nobody}, same, refusedTimeout},
		"write":               {[]func() (*http.Response, error){nobody}, Patient, callTimeout},
		"ingest":              {[]func() (*http.Response, error){nobody}, priority.Background, backgroundTimeout},
		"one ceases late":     {[]func() (*http.Response, error){refused, nobody}, same, refusedTimeout},
		"one does not refuse": {slices.Concat(slices.Repeat([]func() (*http.Response, error){nobody, refused}, 500)), same, callTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, err := Open(Options{Addresses: []string{"http://a:1", "http://b:1"}, Transport: &answers{given: c.given}})
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				_, err = client.Find(c.mark(t.Context()), Query{Collection: "C", Limit: 1})
				if took := time.Since(began); !errors.Is(err, ErrDown) || took < c.least || took > c.least+2*longestWait {
					t.Errorf("error %v after %v, expected one after %v", err, took, c.least)
				}
			})
		})
	}
}

func TestAddressesAreChecked(t *testing.T) {
	for _, addresses := range [][]string{nil, {"a:8080"}, {"ftp://a"}, {"http://"}, {"http://a", "::"}} {
		if _, err := Open(Options{Addresses: addresses}); hint.Of(err) == "" {
			t.Errorf("%q: %v", addresses, err)
		}
	}
}

func TestAnswersAreBounded(t *testing.T) {
	var sent atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for block := []byte(strings.Repeat("x", 1<<20)); sent.Load() < 8<<20; sent.Add(int64(len(block))) {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	client, err := Open(Options{Addresses: []string{server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	client.most = 4 << 20
	if _, err := client.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "413") {
		t.Errorf("error %v", err)
	}
}

func TestConditionsAreQuoted(t *testing.T) {
	for want, condition := range map[string]Condition{
		`{operator:Equal,path:["p"],valueText:"a\"b\\\n\u003c"}`:                                                                          Equal("p", "a\"b\\\n<"),
		`{operator:And,operands:[{operator:Equal,path:["p"],valueBoolean:true},{operator:LessThan,path:["q"],valueNumber:3000000000.0}]}`: All(Condition{}, Is("p", true), Below("q", 3e9)),
		`{operator:GreaterThanEqual,path:["q"],valueNumber:0.5}`:                                                                          Any(AtLeast("q", 0.5)),
		`{operator:ContainsAny,path:["id"],valueText:["x","y"]}`:                                                                          IDs([]string{"x", "y"}),
	} {
		if condition.text != want {
			t.Errorf("%s, expected %s", condition.text, want)
		}
	}
	if !All().IsZero() || Any().IsZero() || OneOf("p", nil).IsZero() {
		t.Error("no condition lets all pass, none of none nothing")
	}
}
