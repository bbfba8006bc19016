package embed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/ort"
)

// signature is what the engine expects of one graph.
type signature struct {
	file            string
	inputs, outputs []ort.Value
	work            float64 // of one image or text, in multiply-adds
}

// signatures lists the graphs that a model has, with the names of package blip2.
func signatures(model manifest.Manifest) []signature {
	config := model.Config
	size, rows, columns := int64(config.Vision.ImageSize), int64(config.Vision.Tokens()), int64(config.Vision.HiddenSize)
	width, queries := int64(config.ProjectionSize), int64(config.QueryTokens)
	memory := memoryValues(config)
	tokens := ort.Value{Name: manifest.ImageTokensName, Type: ort.Float32, Shape: []int64{-1, rows, columns}}
	ids := ort.Value{Name: manifest.TokenIDsName, Type: ort.Int64, Shape: []int64{-1, -1}}
	mask := ort.Value{Name: manifest.AttentionMaskName, Type: ort.Int64, Shape: []int64{-1, -1}}
	work := estimate(config)
	list := []signature{
		{
			file:    manifest.VisionFile,
			inputs:  []ort.Value{{Name: manifest.PixelsName, Type: ort.Float32, Shape: []int64{-1, 3, size, size}}},
			outputs: []ort.Value{tokens}, work: work.vision,
		},
		{
			file:    manifest.ImagePartsFile,
			inputs:  []ort.Value{tokens},
			outputs: []ort.Value{{Name: manifest.PartsName, Type: ort.Float32, Shape: []int64{-1, queries, width}}},
			work:    work.parts,
		},
		{
			file:    manifest.TextFile,
			inputs:  []ort.Value{ids, mask},
			outputs: []ort.Value{{Name: manifest.TextVectorName, Type: ort.Float32, Shape: []int64{-1, width}}},
			work:    work.text,
		},
		{
			file:    manifest.MatchFile,
			inputs:  []ort.Value{tokens, ids, mask},
			outputs: []ort.Value{{Name: manifest.LogitsName, Type: ort.Float32, Shape: []int64{-1, 2}}},
			work:    work.match,
		},
		{
			file:    manifest.MatchImageFile,
			inputs:  []ort.Value{tokens},
			outputs: withBatch(memory, -1),
			work:    work.memory,
		},
		{
			file:    manifest.MatchTextFile,
			inputs:  append([]ort.Value{ids, mask}, memory...),
			outputs: []ort.Value{{Name: manifest.LogitsName, Type: ort.Float32, Shape: []int64{-1, 2}}},
			work:    work.match - work.memory,
		},
	}
	if model.HasCaptionHead {
		list = append(list, captionSignatures(model, tokens, ids)...)
	}
	return list
}

// memoryValues are the keys and values that the queries read of one image in
// matching, layer after layer.
func memoryValues(config checkpoint.Config) []ort.Value {
	var list []ort.Value
	for layer := range config.QFormer.Layers {
		if config.QFormer.CrossAttends(layer) {
			list = append(list, ort.Value{
				Name: fmt.Sprint(manifest.MemoryPrefix, layer), Type: ort.Float32,
				Shape: []int64{1, int64(config.Vision.Tokens()), 2 * int64(config.QFormer.HiddenSize)},
			})
		}
	}
	return list
}

// withBatch returns values whose first size is batch.
func withBatch(values []ort.Value, batch int64) []ort.Value {
	list := make([]ort.Value, len(values))
	for i, value := range values {
		list[i] = value
		list[i].Shape = append([]int64{batch}, value.Shape[1:]...)
	}
	return list
}

