package webhooks

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/internal/vfs/vfstest"
	"mekiki/server/servertest"
)

// receiver is a real HTTP server that keeps what it gets, and answers with the statuses of a list, then 204.
type receiver struct {
	*httptest.Server
	mutex   sync.Mutex
	answers []int
	got     []*http.Request
	bodies  []string
	came    chan struct{}
}

func receive(t *testing.T, answers ...int) *receiver {
	t.Helper()
	r := &receiver{answers: answers, came: make(chan struct{}, 100)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mutex.Lock()
		defer r.mutex.Unlock()
		r.got, r.bodies = append(r.got, request), append(r.bodies, string(body))
		status := http.StatusNoContent
		if len(r.answers) > 0 {
			status, r.answers = r.answers[0], r.answers[1:]
		}
		if status >= 300 && status < 400 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
		r.came <- struct{}{}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) wait(t *testing.T, times int) {
	t.Helper()
	for range times {
		select {
		case <-r.came:
		case <-time.After(20 * time.Second):
			t.Fatal("nothing came")
		}
	}
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func hookTo(address string, events ...string) Hook {
	return Hook{Name: "one", URL: address, Secret: []byte(strings.Repeat("s", 32)), Events: events, Allow: loopback}
}

// run runs a sender with short waits until the test, or the function that it gives, ends it.
func run(t *testing.T, path string, hooks ...Hook) (*Sender, func()) {
	t.Helper()
	s := New(hooks, path, slog.New(slog.DiscardHandler), time.Now)
	s.schedule = []time.Duration{time.Millisecond, 2 * time.Millisecond, 4 * time.Millisecond}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { s.Run(ctx); close(ended) }()
	stop := func() { cancel(); <-ended }
	t.Cleanup(stop)
	return s, stop
}

// settled waits until nothing is on its way, and gives what came of all.
func settled(t *testing.T, s *Sender) []Delivery {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		list, pending := s.Deliveries(), false
		for _, each := range list {
			pending = pending || each.State == Pending
		}
		if !pending {
			return list
		}
	}
	t.Fatal("deliveries stay pending")
	return nil
}

// TestSignature checks the example of the Standard Webhooks specification's libraries.
func TestSignature(t *testing.T) {
	secret, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestDelivery: what fails is tried again as the same message, signed anew, until it is taken; redirections are not followed.
func TestDelivery(t *testing.T) {
	r := receive(t, 500, 302, 204)
	s, _ := run(t, "", hookTo(r.URL, EventJobFinished))
	s.Emit(EventRecordsAdded, 1) // is not wanted
	s.Emit(EventJobFinished, map[string]string{"job": "7"})
	r.wait(t, 3)
	list := settled(t, s)
	if len(list) != 1 || list[0].State != Delivered || list[0].Attempts != 3 || list[0].Status != 204 || list[0].Error != "" {
		t.Errorf("%+v", list)
	}
	for i, request := range r.got {
		id, at := request.Header.Get("webhook-id"), request.Header.Get("webhook-timestamp")
		seconds, err := time.ParseDuration(at + "s")
		if err != nil {
			t.Fatal(err)
		}
		want := sign([]byte(strings.Repeat("s", 32)), id, time.Unix(int64(seconds.Seconds()), 0), []byte(r.bodies[i]))
		if request.Header.Get("webhook-signature") != want || id != list[0].ID || request.URL.Path != "/" || request.Method != http.MethodPost {
			t.Errorf("attempt %d: %s %s %v", i, request.Method, request.URL, request.Header)
		}
	}
	var event struct {
		Type      string
		Timestamp time.Time
		Data      struct{ Job string }
	}
	if err := json.Unmarshal([]byte(r.bodies[0]), &event); err != nil || event.Type != EventJobFinished || event.Data.Job != "7" || event.Timestamp.IsZero() {
		t.Errorf("%s, %v", r.bodies[0], err)
	}
}

// TestGivingUp: attempts end, at once where the receiver wants no more, and one failure keeps no other event waiting.
func TestGivingUp(t *testing.T) {
	r := receive(t, 500, 500, 500, 500, 410)
	s, _ := run(t, "", hookTo(r.URL))
	s.Emit(EventJobFinished, "first")
	r.wait(t, 4)
	settled(t, s)
	s.Emit(EventJobFinished, "second")
	s.Emit(EventJobFinished, "third")
	r.wait(t, 2)
	list := settled(t, s)
	if list[2].State != GivenUp || list[2].Attempts != 4 || list[1].State != GivenUp || list[1].Attempts != 1 || list[0].State != Delivered {
		t.Errorf("%+v", list)
	}
}

// TestOnlyAllowedAddresses: what a name resolves to is looked at when it is dialled.
func TestOnlyAllowedAddresses(t *testing.T) {
	r := receive(t)
	port := r.URL[strings.LastIndex(r.URL, ":"):]
	for address, allow := range map[string][]netip.Prefix{
		r.URL: nil, "http://localhost" + port: nil, "http://[::ffff:127.0.0.1]" + port: nil, "http://0x7f000001" + port: nil, "http://0.0.0.0" + port: nil,
		"http://127.0.0.1" + port: {netip.MustParsePrefix("10.0.0.0/8")},
	} {
		hook := hookTo(address)
		hook.Allow = allow
		if status, err := send(t.Context(), hook.client(), hook, "id", time.Now(), []byte("{}")); err == nil || status != 0 {
			t.Errorf("%s: %d, %v", address, status, err)
		}
	}
	if len(r.got) > 0 {
		t.Errorf("%d requests came", len(r.got))
	}
	public := Hook{}
	for address, fine := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "127.0.0.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "0.0.0.0": false, "::1": false, "fe80::1": false, "fc00::1": false, "::ffff:10.0.0.1": false, "224.0.0.1": false, "255.255.255.255": false,
		"64:ff9b::a00:1": false, "2002:a00:1::": false, "2001:db8::1": false, "::": false,
		"::10.0.0.1": false, "::ffff:0:10.0.0.1": false, "fec0::1": false, "3fff::1": false, "fc00::1%eth0": false, "2001:db8::1%eth0": false,
	} {
		if public.allowed(netip.MustParseAddr(address)) != fine {
			t.Errorf("%s: allowed %v", address, !fine)
		}
	}
}

// TestRestart: what is on its way when the server ends, however it does, arrives after the next start.
func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "webhooks.json")
	r := receive(t)
	r.Close() // nobody is there
	s, stop := run(t, path, hookTo(r.URL))
	s.schedule = []time.Duration{time.Hour}
	s.Emit(EventJobFinished, "kept")
	killed := readFile(t, path) // as kill -9 would leave it
	stop()
	again := receive(t)
	if err := os.WriteFile(path, killed, 0o600); err != nil {
		t.Fatal(err)
	}
	second, _ := run(t, path, hookTo(again.URL))
	again.wait(t, 1)
	if list := settled(t, second); len(list) != 1 || list[0].State != Delivered || !strings.Contains(again.bodies[0], "kept") {
		t.Errorf("%+v %v", list, again.bodies)
	}
	third := New([]Hook{{Name: "other"}}, path, slog.New(slog.DiscardHandler), time.Now)
	if list := third.Deliveries(); len(list) != 1 || list[0].State != Delivered {
		t.Errorf("the log after a restart: %+v", list)
	}
	for _, broken := range []string{"", "{", `{"version":9}`, `{"version":1,"deliveries":[null,{"state":"pending"}]}`,
		`{"version":1,"deliveries":[{"hook":"one","state":"pending","attempts":-9,"next":"2020-01-01T00:00:00Z","payload":{}}]}`,
	} {
		if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if list := New([]Hook{hookTo(again.URL)}, path, slog.New(slog.DiscardHandler), time.Now).Deliveries(); len(list) != 0 {
			t.Errorf("%q is read as %+v", broken, list)
		}
	}
}

