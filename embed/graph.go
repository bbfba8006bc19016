package embed

import (
	"context"
	"fmt"
	"sync"
	"time"

	"mekiki/embed/blip2"
	"mekiki/embed/ort"
)

// signature is what the engine expects of one graph.
type signature struct {
	file            string
	inputs, outputs []ort.Value
	work            float64 // of one image or text, in multiply-adds
}

// signatures lists the graphs that a model has, with the names of package blip2.
func signatures(manifest blip2.Manifest) []signature {
	config := manifest.Config
	size, rows, columns := int64(config.Vision.ImageSize), int64(config.Vision.Tokens()), int64(config.Vision.HiddenSize)
	width, queries := int64(config.ProjectionSize), int64(config.QueryTokens)
	tokens := ort.Value{Name: blip2.ImageTokensName, Type: ort.Float32, Shape: []int64{-1, rows, columns}}
	ids := ort.Value{Name: blip2.TokenIDsName, Type: ort.Int64, Shape: []int64{-1, -1}}
	mask := ort.Value{Name: blip2.AttentionMaskName, Type: ort.Int64, Shape: []int64{-1, -1}}
	work := estimate(config)
	list := []signature{
		{
			file:    blip2.VisionFile,
			inputs:  []ort.Value{{Name: blip2.PixelsName, Type: ort.Float32, Shape: []int64{-1, 3, size, size}}},
			outputs: []ort.Value{tokens}, work: work.vision,
		},
		{
			file:    blip2.ImagePartsFile,
			inputs:  []ort.Value{tokens},
			outputs: []ort.Value{{Name: blip2.PartsName, Type: ort.Float32, Shape: []int64{-1, queries, width}}},
			work:    work.parts,
		},
		{
			file:    blip2.TextFile,
			inputs:  []ort.Value{ids, mask},
			outputs: []ort.Value{{Name: blip2.TextVectorName, Type: ort.Float32, Shape: []int64{-1, width}}},
			work:    work.text,
		},
		{
			file:    blip2.MatchFile,
			inputs:  []ort.Value{tokens, ids, mask},
			outputs: []ort.Value{{Name: blip2.LogitsName, Type: ort.Float32, Shape: []int64{-1, 2}}},
			work:    work.match,
		},
	}
	if manifest.HasCaptionHead {
		list = append(list, captionSignatures(manifest, tokens, ids)...)
	}
	return list
}

// captionSignatures describes the graphs that decode with a key and value cache:
// a key and a value for each layer, layer after layer.
func captionSignatures(manifest blip2.Manifest, tokens, ids ort.Value) []signature {
	former := manifest.Config.QFormer
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
	past := cache(blip2.PastKeyPrefix, blip2.PastValuePrefix, -1)
	present := cache(blip2.PresentKeyPrefix, blip2.PresentValuePrefix, -1)
	work := estimate(manifest.Config)
	return []signature{
		{
			file:    blip2.CaptionStartFile,
			inputs:  []ort.Value{tokens},
			outputs: cache(blip2.PastKeyPrefix, blip2.PastValuePrefix, int64(manifest.Config.QueryTokens)),
			work:    work.parts,
		},
		{
			file: blip2.CaptionStepFile,
			inputs: append([]ort.Value{
				ids, {Name: blip2.PositionName, Type: ort.Int64, Shape: []int64{-1}},
			}, past...),
			outputs: append([]ort.Value{
				{Name: blip2.LogitsName, Type: ort.Float32, Shape: []int64{-1, -1, int64(former.VocabularySize)}},
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
	session *ort.Session
}

// open returns the session, verifying the graph's files and opening it first if
// need be.
func (g *graph) open(ctx context.Context, e *Engine) (*ort.Session, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.session != nil {
		return g.session, nil
	}
	started := time.Now()
	if err := g.verify(ctx); err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	verified := time.Now()
	threads := e.options.Threads
	if g.narrow() {
		threads = 1
	}
	session, err := e.options.Runtime.Session(ctx, ort.SessionOptions{
		Path: g.files.path(g.file), Inputs: g.inputs, Outputs: g.outputs,
		Threads: threads, Spin: e.options.Spin, Arena: e.options.Arena, Provider: e.options.Provider,
	})
	if err != nil {
		return nil, err
	}
	e.options.Logger.Debug("opened graph", "file", g.file, "threads", threads,
		"verify", verified.Sub(started), "open", time.Since(verified))
	g.session = session
	return session, nil
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
	if g.session == nil {
		return nil
	}
	session := g.session
	g.session = nil
	return session.Close()
}

// Warm opens every graph, so that no later call has to wait for it.
func (e *Engine) Warm(ctx context.Context) error {
	done, err := e.begin()
	if err != nil {
		return err
	}
	defer done()
	for _, signature := range signatures(e.manifest) {
		if _, err := e.graphs[signature.file].open(ctx, e); err != nil {
			return err
		}
	}
	return nil
}
