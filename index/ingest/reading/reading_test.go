package reading

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed/ocr"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local"
	"mekiki/internal/vfs/vfstest"
)

// sayer reads of a picture the colour of its first pixel: black says nothing, 255 cannot be read, 254 panics.
type sayer struct {
	model string
	read  int
	after func()
}

func (s *sayer) Model() string { return s.model }

func (s *sayer) Read(ctx context.Context, m *pixels.Image) ([]ocr.Line, error) {
	s.read++
	if s.after != nil {
		s.after()
	}
	switch m.Pix[0] {
	case 0:
		return nil, ctx.Err()
	case 255:
		return nil, errors.New("it cannot be read")
	case 254:
		panic("it cannot be read at all")
	}
	corners := ocr.Quad{{X: 1, Y: 2}, {X: 30, Y: 2}, {X: 30, Y: 9.6}, {X: -1, Y: 500}}
	return []ocr.Line{{Text: fmt.Sprintf("Gate %d", m.Pix[0]), Corners: corners, Score: 0.5}}, ctx.Err()
}

// shelf is a library of pictures of one colour each.
func shelf(t *testing.T, colours ...uint8) *local.Library {
	t.Helper()
	library, err := local.Open(t.Context(), "/library", local.Options{FileSystem: vfstest.NewMemory()})
	indextest.Must(t, err)
	t.Cleanup(func() { indextest.Must(t, library.Close()) })
	folder := t.TempDir()
	var batch index.Batch
	for i, colour := range colours {
		batch.Puts = append(batch.Puts, picture(t, filepath.Join(folder, fmt.Sprintf("%d.png", i)), colour, i))
	}
	_, err = library.Write(t.Context(), batch)
	indextest.Must(t, err)
	return library
}

func picture(t *testing.T, path string, colour uint8, number int) index.Put {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 40+number, 20))
	for i := range 40 + number {
		m.Set(i, 0, color.RGBA{colour, colour, colour, 255})
	}
	var data bytes.Buffer
	indextest.Must(t, png.Encode(&data, m))
	indextest.Must(t, os.WriteFile(path, data.Bytes(), 0o600))
	return index.Put{Record: index.Record{
		Kind: index.KindImage, Hash: sha256.Sum256(data.Bytes()), Width: 2 * (40 + number), Height: 40, Bytes: int64(data.Len()), Format: "png",
		Files: []index.File{{Path: path, Bytes: int64(data.Len()), Modified: time.Unix(1, 0)}},
	}}
}

// says gives what each picture says; "?" for one that was not read.
func says(t *testing.T, library index.Library) (texts []string) {
	t.Helper()
	reader, err := library.Reader(t.Context())
	indextest.Must(t, err)
	defer reader.Close()
	for record := range indextest.All(t, reader) {
		text := "?"
		if record.OCR != nil {
			text = record.OCR.Model + fmt.Sprint(record.OCR.Texts())
		}
		texts = append(texts, text)
	}
	return texts
}

func TestRead(t *testing.T) {
	library := shelf(t, 3, 0, 255, 254, 8)
	var last Progress
	state, err := Read(t.Context(), library, &sayer{model: "m"}, Options{Progress: func(now Progress) { last = now }})
	indextest.Must(t, err)
	want := Progress{Pictures: 5, Done: 5, Worded: 2, Lines: 2, Failed: 2}
	if diff := cmp.Diff(want, state); diff != "" || last != state {
		t.Errorf("%s, the last of progress %+v", diff, last)
	}
	if diff := cmp.Diff([]string{"m[Gate 3]", "m[]", "?", "?", "m[Gate 8]"}, says(t, library)); diff != "" {
		t.Error(diff)
	}
	reader, err := library.Reader(t.Context())
	indextest.Must(t, err)
	defer reader.Close()
	records, _, err := reader.List(t.Context(), index.Filter{OCR: []string{"gate3"}}, index.Page{})
	indextest.Must(t, err)
	if len(records) != 1 {
		t.Fatalf("%d pictures say gate 3", len(records))
	}
	// Boxes are in pixels of the record's size, and within it.
	if got, want := records[0].OCR.Lines[0].Corners, ([4]index.Pixel{{X: 2, Y: 4}, {X: 60, Y: 4}, {X: 60, Y: 19}, {X: 0, Y: 40}}); got != want {
		t.Errorf("corners %v, want %v", got, want)
	}
	// What has been read is not read again, what failed is; other models read all again where that is asked for.
	again := &sayer{model: "m"}
	if state, err = Read(t.Context(), library, again, Options{}); err != nil || again.read != 2 || state.Before != 3 || state.Failed != 2 {
		t.Errorf("%d are read again, %+v, %v", again.read, state, err)
	}
	// Those are left out that failed and were not written since.
	since := &sayer{model: "m"}
	if state, err = Read(t.Context(), library, since, Options{Since: reader.Sequence()}); err != nil || since.read != 0 || state.Left() != 0 {
		t.Errorf("%d are read that failed before, %+v, %v", since.read, state, err)
	}
	other := &sayer{model: "other"}
	if _, err = Read(t.Context(), library, other, Options{Again: true}); err != nil || other.read != 5 || says(t, library)[0] != "other[Gate 3]" {
		t.Errorf("other models read %d, %v, %v", other.read, says(t, library), err)
	}
}

// TestStopped: what has been read is kept, and the next reading goes on from there.
func TestStopped(t *testing.T) {
	var colours []uint8
	for i := range 2*batchSize + 5 {
		colours = append(colours, uint8(i+1))
	}
	library := shelf(t, colours...)
	ctx, stop := context.WithCancel(t.Context())
	words := &sayer{model: "m"}
	words.after = func() {
		if words.read == 5 {
			stop()
		}
	}
	if state, err := Read(ctx, library, words, Options{}); !errors.Is(err, context.Canceled) || state.Done != 4 {
		t.Errorf("stopped after %+v, %v", state, err)
	}
	words = &sayer{model: "m"}
	state, err := Read(t.Context(), library, words, Options{})
	if err != nil || words.read != len(colours)-4 || state.Before != 4 || state.Left() != 0 {
		t.Errorf("%d were left, %+v, %v", words.read, state, err)
	}
}

// TestGoneMeanwhile: pictures that go while they are read cost nothing else, and what has another content is not said to have
// the words of the former one.
func TestGoneMeanwhile(t *testing.T) {
	library := shelf(t, 1, 2, 3)
	words := &sayer{model: "m"}
	words.after = func() {
		if words.read == 3 {
			indextest.Must(t, index.Remove(t.Context(), library, 1))
			reader, err := library.Reader(t.Context())
			indextest.Must(t, err)
			defer reader.Close()
			old, err := index.One(reader.Records(t.Context(), []index.ID{2}))
			indextest.Must(t, err)
			put := picture(t, old.Files[0].Path, 9, 7)
			put.Replaces = old.Hash
			_, err = library.Write(t.Context(), index.Batch{Puts: []index.Put{put}})
			indextest.Must(t, err)
		}
	}
	if _, err := Read(t.Context(), library, words, Options{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"?", "m[Gate 3]"}, says(t, library)); diff != "" {
		t.Error(diff)
	}
}