// TestQueueIsBounded: too many events are lost, and what has ended makes way.
func TestQueueIsBounded(t *testing.T) {
	s := New([]Hook{hookTo("http://127.0.0.1:1")}, "", slog.New(slog.DiscardHandler), time.Now)
	for range maximumPending + 7 {
		s.Emit(EventJobFinished, "x")
	}
	s.Emit(EventJobFinished, strings.Repeat("x", payloadBytes))
	if s.pending() != maximumPending || s.lost != 7 {
		t.Errorf("%d wait, %d are lost", s.pending(), s.lost)
	}
	for _, each := range s.state.Deliveries {
		each.end(Delivered, "")
	}
	s.Emit(EventJobFinished, "x")
	if len(s.Deliveries()) != maximumLog+1 {
		t.Errorf("%d are kept", len(s.Deliveries()))
	}
}

// TestHooksHaveRoomsOfTheirOwn: a hook that answers nothing, or is told much, costs no other an event.
func TestHooksHaveRoomsOfTheirOwn(t *testing.T) {
	other := hookTo("http://127.0.0.1:1")
	other.Name = "two"
	for name, event := range map[string]string{"many": "x", "large": strings.Repeat("x", payloadBytes-1000)} {
		s := New([]Hook{hookTo("http://127.0.0.1:1"), other}, "", slog.New(slog.DiscardHandler), time.Now)
		for range maximumPending + 7 {
			s.emit(EventTest, event, "one")
		}
		if s.lost < 7 || s.pending() > maximumPending {
			t.Errorf("%s: %d wait, %d are lost", name, s.pending(), s.lost)
		}
		if ids := s.emit(EventTest, event, "two"); len(ids) != 1 {
			t.Errorf("%s: the event of the other hook is lost", name)
		}
	}
}

