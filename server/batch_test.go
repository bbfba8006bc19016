package server

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"math"
	"net/http"
	"os"
	"strings"
	"testing"

	"mekiki/search/contract"
	"mekiki/server/problem"
)

// TestSearchBatch: every search is answered as it would be alone, and what is wrong with one spoils no other.
func TestSearchBatch(t *testing.T) {
	f := start(t)
	const path = "/api/v1/search/batch"
	got := f.expect(f.json(http.MethodPost, path, `{"searches":[{"text":"red","show":"all"},{"text":"\"red"},{"record":"1"},{"record":"99"},{"text":"x","filter":{"after":"2024","before":"2023"}},{}]}`), http.StatusOK, "")
	for i, want := range []struct{ status, code string }{{"200", ""}, {"400", "unbalanced_quote"}, {"200", ""}, {"404", "record_not_found"}, {"400", "invalid_date"}, {"400", "empty_request"}} {
		at := "results." + string(rune('0'+i)) + "."
		if got.text(t, at+"status") != want.status || want.code != "" && got.text(t, at+"problem.code") != want.code {
			t.Errorf("search %d: %s %s, want %+v", i, got.text(t, at+"status"), got.text(t, at+"problem"), want)
		}
	}
	alone := f.json(http.MethodPost, "/api/v1/search", `{"text":"red","show":"all"}`)
	if one, many := alone.text(t, "hits"), got.text(t, "results.0.answer.hits"); one != many {
		t.Errorf("alone %s\nin a batch %s", one, many)
	}
	f.expect(f.json(http.MethodPost, path, `{"searches":[]}`), http.StatusBadRequest, problem.InvalidRequest)
	f.expect(f.json(http.MethodPost, path, `{"searches":[`+strings.Repeat(`{"text":"a"},`, 32)+`{"text":"a"}]}`), http.StatusBadRequest, problem.InvalidRequest)
	f.expect(f.json(http.MethodPost, path, `{"searches":[{"text":"a","limit":-1}]}`), http.StatusBadRequest, problem.InvalidRequest)
}

// TestSearchBatchWaitsForPlaces: each search of a batch needs a place, and one that gets none is refused alone.
func TestSearchBatchWaitsForPlaces(t *testing.T) {
	f := start(t, func(options *Options) { options.Limits.Searches = 1 })
	calls := 0
	f.searcher.before = func(context.Context) error {
		if calls++; f.server.searches.Busy() != 1 {
			t.Errorf("search %d has %d places", calls, f.server.searches.Busy())
		}
		if calls == 2 {
			return os.ErrInvalid
		}
		return nil
	}
	got := f.expect(f.json(http.MethodPost, "/api/v1/search/batch", `{"searches":[{"text":"a"},{"text":"b"},{"text":"c"}]}`), http.StatusOK, "")
	if got.text(t, "results.0.status")+got.text(t, "results.1.problem.code")+got.text(t, "results.2.status") != "200internal200" || calls != 3 {
		t.Errorf("%d calls: %s", calls, got.body)
	}
}

// TestAskOptions: how many hits are asked, and for how long, can be said.
func TestAskOptions(t *testing.T) {
	f := start(t)
	f.json(http.MethodPost, "/api/v1/search", `{"text":"red","ask_count":3,"ask_ms":1500}`)
	f.get("/api/v1/search?q=red&ask_count=4&ask_ms=2500")
	for i, want := range []contract.Request{{AskCount: 3, AskBudget: 1500e6}, {AskCount: 4, AskBudget: 2500e6}} {
		if got := f.searcher.requests[i]; got.AskCount != want.AskCount || got.AskBudget != want.AskBudget {
			t.Errorf("asked for %d in %v", got.AskCount, got.AskBudget)
		}
	}
	f.expect(f.get("/api/v1/search?q=red&ask_count=0"), http.StatusBadRequest, problem.InvalidRequest)
}

