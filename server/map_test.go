package server

import (
	"bytes"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"mekiki/search/contract"
	"mekiki/server/problem"
)

func TestLocate(t *testing.T) {
	f := start(t)
	const address = "/api/v1/records/1/map?text=two+cats"
	got := f.expect(f.get(address), http.StatusOK, "")
	if got.text(t, "place") != "lower_right" || got.text(t, "where") != "mostly lower right" || got.text(t, "method") != "attention" {
		t.Errorf("%s", got.body)
	}
	got = f.expect(f.get(address+"&method=occlusion"), http.StatusOK, "")
	if got.text(t, "method") != "occlusion" {
		t.Errorf("%s", got.body)
	}
	events := f.events(f.request("GET", address+"&method=occlusion", nil))
	if n := len(events); n < 3 || events[0].name != "runs" || !strings.Contains(events[n-3].data, `"done":`) || events[n-2].name != "map" ||
		!strings.Contains(events[n-2].data, `"method":"occlusion"`) || events[n-1].name != "done" {
		t.Errorf("events %+v", events)
	}
	for _, drawn := range []answer{f.get(address + "&format=png"), f.get(address, header("Accept", "image/png"))} {
		f.expect(drawn, http.StatusOK, "")
		picture, err := png.Decode(bytes.NewReader([]byte(drawn.body)))
		if err != nil {
			t.Fatal(err)
		}
		_, _, _, clear := picture.At(5, 5).RGBA()
		_, _, _, strong := picture.At(250, 250).RGBA()
		if clear != 0 || strong < 0x8000 {
			t.Errorf("opacity is %x in the upper left and %x in the lower right", clear, strong)
		}
	}
}

func TestLocateProblems(t *testing.T) {
	f := start(t)
	for address, want := range map[string]struct {
		status int
		code   problem.Code
	}{
		"/api/v1/records/1/map":                     {http.StatusBadRequest, problem.InvalidRequest},
		"/api/v1/records/1/map?text=x&method=guess": {http.StatusBadRequest, problem.InvalidRequest},
		"/api/v1/records/1/map?text=type:png":       {http.StatusBadRequest, problem.Code(contract.CodeEmptyRequest)},
		"/api/v1/records/1/map?text=colour:x":       {http.StatusBadRequest, problem.Code(contract.CodeUnknownFilter)},
		"/api/v1/records/77/map?text=x":             {http.StatusNotFound, problem.NotFound},
		"/api/v1/records/3/map?text=x":              {http.StatusNotFound, problem.NotFound},
	} {
		f.expect(f.get(address), want.status, want.code)
	}
}