// TestNewPictures: new pictures are told of once, those that came while nobody looked too, and those of before never.
func TestNewPictures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "webhooks.json")
	library := servertest.Open(t, "/library", vfstest.NewMemory())
	put := func(n byte) index.ID {
		return servertest.Put(t, library, index.Record{Kind: index.KindImage, Hash: index.Hash{n}})[0]
	}
	put(1)
	look := func() (told []string) {
		s := New([]Hook{hookTo("http://127.0.0.1:1", EventRecordsAdded)}, path, slog.New(slog.DiscardHandler), time.Now)
		before := len(s.state.Deliveries)
		for range 2 { // the second has nothing new
			if _, err := s.look(t.Context(), library, 0); err != nil {
				t.Fatal(err)
			}
		}
		for _, each := range s.state.Deliveries[before:] {
			told = append(told, string(each.Payload))
		}
		return told
	}
	if told := look(); len(told) != 0 {
		t.Errorf("at the first start: %v", told)
	}
	a, b := put(2), put(3)
	want := `"data":{"count":2,"ids":["` + a.String() + `","` + b.String() + `"]}`
	if told := look(); len(told) != 1 || !strings.Contains(told[0], want) {
		t.Errorf("%v, want %s", told, want)
	}
	if told := look(); len(told) != 0 {
		t.Errorf("told again: %v", told)
	}
}

func TestConfig(t *testing.T) {
	secret := secretPrefix + base64.StdEncoding.EncodeToString(make([]byte, 32))
	fill := func(text string) []byte { return []byte(strings.ReplaceAll(text, "SECRET", secret)) }
	hooks, err := parseConfig(fill(`{"webhooks":[{"name":"a","url":"https://example.com/x","secret":"SECRET"},{"name":"b","url":"http://10.0.0.5/","secret":"SECRET","events":["job.finished"],"allow":["10.0.0.0/24"]}]}`))
	if err != nil || len(hooks) != 2 || !hooks[0].wants(EventRecordsAdded) || hooks[1].wants(EventRecordsAdded) || len(hooks[1].Allow) != 1 {
		t.Errorf("%+v, %v", hooks, err)
	}
	for _, wrong := range []string{
		`{`, `{"hooks":[]}`, `{"webhooks":[{"name":"","url":"https://example.com","secret":"SECRET"}]}`, `{"webhooks":[{"name":"a","url":"ftp://example.com","secret":"SECRET"}]}`,
		`{"webhooks":[{"name":"a","url":"http://example.com","secret":"SECRET"}]}`, `{"webhooks":[{"name":"a","url":"https://u:p@example.com","secret":"SECRET"}]}`,
		`{"webhooks":[{"name":"a","url":"https://example.com","secret":"whsec_c2hvcnQ="}]}`, `{"webhooks":[{"name":"a","url":"https://example.com","secret":"x"}]}`,
		`{"webhooks":[{"name":"a","url":"https://example.com","secret":"SECRET","events":["all"]}]}`, `{"webhooks":[{"name":"a","url":"https://example.com","secret":"SECRET","allow":["10"]}]}`,
		`{"webhooks":[{"name":"a","url":"https://example.com","secret":"SECRET"},{"name":"a","url":"https://example.com","secret":"SECRET"}]}`,
	} {
		if hooks, err := parseConfig(fill(wrong)); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %+v, %v", wrong, hooks, err)
		}
	}
}

func TestWaits(t *testing.T) {
	for chance, want := range map[float64]time.Duration{0: 8 * time.Second, 0.5: 10 * time.Second, 1: 12 * time.Second} {
		if got := wait(10*time.Second, chance); got != want {
			t.Errorf("%v: %s, want %s", chance, got, want)
		}
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
