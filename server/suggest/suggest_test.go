package suggest

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/internal/vfs/vfstest"
	spellings "mekiki/search/spelling"
	"mekiki/server/servertest"
)

func TestSuggestions(t *testing.T) {
	library := servertest.Open(t, "/library", vfstest.NewMemory())
	for i, caption := range []string{"two cats beside a pizza", "two cats beside a pizza", "two dogs on a red sofa", "Two horses", "a cactus", "un Café fermé"} {
		servertest.Put(t, library, index.Record{
			Kind: index.KindImage, Hash: index.Hash{byte(i + 1)}, Format: "jpeg", Captions: []index.Caption{{Text: caption}}, Tags: []string{"beach", "new york"},
			Files: []index.File{{Path: fmt.Sprintf("/pictures/new york/%d.jpg", i)}}, Metadata: index.Metadata{Camera: "Nikon Z 6"},
		})
	}
	snapshot := servertest.Reader(t, library)
	defer snapshot.Close()
	known, err := (&Suggester{}).For(context.Background(), snapshot)
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"two c":         "two cats|two cats beside a pizza",
		"TWO":           "two cats|two cats beside a pizza|two dogs|Two horses|two dogs on a red sofa",
		"pizza":         "",
		"red so":        "red sofa",
		"tag:b":         "tag:beach",
		"cat tag:ne":    `cat tag:"new york"`,
		`tag:"new y`:    `tag:"new york"`,
		"camera:nik":    `camera:"Nikon Z 6"`,
		"folder:new":    `folder:"new york"`,
		"type:":         "type:jpeg",
		"nosuch:x":      "",
		"dogs be":       "dogs tag:beach|dogs before:",
		"aft":           "after:",
		"":              `tag:beach|tag:"new york"`,
		"two cats ":     "two cats beside a pizza",
		"\x00":          "",
		"-ca":           "",
		`"two ca`:       "",
		"日":             "",
		"cafe":          "Café fermé|un Café fermé",
		"un CAFÉ f":     "un Café fermé",
		"tag:\"new y\"": `tag:"new york"`,
	} {
		var got []string
		for _, each := range known.Complete(query, 8) {
			got = append(got, each.Text)
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q: %q, want %q", query, strings.Join(got, "|"), want)
		}
	}
	if got := known.Complete("t", 2); len(got) != 2 {
		t.Errorf("%d suggestions, want 2", len(got))
	}
}

