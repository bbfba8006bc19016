package server

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/ingest/captioning"
	"mekiki/index/ingest/reading"
	"mekiki/index/ingest/textrecord"
)

// saying writes into the first picture of the library.
func (f *fixture) saying(lines ...string) {
	f.Helper()
	read := &index.OCR{Model: "reader"}
	for i, line := range lines {
		read.Lines = append(read.Lines, index.OCRLine{Text: line, Score: 0.75, Corners: [4]index.Pixel{{X: 1, Y: i}, {X: 5, Y: i}, {X: 5, Y: i + 1}, {X: 1, Y: i + 1}}})
	}
	_, err := f.index.Write(f.Context(), index.Batch{OCR: []index.OCRChange{{ID: 1, OCR: read}}})
	indextest.Must(f, err)
}

// TestWordsInPictures: they are shown with their boxes, found by ordinary words, in quotes and in part, and marked.
func TestWordsInPictures(t *testing.T) {
	f := start(t)
	f.saying("Bäckerei since 1931", "KA-7731-XY")
	record := f.expect(f.get("/api/v1/records/1"), http.StatusOK, "")
	if record.text(t, "ocr.lines.0.text") != "Bäckerei since 1931" || record.text(t, "ocr.lines.1.corners.2.1") != "2" || record.text(t, "ocr.model") != "reader" {
		t.Errorf("the record is %s", record.body)
	}
	if list := f.expect(f.get("/api/v1/records?id=1"), http.StatusOK, ""); strings.Contains(string(list.body), `"ocr"`) {
		t.Errorf("a list has words of pictures: %s", list.body)
	}
	for query, marked := range map[string]string{
		"q=backerei": "Bäckerei since 1931", `q=%22since+1931%22`: "Bäckerei since 1931", "q=text:7731xy": "KA-7731-XY", "ocr=a-77": "KA-7731-XY", "q=1931+text:ka77": "Bäckerei since 1931",
	} {
		found := f.expect(f.get("/api/v1/search?highlight=true&explain=true&"+query), http.StatusOK, "")
		if found.text(t, "hits.0.id") != "1" || found.text(t, "hits.0.highlights.0.field") != "ocr" || found.text(t, "hits.0.highlights.0.text") != marked {
			t.Errorf("%s: %s", query, found.body)
		}
	}
	if found := f.get("/api/v1/search?q=backerei"); !strings.Contains(found.text(t, "hits.0.reason"), "words in the picture") {
		t.Errorf("%s", found.body)
	}
	marked := f.get("/api/v1/search?highlight=true&q=text:7731xy")
	if marked.text(t, "hits.0.highlights.0.words.0.offset") != "3" || marked.text(t, "hits.0.highlights.0.words.1.offset") != "8" {
		t.Errorf("the places are %s", marked.body)
	}
	// Not all pictures have been read, which is said where it matters.
	for query, notices := range map[string]int{"q=text:7731": 1, "q=red+text:7731": 1, "q=red": 0, "q=text:nowhere": 1} {
		if found := f.get("/api/v1/search?" + query); strings.Count(string(found.body), "pictures_not_read") != notices {
			t.Errorf("%s: %s", query, found.body)
		}
	}
	f.expect(f.get("/api/v1/search?q=text:..."), http.StatusBadRequest, "invalid_filter_value")
	f.expect(f.get("/api/v1/search?ocr=..."), http.StatusBadRequest, "invalid_request")
	f.expect(f.json(http.MethodPost, "/api/v1/search", `{"filter":{"ocr":["xy"]}}`), http.StatusOK, "")
}

// wordChores reads the word "read" in each picture.
type wordChores struct {
	library *index.Library
	runs    *atomic.Int64
}

func (wordChores) CaptionWriter(captioning.Source, int) (captioning.Writer, error) { return nil, nil }
func (wordChores) Recaption(context.Context, captioning.RecaptionOptions) (captioning.Recaptioned, error) {
	return captioning.Recaptioned{}, nil
}
func (wordChores) AddTextFile(context.Context, io.Reader, textrecord.Options) (textrecord.Summary, error) {
	return textrecord.Summary{}, nil
}
func (wordChores) Compact(context.Context) (index.CompactResult, error) {
	return index.CompactResult{}, nil
}

