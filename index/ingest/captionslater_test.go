package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/ingest/captioning"
	"mekiki/index/ingest/report"
	"mekiki/index/local"
)

// announcing is an engine that says when it writes captions.
type announcing struct {
	*counting
	calls     int
	onCaption func(call int)
}

func (a *announcing) CaptionImages(ctx context.Context, tokens []embed.ImageTokens, options embed.CaptionOptions) ([][]embed.Caption, error) {
	a.calls++
	if a.onCaption != nil {
		a.onCaption(a.calls)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return a.counting.CaptionImages(ctx, tokens, options)
}

// TestCaptionsComeLater: everything is searchable before the first caption is written; what was looked at last, then what is
// newest is described first; and a run that is stopped goes on where it was.
func TestCaptionsComeLater(t *testing.T) {
	folder := t.TempDir()
	lastUsed := map[index.Hash]time.Time{}
	var want []string
	for i := range 20 {
		data, name := testImage(t, uint64(i), 40, 30), fmt.Sprintf("%02d.jpg", i)
		path := write(t, data, folder, "photos", name)
		taken := time.Date(2020, 1, 1+i, 0, 0, 0, 0, time.UTC)
		must(t, os.Chtimes(path, taken, taken))
		if i == 3 || i > 12 {
			want = append(want, name) // a batch of eight
		}
		if i == 3 {
			lastUsed[sha256.Sum256(data)] = taken
		}
	}
	library, engine := openLibrary(t, filepath.Join(folder, "library")), &announcing{counting: newCounting("model")}
	ctx, stop := context.WithCancel(t.Context())
	engine.onCaption = func(call int) {
		reader, err := library.Reader(t.Context())
		must(t, err)
		defer reader.Close()
		if there := reader.Count(index.KindImage); there != 20 {
			t.Errorf("captions are written when %d images are there", there)
		}
		if call == 2 {
			stop()
		}
	}
	options := Options{Paths: []string{filepath.Join(folder, "photos")}, CaptionsLater: true, LastUsed: lastUsed}
	summary, err := Run(ctx, library, engine, options)
	must(t, err)
	if !summary.Interrupted || summary.Added != 20 || summary.Captioned != 8 || summary.ModelShare <= 0 || summary.ModelShare > 1 {
		t.Errorf("stopped: %+v", summary)
	}
	if diff := cmp.Diff(want, describedNames(t, library)); diff != "" {
		t.Error(diff)
	}
	engine.onCaption = nil
	images := engine.images.Load()
	var last report.Progress
	options.Progress = func(now report.Progress) { last = now }
	summary = mustRun(t, library, engine, options)
	if summary.Captioned != 12 || last.Described != 12 || last.ToDescribe != 12 || engine.images.Load() != images {
		t.Errorf("resumed: %+v, at last %+v", summary, last)
	}
	if got := describedNames(t, library); len(got) != 20 {
		t.Errorf("described: %v", got)
	}
	calls := engine.calls
	if mustRun(t, library, engine, options); engine.calls != calls {
		t.Error("pictures that have captions are described again")
	}
}

// TestAfterwards: while folders are watched, what comes after captions is called once captions are there, and again for what comes in.
func TestAfterwards(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	write(t, testImage(t, 1, 40, 30), photos, "a.jpg")
	library := openLibrary(t, filepath.Join(folder, "library"))
	ctx, stop := context.WithCancel(t.Context())
	calls := 0
	options := Options{Paths: []string{photos}, CaptionsLater: true, Watch: true, settle: 10 * time.Millisecond}
	options.Afterwards = func(context.Context) error {
		described := len(describedNames(t, library))
		switch calls++; {
		case described == 2:
			stop()
		case described != 1 || calls > 1:
			t.Errorf("call %d, %d pictures have captions", calls, described)
			stop()
		default:
			write(t, testImage(t, 2, 40, 30), photos, "b.jpg")
			return errors.New("what goes wrong does not end it")
		}
		return nil
	}
	_, err := Run(ctx, library, newCounting("model"), options)
	must(t, err)
	if calls != 2 {
		t.Errorf("called %d times", calls)
	}
}

// TestPicturesWithoutAFittingCaptionAreDescribedOnce: matching accepts none of what the language model writes.
func TestPicturesWithoutAFittingCaptionAreDescribedOnce(t *testing.T) {
	folder := t.TempDir()
	write(t, testImage(t, 1, 40, 30), folder, "photos", "a.jpg")
	write(t, testImage(t, 2, 40, 30), folder, "others", "b.jpg")
	writer := &scribe{lengths: []int{2}}
	options := Options{Paths: []string{filepath.Join(folder, "photos")}, CaptionsLater: true, CaptionSource: captioning.LM, CaptionWriter: writer}
	for range 2 {
		library, err := local.Open(t.Context(), filepath.Join(folder, "library"), local.Options{})
		must(t, err)
		mustRun(t, library, newCounting("model"), Options{Paths: []string{filepath.Join(folder, "others")}, Captions: -1})
		mustRun(t, library, newCounting("model"), options)
		must(t, library.Close())
	}
	if writer.calls != 1 {
		t.Errorf("described %d times, and not once; pictures elsewhere are left alone", writer.calls)
	}
}

func describedNames(t *testing.T, library index.Library) (names []string) {
	t.Helper()
	reader, err := library.Reader(t.Context())
	must(t, err)
	defer reader.Close()
	for record, err := range reader.All(t.Context()) {
		must(t, err)
		if len(record.Captions) > 0 {
			names = append(names, filepath.Base(record.Path()))
		}
	}
	slices.Sort(names)
	return names
}

// TestPicturesThatAreAwayAreDescribedLater: a picture whose file is away has no caption, but gets one once the file is back.
func TestPicturesThatAreAwayAreDescribedLater(t *testing.T) {
	folder := t.TempDir()
	path := write(t, testImage(t, 1, 40, 30), folder, "photos", "a.jpg")
	library, engine := openLibrary(t, filepath.Join(folder, "library")), newCounting("model")
	mustRun(t, library, engine, Options{Paths: []string{filepath.Join(folder, "photos")}, Captions: -1, NoTokens: true})
	must(t, os.Rename(path, path+".away"))
	result, err := captioning.Recaption(t.Context(), library, engine, captioning.RecaptionOptions{Missing: true})
	must(t, err)
	if diff := cmp.Diff(captioning.Recaptioned{Pictures: 1, Done: 1, Failed: 1}, result); diff != "" {
		t.Error(diff)
	}
	must(t, os.Rename(path+".away", path))
	result, err = captioning.Recaption(t.Context(), library, engine, captioning.RecaptionOptions{Missing: true})
	must(t, err)
	if diff := cmp.Diff(captioning.Recaptioned{Pictures: 1, Done: 1, Described: 1}, result); diff != "" {
		t.Error(diff)
	}
}

// fullLibrary takes no captions.
type fullLibrary struct{ index.Library }

var errFull = errors.New("no space is left")

func (l fullLibrary) Write(ctx context.Context, batch index.Batch) (index.WriteResult, error) {
	if len(batch.Captions) > 0 {
		return index.WriteResult{}, errFull
	}
	return l.Library.Write(ctx, batch)
}

// TestCaptionsThatCannotBeKept: the model stops writing them.
func TestCaptionsThatCannotBeKept(t *testing.T) {
	folder := t.TempDir()
	const batches, size = 20, 8
	for i := range batches * size {
		write(t, testImage(t, uint64(i), 8, 8), folder, "photos", fmt.Sprintf("%03d.jpg", i))
	}
	library, engine := openLibrary(t, filepath.Join(folder, "library")), &announcing{counting: newCounting("model")}
	mustRun(t, library, engine, Options{Paths: []string{filepath.Join(folder, "photos")}, Captions: -1})
	_, err := captioning.Recaption(t.Context(), fullLibrary{library}, engine, captioning.RecaptionOptions{Missing: true})
	if !errors.Is(err, errFull) {
		t.Errorf("error %v", err)
	}
	if engine.calls == 0 || engine.calls > batches/2+4 { // the first commit has eight
		t.Errorf("the model described %d batches of %d", engine.calls, batches)
	}
}

// moody is an engine that cannot write captions of some pictures at a time.
type moody struct {
	*counting
	refuses func(pictures int) bool
}

func (m *moody) CaptionImages(ctx context.Context, tokens []embed.ImageTokens, options embed.CaptionOptions) ([][]embed.Caption, error) {
	if m.refuses(len(tokens)) {
		return nil, errRefused
	}
	return m.counting.CaptionImages(ctx, tokens, options)
}

// TestModelThatFailsForAWhile: no picture is without a caption for good since the model, and not the picture, was at fault.
func TestModelThatFailsForAWhile(t *testing.T) {
	folder := t.TempDir()
	for i := range 10 {
		write(t, testImage(t, uint64(i), 8, 8), folder, "photos", fmt.Sprintf("%d.jpg", i))
	}
	library, engine := openLibrary(t, filepath.Join(folder, "library")), &moody{counting: newCounting("model"), refuses: func(int) bool { return true }}
	mustRun(t, library, engine, Options{Paths: []string{filepath.Join(folder, "photos")}, Captions: -1})
	if _, err := captioning.Recaption(t.Context(), library, engine, captioning.RecaptionOptions{Missing: true}); !errors.Is(err, errRefused) {
		t.Errorf("error %v", err)
	}
	engine.refuses = func(int) bool { return false }
	result, err := captioning.Recaption(t.Context(), library, engine, captioning.RecaptionOptions{Missing: true})
	must(t, err)
	if diff := cmp.Diff(captioning.Recaptioned{Pictures: 10, Done: 10, Described: 10}, result); diff != "" {
		t.Error(diff)
	}
}

// TestPicturesThatCannotBeDescribed: some here and one there, with a batch between that can be, are no fault of the model.
func TestPicturesThatCannotBeDescribed(t *testing.T) {
	folder := t.TempDir()
	const batches, size = 4, 8
	for i := range batches * size {
		write(t, testImage(t, uint64(i), 8, 8), folder, "photos", fmt.Sprintf("%02d.jpg", i))
	}
	batch, one := 0, 0
	engine := &moody{counting: newCounting("model"), refuses: func(pictures int) bool {
		if pictures == size { // the first batch has four at its end, the third one at its beginning
			batch, one = batch+1, 0
			return batch == 1 || batch == 3
		}
		one++
		return batch == 1 && one > size-4 || batch == 3 && one == 1
	}}
	library := openLibrary(t, filepath.Join(folder, "library"))
	mustRun(t, library, engine, Options{Paths: []string{filepath.Join(folder, "photos")}, Captions: -1})
	result, err := captioning.Recaption(t.Context(), library, engine, captioning.RecaptionOptions{Missing: true})
	must(t, err)
	if diff := cmp.Diff(captioning.Recaptioned{Pictures: batches * size, Done: batches * size, Described: batches*size - 5, Failed: 5}, result); diff != "" {
		t.Error(diff)
	}
	engine.refuses = func(int) bool { return false }
	result, err = captioning.Recaption(t.Context(), library, engine, captioning.RecaptionOptions{Missing: true})
	must(t, err)
	if result.Pictures != 0 {
		t.Errorf("%+v: those that were described before others are described again", result)
	}
}