// captionSignatures describes the graphs that decode with a key and value cache:
// a key and a value for each layer, layer after layer.
func captionSignatures(model manifest.Manifest, tokens, ids ort.Value) []signature {
	former := model.Config.QFormer
	heads, width := int64(former.Heads), int64(former.HiddenSize/former.Heads)
	cache := func(key, value string, length int64) []ort.Value {
		var list []ort.Value
		for layer := range former.Layers {
			shape := []int64{-1, heads, length, width}
			list = append(list,
				ort.Value{Name: fmt.Sprintf("%s%d", key, layer), Type: ort.Float32, Shape: shape},
				ort.Value{Name: fmt.Sprintf("%s%d", value, layer), Type: ort.Float32, Shape: shape})
		}
		return list
	}
	past := cache(manifest.PastKeyPrefix, manifest.PastValuePrefix, -1)
	present := cache(manifest.PresentKeyPrefix, manifest.PresentValuePrefix, -1)
	work := estimate(model.Config)
	return []signature{
		{
			file:    manifest.CaptionStartFile,
			inputs:  []ort.Value{tokens},
			outputs: cache(manifest.PastKeyPrefix, manifest.PastValuePrefix, int64(model.Config.QueryTokens)),
			work:    work.parts,
		},
		{
			file: manifest.CaptionStepFile,
			inputs: append([]ort.Value{
				ids, {Name: manifest.PositionName, Type: ort.Int64, Shape: []int64{-1}},
			}, past...),
			outputs: append([]ort.Value{
				{Name: manifest.LogitsName, Type: ort.Float32, Shape: []int64{-1, -1, int64(former.VocabularySize)}},
			}, present...),
			work: work.step,
		},
	}
}

// graph is a session that is opened when it is first needed.
type graph struct {
	signature
	files *files

	mutex   sync.Mutex
	session *ort.Session // of as many threads as the engine has, or one where the graph is narrow
	single  *ort.Session // of one thread, for runs side by side; opened when there are some
}

// open returns the session, verifying the graph's files and opening it first if
// need be.
func (g *graph) open(ctx context.Context, e *Engine) (*ort.Session, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	threads := e.options.Threads
	if g.narrow() {
		threads = 1
	}
	return g.opened(ctx, e, &g.session, threads)
}

// openSingle returns a session whose runs take one thread each.
func (g *graph) openSingle(ctx context.Context, e *Engine) (*ort.Session, error) {
	if g.narrow() || e.options.Threads == 1 {
		return g.open(ctx, e)
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.opened(ctx, e, &g.single, 1)
}

// opened opens *session if need be. The graph's mutex is held.
func (g *graph) opened(ctx context.Context, e *Engine, session **ort.Session, threads int) (*ort.Session, error) {
	if *session != nil {
		return *session, nil
	}
	started := time.Now()
	if err := g.verify(ctx); err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	verified := time.Now()
	// Without an arena runs would ask the system for memory again and again: an image
	// takes a twentieth more, and runs side by side, which take turns at it, an eighth.
	// It holds a few of the graph's tensors, which is less than gets lost between the
	// pieces otherwise.
	opened, err := e.options.Runtime.Session(ctx, ort.SessionOptions{
		Path: g.files.path(g.file), Inputs: g.inputs, Outputs: g.outputs,
		Threads: threads, Spin: e.options.Spin, Arena: true, Provider: e.options.Provider,
	})
	if err != nil {
		return nil, err
	}
	e.options.Logger.Debug("opened graph", "file", g.file, "threads", threads,
		"verify", verified.Sub(started), "open", time.Since(verified))
	*session = opened
	return opened, nil
}

// verify compares the hashes of the graph's file and of the weights it names.
func (g *graph) verify(ctx context.Context) error {
	if err := g.files.verify(ctx, g.file); err != nil {
		return err
	}
	model, err := ort.Inspect(g.files.path(g.file))
	if err != nil {
		return err
	}
	for _, name := range model.External {
		if err := g.files.verify(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (g *graph) close() error {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	var problems []error
	for _, session := range []**ort.Session{&g.session, &g.single} {
		if *session != nil {
			problems = append(problems, (*session).Close())
			*session = nil
		}
	}
	return errors.Join(problems...)
}

// Warm opens the graphs, so that no later call has to wait for them, but for those
// that only several texts on one image need: they are opened when there are some.
func (e *Engine) Warm(ctx context.Context) error {
	done, err := e.begin()
	if err != nil {
		return err
	}
	defer done()
	for _, signature := range signatures(e.manifest) {
		if signature.file == manifest.MatchImageFile || signature.file == manifest.MatchTextFile {
			continue
		}
		graph := e.graphs[signature.file]
		if _, err := graph.open(ctx, e); err != nil {
			return err
		}
		if signature.file == manifest.MatchFile || signature.file == manifest.TextFile { // of which searches need several at once
			if _, err := graph.openSingle(ctx, e); err != nil {
				return err
			}
		}
	}
	return nil
}
