package server

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"mekiki/index"
	"mekiki/internal/diskspace"
	"mekiki/server/problem"
)

// TestReadOnlyForAWhile: while the library cannot be changed every request that would change it says so, the session and
// the status too; once it can, all is as usual.
func TestReadOnlyForAWhile(t *testing.T) {
	var reason atomic.Pointer[error]
	f := start(t, func(o *Options) {
		o.Writable = func() error {
			if held := reason.Load(); held != nil {
				return *held
			}
			return nil
		}
	})
	changes := func() map[string]answer {
		return map[string]answer{
			"tag":   f.send(f.request("PUT", "/api/v1/records/1/tags/red", nil)),
			"tags":  f.json("POST", "/api/v1/tags", `{"ids":["1"],"add":["blue"]}`),
			"text":  f.json("POST", "/api/v1/texts", `{"texts":[{"text":"a dog"}]}`),
			"image": f.form("/api/v1/records", map[string]string{"image": string(jpegOf(33, 11))}),
			"job":   f.json("POST", "/api/v1/jobs", `{}`),
		}
	}
	for _, test := range []struct {
		reason error
		status int
		code   problem.Code
	}{
		{index.ErrLocked, 503, problem.Unavailable},
		{fmt.Errorf("the disk is full: %w", diskspace.ErrFull), 507, problem.InsufficientStorage},
		{errors.New("the library lies where this server may not write"), 501, problem.Unsupported},
	} {
		reason.Store(&test.reason)
		for name, got := range changes() {
			if f.expect(got, test.status, test.code); got.text(t, "detail") == "<nil>" {
				t.Errorf("%s: %s", name, got.body)
			}
		}
		f.expect(f.send(f.request("DELETE", "/api/v1/records/1", nil)), test.status, test.code)
		f.expect(f.send(f.request("DELETE", "/api/v1/jobs/1", nil)), 404, problem.NotFound)
		f.expect(f.get("/api/v1/search?q=x"), 200, "")
		if got := f.get("/api/v1/session"); got.text(t, "scopes") != "[read]" || got.text(t, "read_only") != "true" {
			t.Errorf("session %s", got.body)
		}
		if got := f.get("/api/v1/status"); got.text(t, "read_only") != "true" || got.text(t, "ready") != "true" || got.text(t, "uploads") != "false" || got.text(t, "read_only_reason") == "<nil>" {
			t.Errorf("status %s", got.body)
		}
		if got := f.expect(f.get("/readyz"), 200, ""); !strings.Contains(string(got.body), "reading only") {
			t.Errorf("readyz %s", got.body)
		}
	}
	reason.Store(nil)
	for name, got := range changes() {
		if got.StatusCode >= 300 {
			t.Errorf("%s: status %d: %s", name, got.StatusCode, got.body)
		}
	}
	if got := f.get("/api/v1/session"); got.text(t, "scopes") != "[read write admin]" || got.at(t, "read_only") != nil {
		t.Errorf("session %s", got.body)
	}
	if got := f.get("/api/v1/status"); got.at(t, "read_only") != nil || got.text(t, "uploads") != "true" {
		t.Errorf("status %s", got.body)
	}
}
