package search

import (
	"slices"
	"testing"

	"mekiki/search/contract"
)

// noticed gives the query that a notice proposes; false where there is no notice of the code.
func noticed(response contract.Response, code contract.NoticeCode) (string, bool) {
	for _, notice := range response.Notices {
		if notice.Code == code {
			return notice.Query, slices.Contains(response.Warnings, notice.Message)
		}
	}
	return "", false
}

// TestNoticesSayWhatToDo: each is among the warnings too, and proposes another query where there is one.
func TestNoticesSayWhatToDo(t *testing.T) {
	s := newTestSearcher(t, populated(100), Options{})
	for text, want := range map[string]struct {
		code  contract.NoticeCode
		query string
	}{
		"cat OR dog":                {contract.NoticeOr, ""},
		`"zeppelins over" cat -dog`: {contract.NoticePhrase, "zeppelins over cat -dog"},
		`boat "AND so: on" y`:       {contract.NoticePhrase, `boat \AND so\: on y`},
	} {
		response := search(t, s, contract.Request{Text: text})
		if query, ok := noticed(response, want.code); !ok || query != want.query {
			t.Errorf("%q: %q, %v, %+v", text, query, ok, response.Notices)
		}
	}
	if found := search(t, s, contract.Request{Text: "cat"}); len(found.Notices) > 0 {
		t.Errorf("a plain query has %+v", found.Notices)
	}
	if listed := search(t, s, contract.Request{Text: "folder:set1"}); len(listed.Notices) > 0 {
		t.Errorf("a list has %+v", listed.Notices)
	}
}

// TestReadingOn: who reads on gets everything that there is, or is told where the search stopped.
func TestReadingOn(t *testing.T) {
	w := populated(700)
	for name, request := range map[string]contract.Request{
		"words":     {Text: "cat", Show: contract.ShowAll},
		"a picture": {Record: 5, Show: contract.ShowAll},
	} {
		for _, last := range []int{200, 0} {
			options := windowOptions()
			options.LastWindow = last
			s := newTestSearcher(t, w, options)
			seen, told := map[string]bool{}, false
			request.Limit, request.Cursor = 50, ""
			for {
				page := search(t, s, request)
				for _, hit := range page.Hits {
					seen[hit.ID.String()] = true
				}
				_, told = noticed(page, contract.NoticeEnd)
				if request.Cursor = page.Cursor; page.Cursor == "" {
					break
				}
				if told {
					t.Fatalf("%s: the end is told at %d of %d", name, page.Offset, page.Total)
				}
			}
			whole := 700
			if request.Record != 0 {
				whole--
			}
			if last == 0 && (len(seen) != whole || told) {
				t.Errorf("%s: %d of %d are reached, end told: %v", name, len(seen), whole, told)
			}
			if last > 0 && (len(seen) < last || len(seen) >= whole || !told) {
				t.Errorf("%s: %d are reached with a last window of %d, end told: %v", name, len(seen), last, told)
			}
		}
	}
}