func FuzzSuggestions(f *testing.F) {
	library := servertest.Open(f, "/library", vfstest.NewMemory())
	servertest.Put(f, library, index.Record{Kind: index.KindImage, Hash: index.Hash{1}, Captions: []index.Caption{{Text: "two cats beside a pizza"}}, Tags: []string{"new york"}})
	snapshot := servertest.Reader(f, library)
	defer snapshot.Close()
	known, err := newVocabulary(context.Background(), snapshot)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", "two", `tag:"new`, "a:b:c", "\"", "tag:\"\"\"", "İ"} {
		f.Add(seed, 5)
	}
	f.Fuzz(func(t *testing.T, query string, limit int) {
		limit = 1 + (limit&0x7fffffff)%50
		if got := known.Complete(query, limit); len(got) > limit {
			t.Errorf("%d suggestions, want at most %d", len(got), limit)
		}
	})
}

// BenchmarkSuggestions completes a query in a library of 100,000 captions.
func BenchmarkSuggestions(b *testing.B) {
	library := servertest.Open(b, "/library", vfstest.NewMemory())
	records := make([]index.Record, 100_000)
	for i := range records {
		hash := index.Hash{}
		binary.BigEndian.PutUint32(hash[:], uint32(i+1))
		records[i] = index.Record{Kind: index.KindImage, Hash: hash, Captions: []index.Caption{{Text: fmt.Sprintf("%d cats beside picture %d of a pizza", i%97, i)}}}
	}
	servertest.Put(b, library, records...)
	snapshot := servertest.Reader(b, library)
	defer snapshot.Close()
	known, err := newVocabulary(context.Background(), snapshot)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		known.Complete("5 cats be", 8)
	}
}

func TestSuggestionsOfLargeLibrariesAreKept(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name        string
		took, since time.Duration
		sequence    uint64
		want        bool
	}{
		{"the same state", time.Second, time.Hour, 7, true},
		{"another, quickly made", time.Millisecond, 0, 8, false},
		{"another, slowly made just now", time.Second, time.Second, 8, true},
		{"another, slowly made a while ago", time.Second, 21 * time.Second, 8, false},
	} {
		known := &Vocabulary{sequence: 7, made: now.Add(-c.since), took: c.took}
		if got := known.serves(c.sequence, now); got != c.want {
			t.Errorf("%s: serves is %v", c.name, got)
		}
	}
}

// TestPhrasesAreWhole: a phrase is what somebody means, and no piece of a caption cut off anywhere.
func TestPhrasesAreWhole(t *testing.T) {
	library := servertest.Open(t, "/library", vfstest.NewMemory())
	number := 0
	for caption, count := range map[string]int{
		"two cats and a pizza": 3, "a caterpillar and two red cars": 1, "two red books beside a cat": 1, "a pair of cats, two dogs": 2,
		"two cats sitting on a sofa": 2, "a cat on the grass": 2, "a cat on a pillow": 1,
	} {
		for range count {
			number++
			servertest.Put(t, library, index.Record{
				Kind: index.KindImage, Hash: index.Hash{byte(number)}, Format: "jpeg", Captions: []index.Caption{{Text: caption}},
				Files: []index.File{{Path: fmt.Sprintf("/pictures/Kyoto/lighthouse-%d.jpg", number)}},
			})
		}
	}
	snapshot := servertest.Reader(t, library)
	defer snapshot.Close()
	known, err := newVocabulary(context.Background(), snapshot)
	if err != nil {
		t.Fatal(err)
	}
	texts := func(query string) (list []string) {
		for _, each := range known.Complete(query, 8) {
			list = append(list, each.Text)
		}
		return list
	}
	for query, want := range map[string]string{"two ca": "two cats", "cat": "cats", "a cat on": "a cat on the grass", "a dog; two ca": "a dog; two cats", "five piz": "five pizzas", "3 gras": "3 grasses", "nine red bo": "nine red books", "one piz": "one pizza"} {
		if got := texts(query); len(got) == 0 || got[0] != want {
			t.Errorf("%q: %q, want %q first", query, got, want)
		}
	}
	for _, query := range []string{"cat", "two", "a", "two r", "p"} {
		for _, text := range texts(query) {
			for _, cut := range []string{"and", "two red", "of", "on", "caterpillar and", "dogs two", "cats two dogs"} {
				if text == cut || strings.HasSuffix(text, " "+cut) {
					t.Errorf("%q is completed by %q", query, text)
				}
			}
		}
	}
	for query, want := range map[string]string{
		"two cast": "two cats", "two catz": "two cats", "pizzza": "pizza", "caterpilar and cat": "caterpillar and cat", "a lighthuose at kyotto": "a lighthouse at kyoto",
		"two cats": "", "cat": "", "xyzzy": "", "bizza": "pizza", "a girl's cast": "a girl's cats", "cast-iron 2cast": "", "ct": "", "folder:kyotto": "", `-pizzza "pilow" folder:kyotto`: `-pizza "pillow" folder:kyotto`, "": "", "日本語": "", "PIZZZA": "pizza",
	} {
		got, err := spellings.Proposal(t.Context(), query, known, snapshot)
		if err != nil || got != want {
			t.Errorf("%q is corrected to %q, want %q; %v", query, got, want, err)
		}
	}
}

func TestEditDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"tulp", "tulip", 1}, {"cast", "cats", 1}, {"elefant", "elephant", 2}, {"cat", "cat", 0}, {"abcd", "wxyz", 3}, {"", "ab", 2}, {"ab", "ba", 1}, {"xab", "yba", 2}} {
		if got := editDistance([]rune(c.a), []rune(c.b), 2); got != c.want {
			t.Errorf("%s, %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func FuzzCorrect(f *testing.F) {
	known := &Vocabulary{spelling: newSpelling(map[string]*entry{"cats": {"cats", "cats", 3}, "pizza": {"pizza", "Pizza", 1}})}
	for _, seed := range []string{"", "two cast", `"a`, "tag:x pizzza", "\u00e9\u0301x", " \u2003 cast\u00a0", "-pizzza. '-pizzza"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		better, err := spellings.Proposal(t.Context(), text, known)
		if err != nil {
			t.Fatal(err)
		}
		if better == text && text != "" {
			t.Errorf("%q is corrected to itself", text)
		}
		if again, err := spellings.Proposal(t.Context(), better, known); err != nil || again != "" && len(strings.Fields(text)) < 16 {
			t.Errorf("%q, corrected to %q, is corrected to %q; %v", text, better, again, err)
		}
	})
}

// TestNobodyWaitsForWatchedSuggestions: what a large library suggested before is given at once, and
// made again in the background.
func TestNobodyWaitsForWatchedSuggestions(t *testing.T) {
	library := servertest.Open(t, "/library", vfstest.NewMemory())
	servertest.Put(t, library, index.Record{Kind: index.KindImage, Hash: index.Hash{1}, Captions: []index.Caption{{Text: "a lighthouse"}}})
	read := func(_ context.Context, work func(index.Reader) error) error {
		snapshot := servertest.Reader(t, library)
		defer snapshot.Close()
		return work(snapshot)
	}
	ctx, cancel := context.WithCancel(t.Context())
	suggester, ended := &Suggester{}, make(chan struct{})
	go func() { suggester.Watch(ctx, read); close(ended) }()
	defer func() { cancel(); <-ended }()
	for suggester.present.Load() == nil {
		time.Sleep(time.Millisecond)
	}
	// As if making it had taken long, some time ago.
	slow := *suggester.present.Load()
	slow.took, slow.made = time.Second, time.Now().Add(-time.Hour)
	suggester.present.Store(&slow)
	servertest.Put(t, library, index.Record{Kind: index.KindImage, Hash: index.Hash{2}, Captions: []index.Caption{{Text: "a windmill"}}})
	snapshot := servertest.Reader(t, library)
	defer snapshot.Close()
	suggester.making.Lock()
	known, err := suggester.For(t.Context(), snapshot)
	suggester.making.Unlock()
	if err != nil || known != &slow {
		t.Errorf("somebody waited: %v", err)
	}
	for suggester.present.Load() == &slow {
		time.Sleep(time.Millisecond)
	}
	if found := suggester.present.Load().Complete("windm", 3); len(found) == 0 {
		t.Error("the new word is not suggested")
	}
}