func TestHighlights(t *testing.T) {
	f := start(t)
	got := f.expect(f.get("/api/v1/search?q=dogs+pet+picture&show=all&highlight=true"), http.StatusOK, "")
	hits := got.at(t, "hits").([]any)
	found := map[string]bool{}
	for _, one := range hits {
		list, _ := one.(map[string]any)["highlights"].([]any)
		for _, entry := range list {
			mark := entry.(map[string]any)
			text := []rune(mark["text"].(string))
			for _, place := range mark["words"].([]any) {
				offset, length := int(number(t, place, "offset")), int(number(t, place, "length"))
				found[mark["field"].(string)+":"+string(text[offset:offset+length])] = true
			}
		}
	}
	for _, want := range []string{"caption:dogs", "tag:pet", "name:Picture"} {
		if !found[want] {
			t.Errorf("%s is not marked: %v", want, found)
		}
	}
	if plain := f.get("/api/v1/search?q=dogs&show=all"); strings.Contains(string(plain.body), "highlights") {
		t.Errorf("highlights unasked: %s", plain.body)
	}
}

func number(t *testing.T, object any, member string) float64 {
	t.Helper()
	value, err := object.(map[string]any)[member].(interface{ Float64() (float64, error) }).Float64()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// TestEmbeddings: vectors as numbers and in base64 are the same, and a picture of the library has those of its file.
func TestEmbeddings(t *testing.T) {
	f := start(t)
	const path = "/api/v1/embeddings"
	numbers := f.expect(f.json(http.MethodPost, path, `{"texts":["red","blue"],"records":["1"]}`), http.StatusOK, "")
	packed := f.expect(f.json(http.MethodPost, path, `{"texts":["red","blue"],"records":["1"],"encoding":"base64","pool":"mean"}`), http.StatusOK, "")
	if numbers.text(t, "width") != "4" || numbers.text(t, "fingerprint") != "colour" || len(numbers.at(t, "embeddings").([]any)) != 3 {
		t.Fatalf("%s", numbers.body)
	}
	data, err := base64.StdEncoding.DecodeString(packed.text(t, "embeddings.1.base64"))
	if err != nil || len(data) != 16 {
		t.Fatalf("%d bytes, %v: %s", len(data), err, packed.body)
	}
	row := numbers.at(t, "embeddings.1.vectors.0").([]any)
	length := 0.0
	for i, value := range row {
		given, _ := value.(interface{ Float64() (float64, error) }).Float64()
		if bits := math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])); float32(given) != bits {
			t.Errorf("number %d: %v and %v", i, given, bits)
		}
		length += given * given
	}
	if math.Abs(length-1) > 1e-6 {
		t.Errorf("the vector's length is %v", length)
	}
	uploaded := f.expect(f.form(path, map[string]string{"image": string(readFile(t, f.root+"/Picture 1.jpg"))}), http.StatusOK, "")
	product := 0.0 // the library keeps vectors in half precision
	for i, value := range uploaded.at(t, "embeddings.0.vectors.0").([]any) {
		given, _ := value.(interface{ Float64() (float64, error) }).Float64()
		stored, _ := numbers.at(t, "embeddings.2.vectors.0").([]any)[i].(interface{ Float64() (float64, error) }).Float64()
		product += given * stored
	}
	if product < 0.999 {
		t.Errorf("the product of the vectors of a file and its record is %v", product)
	}
	for body, code := range map[string]problem.Code{
		`{}`: "empty_request", `{"texts":[""]}`: problem.InvalidRequest, `{"records":["99"]}`: "record_not_found", `{"records":["3"]}`: "invalid_option",
		`{"texts":["a"],"crop":{"x":0,"y":0,"width":1,"height":1}}`: "invalid_crop", `{"texts":["a"],"pool":"max"}`: problem.InvalidRequest,
	} {
		if got := f.json(http.MethodPost, path, body); got.text(t, "code") != string(code) {
			t.Errorf("%s: %s, want %s", body, got.body, code)
		}
	}
}
