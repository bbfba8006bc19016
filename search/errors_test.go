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
)

func TestBadRequests(t *testing.T) {
	s := newTestSearcher(t, populated(20), Options{})
	image, _ := pixels.New(2, 2)
	nan := math.NaN()
	tests := []struct {
		name    string
		request Request
		code    Code
	}{
		{"empty", Request{}, CodeEmptyRequest},
		{"spaces", Request{Text: " \t "}, CodeEmptyRequest},
		{"only unwanted", Request{Text: "-cat"}, CodeNothingWanted},
		{"10,000 words", Request{Text: strings.Repeat("word ", 10000)}, CodeTooLarge},
		{"open quote", Request{Text: `a "cat`}, CodeUnbalancedQuote},
		{"control character", Request{Text: "a\x00b"}, CodeControlCharacter},
		{"no UTF-8", Request{Text: "a\xffb"}, CodeControlCharacter},
		{"unknown filter", Request{Text: "colour:red"}, CodeUnknownFilter},
		{"impossible date", Request{Text: "after:2023-02-31"}, CodeInvalidDate},
		{"no dates left", Request{Text: "cat", Filter: index.Filter{After: time.Unix(9, 0), Before: time.Unix(9, 0)}}, CodeInvalidDate},
		{"nowhere", Request{Text: "cat", Filter: index.Filter{Near: &index.Near{Latitude: nan, Kilometres: 1}}}, CodeInvalidOption},
		{"both kinds", Request{Text: "cat kind:image kind:text"}, CodeInvalidOption},
		{"negative limit", Request{Text: "cat", Limit: -1}, CodeInvalidOption},
		{"huge limit", Request{Text: "cat", Limit: 1 << 30}, CodeInvalidOption},
		{"negative offset", Request{Text: "cat", Offset: -1}, CodeInvalidOption},
		{"weight", Request{Text: "cat", Weight: &nan}, CodeInvalidOption},
		{"probability", Request{Text: "cat", MinimumProbability: nan}, CodeInvalidOption},
		{"fusion", Request{Text: "cat", Fusion: "x"}, CodeInvalidOption},
		{"sort", Request{Text: "cat", Sort: "x"}, CodeInvalidOption},
		{"show", Request{Text: "cat", Show: "x"}, CodeInvalidOption},
		{"rerank count", Request{Text: "cat", RerankCount: -1}, CodeInvalidOption},
		{"budget", Request{Text: "cat", RerankBudget: time.Hour}, CodeInvalidOption},
		{"image and record", Request{Image: image, Record: 1}, CodeInvalidOption},
		{"broken image", Request{Image: &pixels.Image{Width: 3, Height: 3}}, CodeImageUndecodable},
		{"no such record", Request{Record: 999}, CodeRecordNotFound},
		{"crop of nothing", Request{Text: "cat", Crop: &Rectangle{Width: 1, Height: 1}}, CodeInvalidCrop},
		{"crop outside", Request{Record: 1, Crop: &Rectangle{X: 0.5, Width: 0.6, Height: 1}}, CodeInvalidCrop},
		{"empty crop", Request{Record: 1, Crop: &Rectangle{}}, CodeInvalidCrop},
		{"NaN crop", Request{Record: 1, Crop: &Rectangle{X: nan, Width: 1, Height: 1}}, CodeInvalidCrop},
		{"crop without original", Request{Record: 1, Crop: &Rectangle{Width: 1, Height: 1}}, CodeUnavailable},
		{"cursor", Request{Text: "cat", Cursor: "!"}, CodeInvalidCursor},
		{"cursor of another query", Request{Text: "cat", Cursor: cursor{Key: "x"}.String()}, CodeInvalidCursor},
		{"endless cursor", Request{Text: "cat", Cursor: strings.Repeat("A", 5000)}, CodeInvalidCursor},
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
	_, err := s.Search(t.Context(), Request{Text: "猫 colour:red"})
	var got *Error
	if !errors.As(err, &got) || got.Position == nil || *got.Position != (Position{Offset: 2, Length: 7}) {
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
	_, err = s.Search(t.Context(), Request{Text: "cat"})
	wantCode(t, err, CodeSpaceMismatch)
}

func TestFailureOfALegIsAnError(t *testing.T) {
	w := populated(20)
	w.wordsError = index.ErrDamaged
	for _, text := range []string{"cat", `"cat"`, `cat -"dog"`} {
		if _, err := newTestSearcher(t, w, Options{}).Search(t.Context(), Request{Text: text}); !errors.Is(err, index.ErrDamaged) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
