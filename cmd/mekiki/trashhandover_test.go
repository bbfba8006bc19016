package main

import (
	"net/http"
	"strings"
	"testing"
)

// TestTrashWhileServing has a running server put back, empty and switch what the command line asks for.
func TestTrashWhileServing(t *testing.T) {
	h := newHanded(t)
	address := h.serve("--root", h.pictures)
	expect := func(status int, says string, arguments ...string) {
		t.Helper()
		got, out, complaints := h.run("", arguments...)
		if got != status || !strings.Contains(out+complaints, says) {
			t.Errorf("mekiki %v: status %d\n%s%s", arguments, got, out, complaints)
		}
	}
	expect(0, "3 new", "index", h.pictures)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"api/v1/trash", strings.NewReader(`{"ids": ["1", "2"]}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer, err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	expect(1, "not found", "trash", "restore", "3")
	expect(0, "1 record put back", "trash", "restore", "1")
	expect(0, "0 records removed for good", "trash", "empty", "--expired")
	expect(0, "1 record removed for good", "trash", "empty")
	expect(0, "1 file was left out, because the trash was emptied of it (--again brings it in)", "index", h.pictures)
	expect(0, "1 new", "index", "--again", h.pictures)
	expect(0, "serving", "spaces", "serve")
	expect(1, "0 models of the library are called previous", "spaces", "rollback")
	expect(1, "filling a space cannot be handed to the server", "spaces", "fill")
}