func (c wordChores) ReadWords(ctx context.Context, _ reading.Options) (state reading.Progress, err error) {
	c.runs.Add(1)
	reader, err := (*c.library).Reader(ctx)
	if err != nil {
		return state, err
	}
	defer reader.Close()
	var batch index.Batch
	for record, err := range reader.All(ctx) {
		if err != nil {
			return state, err
		}
		if record.Kind == index.KindImage && record.OCR == nil {
			batch.OCR = append(batch.OCR, index.OCRChange{ID: record.ID, OCR: &index.OCR{Model: "m", Lines: []index.OCRLine{{Text: "read"}}}})
		}
	}
	state.Pictures, state.Done = len(batch.OCR), len(batch.OCR)
	_, err = (*c.library).Write(ctx, batch)
	return state, err
}

// TestReadWordsBySetting: a server that is to read words does so when it starts, by a job that anybody sees.
func TestReadWordsBySetting(t *testing.T) {
	var runs atomic.Int64
	var library index.Library
	f := prepare(t, func(o *Options) {
		library = o.Library
		o.ReadWords, o.Chores = true, wordChores{&library, &runs}
	}).start()
	id := ""
	for id == "" { // the first look is when it starts
		list := f.expect(f.get("/api/v1/jobs"), http.StatusOK, "")
		if strings.Contains(string(list.body), `"words"`) {
			id = list.text(t, "jobs.0.id")
		}
	}
	f.get("/api/v1/jobs/" + id + "/events")
	job := f.expect(f.get("/api/v1/jobs/"+id), http.StatusOK, "")
	if job.text(t, "state") != "succeeded" || job.text(t, "result.done") != "2" || job.text(t, "progress.total") != "2" {
		t.Errorf("the job is %s", job.body)
	}
	if found := f.get("/api/v1/search?q=text:read"); found.text(t, "total") != "2" || strings.Contains(string(found.body), "pictures_not_read") {
		t.Errorf("%s", found.body)
	}
	again := f.expect(f.json(http.MethodPost, "/api/v1/jobs", `{"kind":"words","again":true}`), http.StatusAccepted, "").text(t, "id")
	f.get("/api/v1/jobs/" + again + "/events")
	if runs.Load() != 2 {
		t.Errorf("words were read %d times", runs.Load())
	}
}

// TestAgentsReadWords: agents see what stands in pictures, and which of it was found.
func TestAgentsReadWords(t *testing.T) {
	f := start(t)
	f.saying("Bakery since 1931", "KA-7731-XY")
	agent := f.agent()
	if found := agent.Do("search_images", map[string]any{"query": "text:7731"}); !strings.Contains(string(found.Structured), `"words_in_picture":["KA-7731-XY"]`) {
		t.Errorf("%s", found.Structured)
	}
	if described := agent.Do("describe_image", map[string]any{"id": "1"}); !strings.Contains(string(described.Structured), `"words_in_picture":["Bakery since 1931","KA-7731-XY"]`) {
		t.Errorf("%s", described.Structured)
	}
}

// TestLeftByAnEarlierServer: captions that another server was to write are written by this one.
func TestLeftByAnEarlierServer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobs.json")
	indextest.Must(t, os.WriteFile(path, []byte(`{"version":1,"last":7,"jobs":[],"resume":[{"kind":"captions","missing":true,"paths":["/photos"]}]}`), 0o600))
	asked := make(chan captioning.RecaptionOptions, 1)
	f := prepare(t, func(o *Options) { o.JobsFile, o.Chores = path, describers{asked: asked} }).start()
	if options := <-asked; !options.Missing || len(options.Below) != 1 || options.Below[0] != "/photos" {
		t.Errorf("asked for %+v", options)
	}
	f.get("/api/v1/jobs/8/events")
	if job := f.expect(f.get("/api/v1/jobs/8"), http.StatusOK, ""); job.text(t, "kind") != "captions" || job.text(t, "state") != "succeeded" {
		t.Errorf("the job is %s", job.body)
	}
	kept, err := os.ReadFile(path)
	indextest.Must(t, err)
	if strings.Contains(string(kept), "resume") {
		t.Errorf("it is left again: %s", kept)
	}
}

// describers say what captions they were asked for.
type describers struct {
	wordChores
	asked chan captioning.RecaptionOptions
}

func (d describers) Recaption(_ context.Context, options captioning.RecaptionOptions) (captioning.Recaptioned, error) {
	d.asked <- options
	return captioning.Recaptioned{}, nil
}
