package search

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/cursor"
)

func TestBadRequests(t *testing.T) {
	s := newTestSearcher(t, populated(20), Options{})
	image, _ := pixels.New(2, 2)
	nan := math.NaN()
	tests := []struct {
		name    string
		request contract.Request
		code    contract.Code
	}{
		{"empty", contract.Request{}, contract.CodeEmptyRequest},
		{"spaces", contract.Request{Text: " \t "}, contract.CodeEmptyRequest},
		{"only unwanted", contract.Request{Text: "-cat"}, contract.CodeNothingWanted},
		{"10,000 words", contract.Request{Text: strings.Repeat("word ", 10000)}, contract.CodeTooLarge},
		{"open quote", contract.Request{Text: `a "cat`}, contract.CodeUnbalancedQuote},
		{"control character", contract.Request{Text: "a\x00b"}, contract.CodeControlCharacter},
		{"no UTF-8", contract.Request{Text: "a\xffb"}, contract.CodeControlCharacter},
		{"unknown filter", contract.Request{Text: "colour:red"}, contract.CodeUnknownFilter},
		{"impossible date", contract.Request{Text: "after:2023-02-31"}, contract.CodeInvalidDate},
		{"no dates left", contract.Request{Text: "cat", Filter: index.Filter{After: time.Unix(9, 0), Before: time.Unix(9, 0)}}, contract.CodeInvalidDate},
		{"nowhere", contract.Request{Text: "cat", Filter: index.Filter{Near: &index.Near{Latitude: nan, Kilometres: 1}}}, contract.CodeInvalidOption},
		{"both kinds", contract.Request{Text: "cat kind:image kind:text"}, contract.CodeInvalidOption},
		{"negative limit", contract.Request{Text: "cat", Limit: -1}, contract.CodeInvalidOption},
		{"huge limit", contract.Request{Text: "cat", Limit: 1 << 30}, contract.CodeInvalidOption},
		{"negative offset", contract.Request{Text: "cat", Offset: -1}, contract.CodeInvalidOption},
		{"weight", contract.Request{Text: "cat", Weight: &nan}, contract.CodeInvalidOption},
		{"probability", contract.Request{Text: "cat", MinimumProbability: nan}, contract.CodeInvalidOption},
		{"fusion", contract.Request{Text: "cat", Fusion: "x"}, contract.CodeInvalidOption},
		{"sort", contract.Request{Text: "cat", Sort: "x"}, contract.CodeInvalidOption},
		{"show", contract.Request{Text: "cat", Show: "x"}, contract.CodeInvalidOption},
		{"rerank count", contract.Request{Text: "cat", RerankCount: -1}, contract.CodeInvalidOption},
		{"budget", contract.Request{Text: "cat", RerankBudget: time.Hour}, contract.CodeInvalidOption},
		{"image and record", contract.Request{Image: image, Record: 1}, contract.CodeInvalidOption},
		{"broken image", contract.Request{Image: &pixels.Image{Width: 3, Height: 3}}, contract.CodeImageUndecodable},
		{"no such record", contract.Request{Record: 999}, contract.CodeRecordNotFound},
		{"crop of nothing", contract.Request{Text: "cat", Crop: &contract.Rectangle{Width: 1, Height: 1}}, contract.CodeInvalidCrop},
		{"crop outside", contract.Request{Record: 1, Crop: &contract.Rectangle{X: 0.5, Width: 0.6, Height: 1}}, contract.CodeInvalidCrop},
		{"empty crop", contract.Request{Record: 1, Crop: &contract.Rectangle{}}, contract.CodeInvalidCrop},
		{"NaN crop", contract.Request{Record: 1, Crop: &contract.Rectangle{X: nan, Width: 1, Height: 1}}, contract.CodeInvalidCrop},
		{"crop without original", contract.Request{Record: 1, Crop: &contract.Rectangle{Width: 1, Height: 1}}, contract.CodeUnavailable},
		{"cursor", contract.Request{Text: "cat", Cursor: "!"}, contract.CodeInvalidCursor},
		{"cursor of another query", contract.Request{Text: "cat", Cursor: cursor.Cursor{Key: "x"}.String()}, contract.CodeInvalidCursor},
		{"endless cursor", contract.Request{Text: "cat", Cursor: strings.Repeat("A", 5000)}, contract.CodeInvalidCursor},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := s.Search(t.Context(), test.request)
			wantCode(t, err, test.code)
		})
	}
}

func TestErrorPointsAtTheCharacter(t *testing.T) {
	s := newTestSearcher(t, newWorld(), Options{})
	_, err := s.Search(t.Context(), contract.Request{Text: "猫 colour:red"})
	var got *contract.Error
	if !errors.As(err, &got) || got.Position == nil || *got.Position != (contract.Position{Offset: 2, Length: 7}) {
		t.Fatalf("got %+v", err)
	}
	data, _ := json.Marshal(got)
	want := `{"code":"unknown_filter","message":"there is no filter colour:",`
	if !strings.HasPrefix(string(data), want) {
		t.Errorf("got %s", data)
	}
}

func TestAnotherModelIsRefused(t *testing.T) {
	w := populated(10)
	other := newWorld()
	other.space.Fingerprint = "other"
	s, err := New(w, worldEngine{other}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Search(t.Context(), contract.Request{Text: "cat"})
	wantCode(t, err, contract.CodeSpaceMismatch)
}

func TestFailureOfALegIsAnError(t *testing.T) {
	w := populated(20)
	w.wordsError = index.ErrDamaged
	for _, text := range []string{"cat", `"cat"`, `cat -"dog"`} {
		if _, err := newTestSearcher(t, w, Options{}).Search(t.Context(), contract.Request{Text: text}); !errors.Is(err, index.ErrDamaged) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
