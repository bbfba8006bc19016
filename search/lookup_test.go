package search

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/lookup"
	"mekiki/search/scoring"
)

func lookupWorld() (*world, *index.Record) {
	w := populated(100)
	for _, text := range []string{"a cat", "a cat and a pizza", "a zeppelin", "a cat, a pizza and a dog", "a boat"} {
		w.addText(text)
	}
	return w, w.add("/library/x.jpg", "cat", "pizza")
}

func TestLookupFindsTextsAndCaptions(t *testing.T) {
	w, picture := lookupWorld()
	s := newTestSearcher(t, w, Options{})
	response, err := s.Lookup(t.Context(), lookup.Request{Record: picture.ID})
	if err != nil {
		t.Fatal(err)
	}
	if response.Verdict != scoring.VerdictStrong || len(response.Texts) == 0 {
		t.Fatalf("got %s with %d texts", response.Verdict, len(response.Texts))
	}
	sources := map[lookup.TextSource]bool{}
	for i, hit := range response.Texts {
		sources[hit.Source] = true
		if strings.Contains(hit.Text, "zeppelin") || strings.Contains(hit.Text, "boat") {
			t.Errorf("text %q is shown", hit.Text)
		}
		if hit.Rank != i+1 || hit.ID == 0 || hit.ITM == nil || hit.Basis != contract.BasisMatch {
			t.Errorf("text %d is not filled in: %+v", i+1, hit)
		}
	}
	if !sources[lookup.TextSourceRecord] || !sources[lookup.TextSourceCaption] {
		t.Errorf("sources are %v", sources)
	}
	if w.open.Load() != 0 {
		t.Error("a snapshot is still open")
	}
}

func TestLookupByImage(t *testing.T) {
	w, picture := lookupWorld()
	s := newTestSearcher(t, w, Options{})
	image, _ := pixels.New(2, 2)
	image.Pix[0] = byte(picture.ID)
	byImage, err := s.Lookup(t.Context(), lookup.Request{Image: image})
	if err != nil {
		t.Fatal(err)
	}
	byRecord, err := s.Lookup(t.Context(), lookup.Request{Record: picture.ID})
	if err != nil {
		t.Fatal(err)
	}
	if len(byImage.Texts) == 0 || byImage.Texts[0].Text != byRecord.Texts[0].Text {
		t.Errorf("got %+v", byImage.Texts)
	}
}

func TestLabels(t *testing.T) {
	w, picture := lookupWorld()
	s := newTestSearcher(t, w, Options{})
	response, err := s.Lookup(t.Context(), lookup.Request{Record: picture.ID, Labels: []string{"boat", "cat", "dog", " cat ", "pizza"}, Template: "a picture of {}"})
	if err != nil {
		t.Fatal(err)
	}
	if len(response.Texts) != 4 {
		t.Fatalf("got %d labels", len(response.Texts))
	}
	sum := 0.0
	for _, hit := range response.Texts {
		if hit.Share == nil {
			t.Fatalf("label %q has no share", hit.Text)
		}
		sum += *hit.Share
		want := scoring.VerdictNone
		if hit.Text == "cat" || hit.Text == "pizza" {
			want = scoring.VerdictStrong
		}
		if hit.Verdict != want || hit.Source != lookup.TextSourceLabel || hit.ID != 0 {
			t.Errorf("label %q: %+v", hit.Text, hit)
		}
	}
	if math.Abs(sum-1) > 1e-4 {
		t.Errorf("shares sum to %v", sum)
	}
	strong, err := s.Lookup(t.Context(), lookup.Request{Record: picture.ID, Labels: []string{"boat", "cat"}, Show: contract.ShowStrong})
	if err != nil || len(strong.Texts) != 1 || strong.Hidden != 1 {
		t.Errorf("got %+v, %v", strong, err)
	}
}

func TestLookupBudget(t *testing.T) {
	w, picture := lookupWorld()
	w.matchDelay = 5 * time.Millisecond
	s := newTestSearcher(t, w, Options{})
	response, err := s.Lookup(t.Context(), lookup.Request{Record: picture.ID, RerankBudget: 60 * time.Millisecond})
	if err != nil || response.Reranked == 0 || response.Reranked >= response.RerankPlanned {
		t.Errorf("read %d of %d, %v", response.Reranked, response.RerankPlanned, err)
	}
	none, err := s.Lookup(t.Context(), lookup.Request{Record: picture.ID, RerankBudget: noRerank, Show: contract.ShowAll})
	if err != nil || none.Reranked != 0 || len(none.Texts) == 0 || none.Texts[0].Basis != contract.BasisVector {
		t.Errorf("got %+v, %v", none, err)
	}
}

func TestBadLookups(t *testing.T) {
	w, picture := lookupWorld()
	s := newTestSearcher(t, w, Options{})
	for name, test := range map[string]struct {
		request lookup.Request
		code    contract.Code
	}{
		"nothing":           {lookup.Request{}, contract.CodeEmptyRequest},
		"text record":       {lookup.Request{Record: 101}, contract.CodeInvalidOption},
		"no record":         {lookup.Request{Record: 9999}, contract.CodeRecordNotFound},
		"empty label":       {lookup.Request{Record: picture.ID, Labels: []string{" "}}, contract.CodeInvalidOption},
		"control character": {lookup.Request{Record: picture.ID, Labels: []string{"a\x01"}}, contract.CodeControlCharacter},
		"long label":        {lookup.Request{Record: picture.ID, Labels: []string{strings.Repeat("a", 1001)}}, contract.CodeTooLarge},
		"many labels":       {lookup.Request{Record: picture.ID, Labels: slices.Repeat([]string{"a"}, 10001)}, contract.CodeTooLarge},
		"template":          {lookup.Request{Record: picture.ID, Labels: []string{"a"}, Template: "x"}, contract.CodeInvalidOption},
		"limit":             {lookup.Request{Record: picture.ID, Limit: -1}, contract.CodeInvalidOption},
	} {
		_, err := s.Lookup(t.Context(), test.request)
		if codeOf(err) != test.code {
			t.Errorf("%s: got %v", name, err)
		}
	}
	words, _ := New(w, nil, Options{})
	_, err := words.Lookup(t.Context(), lookup.Request{Record: picture.ID})
	wantCode(t, err, contract.CodeUnavailable)
}
