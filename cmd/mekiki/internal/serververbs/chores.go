package serververbs

import (
	"context"
	"errors"
	"io"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/ingest/captioning"
	"mekiki/index/ingest/reading"
	"mekiki/index/ingest/textrecord"
	"mekiki/index/local"
	"mekiki/index/renditions"
	"mekiki/search/ask"
)

// chores are the jobs of a server besides reading files.
type chores struct {
	app     *cli.App
	library cli.Library
	engine  *cli.Session
	asker   *ask.Asker // nil without a second stage
	words   string     // folder of the models that read words; "" for those that were pulled
}

// errNoSecondStage: captions were asked for that the model alone cannot write.
var errNoSecondStage = errors.New("this server was started without a second stage, which would write them (see --answers)")

// CaptionWriter gives the second stage, which the server keeps open.
func (c chores) CaptionWriter(_ captioning.Source, samples int) (captioning.Writer, error) {
	if c.asker == nil {
		return nil, errNoSecondStage
	}
	return ask.NewCaptionWriter(c.asker, nil, samples), nil
}

// Recaption writes the captions of all pictures anew, or those that are missing.
func (c chores) Recaption(ctx context.Context, options captioning.RecaptionOptions) (captioning.Recaptioned, error) {
	if err := cli.Fits(ctx, c.library, c.engine); err != nil {
		return captioning.Recaptioned{}, err
	}
	options.Decoder = c.library.Decoder()
	if options.Missing {
		options.LastUsed = renditions.LastUsed(renditions.FolderOf(c.library.DerivedFolder()))
	}
	return captioning.Recaption(ctx, c.library, c.engine, options)
}

// AddTextFile brings in a file of texts.
func (c chores) AddTextFile(ctx context.Context, source io.Reader, options textrecord.Options) (textrecord.Summary, error) {
	return textrecord.AddFile(ctx, c.library, c.engine.Engine, source, options)
}

// ReadWords reads the words in pictures. The models are open as long as that takes.
func (c chores) ReadWords(ctx context.Context, options reading.Options) (read reading.Progress, err error) {
	words, err := c.app.OpenWords(ctx, c.engine.Runtime, c.words)
	if err != nil {
		return read, err
	}
	defer func() { err = errors.Join(err, words.Close()) }()
	options.Decoder, options.Turns = c.library.Decoder(), c.engine.Turns()
	return reading.Read(ctx, c.library, words, options)
}

// Compact frees the disk space of removed records.
func (c chores) Compact(ctx context.Context) (index.CompactResult, error) {
	disk, is := c.library.(*local.Library)
	if !is {
		return index.CompactResult{}, errors.New("a library on a cluster is not compacted: its engine and its store do that")
	}
	return disk.Compact(ctx)
}
