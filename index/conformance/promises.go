package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/indextest"
)

func testEmptyLibrary(p *pair) {
	p.check(p.read())
	for _, filled := range []bool{false, true} {
		if filled {
			p.fill(1)
		}
		for name, ask := range calls(p.read()) {
			if err := ask(p.t.Context()); (err != nil || name == "Thumbnail" || name == "OpenOriginal") && !errors.Is(err, index.ErrNotFound) {
				p.t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// testAllOrNothing: of a batch with an invalid item nothing is left, not even the file that
// would have moved.
func testAllOrNothing(p *pair) {
	ids := p.fill(1, 2)
	p.refused(index.Batch{
		Puts:     []index.Put{p.image(3)},
		Attach:   []index.Attach{{ID: ids[0], File: indextest.File(2)}},
		Captions: []index.CaptionChange{{ID: ids[0], Captions: []index.Caption{{Text: "a lantern"}}}},
		Vectors:  []index.Vectors{{ID: ids[0], Space: indextest.Small, Parts: indextest.Unit(50, 3, 8)}},
		Tags:     []index.TagChange{{ID: ids[0], Add: []string{"new"}}, {ID: 999, Add: []string{"new"}}},
	}, index.ErrNotFound)
}

func testMerge(p *pair) {
	p.fill(1)
	p.addSpace(other)
	again := indextest.Image(p.t, 1, other)
	again.Record.Files, again.Record.Tags = []index.File{indextest.File(9)}, []string{"more"}
	again.Record.Captions, again.Record.Format = []index.Caption{{Text: "an elephant"}}, "png"
	p.write(index.Batch{Puts: []index.Put{again, again}})
}

func testReplaces(p *pair) {
	p.fill(1, 2)
	changed, known, later := p.image(5), p.image(2), p.image(6)
	changed.Record.Files, changed.Record.Tags, changed.Vectors = []index.File{indextest.File(1)}, []string{"new"}, index.Vectors{}
	changed.Replaces = p.image(1).Record.Hash
	known.Replaces, later.Replaces = changed.Record.Hash, changed.Record.Hash
	for _, batch := range []index.Batch{
		{Puts: []index.Put{changed}},
		{Puts: []index.Put{known, changed}},        // the library has it already
		{Detach: []string{indextest.File(1).Path}}, // what is kept of it
		{Puts: []index.Put{later}},                 // goes to the new one
		{Puts: []index.Put{p.image(1), changed}},   // of the old content nothing is known
	} {
		p.write(batch)
	}
}

func testExternalID(p *pair) {
	p.addSpace(indextest.Small)
	put := func(text string) {
		record := index.Record{Kind: index.KindText, Hash: sha256.Sum256([]byte(text)), Text: text, ExternalID: "mine", Tags: []string{text}}
		vectors := index.Vectors{Space: indextest.Small, Parts: indextest.Unit(uint64(len(text)), 1, 8)}
		p.write(index.Batch{Puts: []index.Put{{Record: record, Vectors: vectors}}})
	}
	put("a lantern")
	put("an elephant")
	p.finds(p.read(), index.KeywordQuery{Text: "elephant"}, index.Filter{}, p.ids()...)
}

func testFilesMove(p *pair) {
	ids, old, then := p.fill(1, 2), p.read(), p.clone()
	for _, batch := range []index.Batch{
		{Failures: []index.Failure{{File: indextest.File(7), Reason: "torn"}, {File: indextest.File(3), Reason: "torn"}}},
		{Attach: []index.Attach{{ID: ids[0], File: indextest.File(7)}, {ID: ids[0], File: indextest.File(8), First: true}}},
		{Attach: []index.Attach{{ID: ids[0], File: indextest.File(2)}}, Detach: []string{indextest.File(1).Path}, Resolved: []string{indextest.File(3).Path}},
		{Puts: []index.Put{p.image(2)}}, // under a new ID, with its file again
	} {
		p.write(batch)
	}
	p.checkPast(then, old)
}

// testKept: what people gave comes back with the content, unless a person took it out.
func testKept(p *pair) {
	ids := p.fill(1, 2, 3, 4)
	p.write(index.Batch{Detach: []string{indextest.File(1).Path, indextest.File(3).Path}, Remove: ids[3:]})
	p.write(index.Batch{Detach: []string{indextest.File(2).Path, indextest.File(3).Path}, Final: true})
	batch := index.Batch{Puts: []index.Put{p.image(1), p.image(2), p.image(3), p.image(4)}}
	for i := range batch.Puts {
		batch.Puts[i].Record.Tags = nil
	}
	p.write(batch)
	// What a person removed for good stays away, also when the path is taken out later.
	p.write(index.Batch{Purge: p.ids()[:1]})
	p.write(index.Batch{Detach: []string{indextest.File(1).Path}, Final: true})
	hashes := []index.Hash{p.image(1).Record.Hash, p.image(2).Record.Hash}
	if purged, err := p.read().Purged(p.t.Context(), hashes); err != nil || !slices.Equal(purged, []bool{true, false}) {
		p.t.Errorf("purged: %v, %v", purged, err)
	}
}

func testHelpers(p *pair) {
	ids, ctx := p.fill(1, 2, 3), p.t.Context()
	indextest.Must(p.t, index.Tag(ctx, p.library, ids[:2], "  Old  Town ", "b"))
	indextest.Must(p.t, index.Untag(ctx, p.library, ids[1:2], "old town", "TEST"))
	indextest.Must(p.t, index.Remove(ctx, p.library, ids[2], ids[2]+70))
	found, err := p.read().Records(ctx, ids)
	if indextest.Must(p.t, err); found[2] != nil || !slices.Equal(found[0].Tags, []string{"Old Town", "b", "test"}) || !slices.Equal(found[1].Tags, []string{"b"}) {
		p.t.Errorf("records %+v", found)
	}
	if _, err := index.One(found, nil); err == nil {
		p.t.Error("One of three gives no error")
	}
}

func testAll(p *pair) {
	t := p.t
	p.fill(1, 2, 3, 4)
	r := p.read()
	for range r.All(t.Context()) {
		break // a consumer that stops is not asked again, or the loop panics
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var problems []error
	for record, err := range r.All(ctx) {
		cancel()
		if len(problems) > 0 || (err == nil) == (record == nil) {
			t.Errorf("%+v, %v after %v", record, err, problems)
		}
		if err != nil {
			problems = append(problems, err)
		}
	}
	if len(problems) != 1 || !errors.Is(problems[0], context.Canceled) {
		t.Errorf("the context ended: %v", problems)
	}
}

func testTies(p *pair) {
	t := p.t
	p.addSpace(indextest.Small)
	var batch index.Batch
	for number := range uint64(9) {
		put := p.image(number)
		put.Vectors.Parts, put.Record.Captions = indextest.Unit(1, 3, 8), []index.Caption{{Text: "a lantern"}}
		put.Record.Metadata.Taken = indextest.Time
		batch.Puts = append(batch.Puts, put)
	}
	ids, r := p.write(batch), p.read()
	nearest, err := r.Nearest(t.Context(), index.KindImage, indextest.Unit(1, 3, 8).Values, 4, index.Filter{})
	indextest.Must(t, err)
	for i, hit := range nearest {
		if hit.ID != ids[i] || hit.Score < 1-halfError || hit.Score > 1+halfError {
			t.Errorf("nearest %d is %+v", i, hit)
		}
	}
	if found := words(t, r, index.KeywordQuery{Text: "lantern"}, 4, index.Filter{}); !slices.Equal(found, ids[:4]) || len(nearest) != 4 {
		t.Errorf("words find %v, vectors %v", found, nearest)
	}
	if _, err := r.Nearest(t.Context(), index.KindImage, make([]float32, 5), 4, index.Filter{}); err == nil {
		t.Error("a query of another width gives no error")
	}
}

func testKeyword(p *pair) {
	t := p.t
	ids := p.fill(0, 1, 2, 8)
	text := "the <b>elephant</b> of the volcano"
	put := index.Put{Record: index.Record{Kind: index.KindText, Hash: sha256.Sum256([]byte(text)), Text: text}}
	ids = append(ids, p.write(index.Batch{Puts: []index.Put{put}})...)
	old := p.read()
	p.finds(old, index.KeywordQuery{Text: "dog"}, index.Filter{}, ids[0], ids[3])
	p.finds(old, index.KeywordQuery{Text: "cat elephant"}, index.Filter{}, ids[1], ids[4])
	p.finds(old, index.KeywordQuery{Text: "cat elephant", Kind: index.KindText}, index.Filter{}, ids[4])
	p.finds(old, index.KeywordQuery{Text: "cat elephant"}, index.Filter{Kinds: []index.Kind{index.KindImage}}, ids[1])
	p.finds(old, index.KeywordQuery{Text: "cat", Kind: index.KindText}, index.Filter{Kinds: []index.Kind{index.KindImage}})
	p.finds(old, index.KeywordQuery{Text: "0002"}, index.Filter{}, ids[2])
	p.finds(old, index.KeywordQuery{Phrases: []string{"dog beside number 8"}}, index.Filter{}, ids[3])
	p.finds(old, index.KeywordQuery{Phrases: []string{"beside dog"}}, index.Filter{})
	p.finds(old, index.KeywordQuery{Text: "dog", Exclude: []string{"number 8"}}, index.Filter{}, ids[0])
	p.finds(old, index.KeywordQuery{Text: "nothing has this"}, index.Filter{Tags: []string{"nor this"}})
	p.finds(old, index.KeywordQuery{}, index.Filter{})
	hits, err := old.Keyword(t.Context(), index.KeywordQuery{Text: "elephant"}, 1, index.Filter{})
	indextest.Must(t, err)
	excerpt := strings.Join(hits[0].Fragments["text"], "")
	if !strings.Contains(excerpt, "<mark>elephant</mark>") || strings.Contains(excerpt, "<b>") || !slices.Contains(hits[0].Terms, "eleph") && !slices.Contains(hits[0].Terms, "elephant") {
		t.Errorf("hits %+v", hits)
	}
	spellings, err := old.Spellings(t.Context(), []string{"elefant", "elephant", "volcnao", "giraffe"})
	indextest.Must(t, err)
	if want := [][]string{nil, nil, {"volcano"}, nil}; len(spellings) != 4 || spellings[1] != nil || !slices.Equal(spellings[2], want[2]) || spellings[3] != nil {
		t.Errorf("spellings %q", spellings)
	}
	p.write(index.Batch{
		Captions: []index.CaptionChange{{ID: ids[0], Captions: []index.Caption{{Text: "a lantern"}}}},
		Tags:     []index.TagChange{{ID: ids[1], Add: []string{"lantern"}}}, Remove: ids[3:4],
		Metadata: []index.MetadataChange{{ID: ids[2], Metadata: index.Metadata{Title: "Lantern"}}},
	})
	p.finds(p.read(), index.KeywordQuery{Text: "dog"}, index.Filter{})
	p.finds(p.read(), index.KeywordQuery{Text: "lantern"}, index.Filter{}, ids[:3]...)
	if !p.differences.Present {
		p.finds(old, index.KeywordQuery{Text: "dog"}, index.Filter{}, ids[0], ids[3])
		p.finds(old, index.KeywordQuery{Text: "lantern"}, index.Filter{})
	}
}

// testOriginals: what is given is the content or nothing, whatever becomes of the file.
func testOriginals(p *pair) {
	t := p.t
	picture := image.NewRGBA(image.Rect(0, 0, 400, 200))
	picture.Set(7, 7, color.White)
	var content bytes.Buffer
	indextest.Must(t, jpeg.Encode(&content, picture, nil))
	put := p.image(1)
	put.Vectors, put.Thumbnail = index.Vectors{}, nil
	put.Record.Hash, put.Record.Bytes = sha256.Sum256(content.Bytes()), int64(content.Len())
	path := filepath.Join(t.TempDir(), "picture.jpg")
	indextest.Must(t, os.WriteFile(path, content.Bytes(), 0o600))
	put.Record.Files = []index.File{{Path: path, Bytes: put.Record.Bytes, Modified: indextest.Time}}
	lost := p.image(2)
	lost.Vectors, lost.Thumbnail = index.Vectors{}, nil
	ids := p.write(index.Batch{Puts: []index.Put{put, lost}})
	r := p.read()
	original := func() bool {
		file, err := r.OpenOriginal(t.Context(), ids[0])
		if errors.Is(err, index.ErrNotFound) {
			return false
		}
		indextest.Must(t, err)
		defer file.Close()
		for range 2 {
			got, err := io.ReadAll(file)
			indextest.Must(t, err)
			if !bytes.Equal(got, content.Bytes()) {
				t.Errorf("%d bytes of another content", len(got))
			}
			_, err = file.Seek(0, io.SeekStart)
			indextest.Must(t, err)
		}
		return true
	}
	if !original() {
		t.Error("the original is not found")
	}
	thumbnail, err := r.Thumbnail(t.Context(), ids[0])
	indextest.Must(t, err)
	if shown, err := jpeg.DecodeConfig(bytes.NewReader(thumbnail)); err != nil || max(shown.Width, shown.Height) > index.ThumbnailSide {
		t.Errorf("thumbnail %+v: %v", shown, err)
	}
	for _, id := range []index.ID{ids[1], ids[1] + 50} {
		if _, err := r.Thumbnail(t.Context(), id); !errors.Is(err, index.ErrNotFound) {
			t.Errorf("thumbnail of record %d: %v", id, err)
		}
		if _, err := r.OpenOriginal(t.Context(), id); !errors.Is(err, index.ErrNotFound) {
			t.Errorf("original of record %d: %v", id, err)
		}
	}
	indextest.Must(t, os.WriteFile(path, bytes.Repeat([]byte("x"), content.Len()), 0o600))
	original()
	indextest.Must(t, os.Remove(path))
	original()
}

func testSpaces(p *pair) {
	ids, first, then := p.fill(1, 2), p.read(), p.clone()
	numbers := map[int]bool{}
	for range 2 {
		p.addSpace(other)
		p.addSpace(other)
		p.write(index.Batch{Vectors: []index.Vectors{{ID: ids[0], Space: other, Parts: indextest.Unit(1, 2, 4)}}})
		p.serve(other)
		p.serve(other)
		p.rollBack()
		for _, state := range p.read().Spaces() {
			numbers[state.Number] = true
		}
		p.dropSpace(other)
	}
	if len(numbers) != 3 {
		p.t.Errorf("the number of a space is used again: %v", numbers)
	}
	p.checkPast(then, first)
	ctx, unknown := p.t.Context(), embed.Space{Fingerprint: "unknown", Parts: 1, Width: 4}
	for name, err := range map[string]error{
		"serve an unknown space": p.library.ServeSpace(ctx, unknown), "drop an unknown space": p.library.DropSpace(ctx, unknown),
		"drop the serving space": p.library.DropSpace(ctx, indextest.Small), "add no space": p.library.AddSpace(ctx, embed.Space{}),
		"roll back to a dropped space": p.library.RollbackSpace(ctx),
	} {
		if !errors.Is(err, index.ErrSpace) {
			p.t.Errorf("%s: %v", name, err)
		}
	}
}
