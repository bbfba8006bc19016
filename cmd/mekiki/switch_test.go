package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestSwitchWhileServing has a running server change its model and go back, while it is asked all the time.
func TestSwitchWhileServing(t *testing.T) {
	h := newHanded(t)
	must := func(arguments ...string) string {
		t.Helper()
		status, out, complaints := h.run("", arguments...)
		if status != 0 {
			t.Fatalf("mekiki %v: status %d\n%s%s", arguments, status, out, complaints)
		}
		return out
	}
	must("index", h.pictures)
	must("spaces", "fill", "--precision", "fp32")
	address := h.serve()
	get := func(path string) (int, []byte) {
		answer, err := http.Get(address + path) //nolint:noctx // of a server of the test's own
		if err != nil {
			return 0, []byte(err.Error())
		}
		defer answer.Body.Close()
		data, err := io.ReadAll(answer.Body)
		if err != nil {
			return 0, []byte(err.Error())
		}
		return answer.StatusCode, data
	}
	precision := func() string {
		var status struct {
			Model struct{ Precision string }
		}
		_, data := get("api/v1/status")
		if err := json.Unmarshal(data, &status); err != nil {
			t.Fatal(err, string(data))
		}
		return status.Model.Precision
	}
	var stop atomic.Bool
	var asked atomic.Int64
	var group sync.WaitGroup
	defer group.Wait()
	defer stop.Store(true)
	for range 2 {
		group.Go(func() {
			for !stop.Load() {
				status, data := get("api/v1/search?q=noise&show=all")
				if status != http.StatusOK || strings.Contains(string(data), "not usable") || strings.Contains(string(data), "words alone") {
					t.Errorf("a search is answered with %d %s", status, data)
					return
				}
				asked.Add(1)
			}
		})
	}
	if was := precision(); was != "int8" {
		t.Fatalf("the model begins in %s", was)
	}
	for _, step := range []struct{ command, want string }{
		{"spaces serve --precision fp32", "fp32"}, {"spaces rollback", "int8"}, {"spaces rollback", "fp32"}, {"spaces serve", "int8"},
	} {
		before := asked.Load()
		must(strings.Fields(step.command)...)
		if now := precision(); now != step.want {
			t.Errorf("after %s the model is in %s", step.command, now)
		}
		if status, data := get("readyz"); status != http.StatusOK {
			t.Errorf("after %s the server is not ready: %s", step.command, data)
		}
		t.Logf("%s: %d searches were answered meanwhile", step.command, asked.Load()-before)
	}
	p := openPage(t, address)
	p.visit("library")
	p.press(".machine summary")
	p.press(`.machine li button[aria-pressed=false]`)
	p.wait(`document.querySelector(".toast")?.innerText.includes("now") && [...document.querySelectorAll(".machine li button")].length === 2`)
	p.focusStays("changing the model")
	if now := precision(); now != "fp32" {
		t.Errorf("after the page changed it the model is in %s", now)
	}
	if status, data := get("api/v1/records/1/similar"); status != http.StatusOK {
		t.Errorf("similar pictures: %d %s", status, data)
	}
}
