package modelverbs

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/cmd/mekiki/internal/remote"
	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/export"
	"mekiki/index/ingest/captioning"
	"mekiki/index/local"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
	"mekiki/search/ask"
	"mekiki/server/jobs"
)

// captionFlags is the flags of caption that say who writes, and for what.
type captionFlags struct {
	source  string
	samples int
	refresh bool
}

func (c *captionFlags) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&c.source, "by", string(captioning.ITG), "who writes: itg (the Q-Former's language head), lm (the second stage) or both")
	flags.IntVar(&c.samples, "samples", 0, "with --by lm or both, captions that the second stage draws besides the likeliest")
	flags.BoolVar(&c.refresh, "refresh", false, "write the captions of all images of the library anew")
}

// check refuses flags that do not go together.
func (c *captionFlags) check(images []string, options embed.CaptionOptions) error {
	switch source := captioning.Source(c.source); {
	case source != captioning.ITG && source != captioning.LM && source != captioning.Both:
		return cli.UsageError("--by %q: give itg, lm or both", c.source)
	case c.samples < 0 || c.samples > ask.MaximumSamples:
		return cli.UsageError("--samples %d: give 0 to %d", c.samples, ask.MaximumSamples)
	case c.refresh && len(images) > 0:
		return cli.UsageError("--refresh takes no images: it is for those of the library")
	case !c.refresh && len(images) == 0:
		return hint.Wrap(cli.UsageError(`"mekiki caption" needs IMAGE..., or --refresh`), "mekiki caption photo.jpg, or mekiki caption --help")
	case options.Count < 1:
		return cli.UsageError("--count %d: give 1 or more", options.Count)
	}
	return nil
}

// runRefresh writes the captions of the library anew.
func (c *captionFlags) runRefresh(ctx context.Context, app *cli.App, keep int) error {
	err := app.WithExistingLibrary(ctx, false, func(library *local.Library) error {
		return app.WithEngine(ctx, func(engine *cli.Session) error {
			if err := cli.Fits(ctx, library, engine); err != nil {
				return hint.Wrap(err, "name the library's model with --model")
			}
			source := captioning.Source(c.source)
			writer, done, err := app.OpenCaptionWriter(ctx, engine, source, c.samples)
			if err != nil {
				return err
			}
			defer done()
			reporter := app.Progress()
			options := captioning.RecaptionOptions{
				Source: source, Writer: writer, Keep: keep, Decoder: library.Decoder(), Logger: app.Log(),
				Progress: func(now captioning.Recaptioned) {
					reporter.Report(progress.State{Task: "write captions", Done: int64(now.Done), Total: int64(now.Pictures), Failed: int64(now.Failed), Unit: progress.Steps})
				},
			}
			result, err := captioning.Recaption(ctx, library, engine, options)
			reporter.Finish()
			if err != nil {
				return err
			}
			return printRecaptioned(app, result)
		})
	})
	return c.handRefresh(ctx, app, err, keep)
}

// handRefresh has the server that has the library write the captions, where err says that it is locked.
func (c *captionFlags) handRefresh(ctx context.Context, app *cli.App, err error, keep int) error {
	client, err := app.Handover(ctx, err)
	if client == nil {
		return err
	}
	defer client.Close()
	job, err := app.RunJob(ctx, client, "write captions", jobs.Request{Kind: jobs.KindCaptions, CaptionSource: c.source, CaptionSamples: c.samples, CaptionCount: keep})
	if err != nil {
		return err
	}
	if job.State == jobs.Cancelled {
		return cli.WithStatus(cli.ExitInterrupted, errors.New("stopped before the end; what was written is kept"))
	}
	var result captioning.Recaptioned
	if err := remote.Result(job, &result); err != nil {
		return err
	}
	return printRecaptioned(app, result)
}

func printRecaptioned(app *cli.App, result captioning.Recaptioned) error {
	var err error
	if app.AsJSON {
		err = app.PrintJSON(result)
	} else {
		_, err = fmt.Fprintf(app.Out, "%s described, %d without a caption that fits, %d not read\n",
			cli.Counted(result.Described, "image", "images"), result.Rejected, result.Failed)
	}
	if err == nil && result.Failed > 0 {
		return cli.WithStatus(cli.ExitPartial, nil)
	}
	return err
}

// run describes image files with a second stage.
func (c *captionFlags) run(ctx context.Context, app *cli.App, keep int, images []string) (err error) {
	engine, err := app.OpenEngine(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	source := captioning.Source(c.source)
	writer, done, err := app.OpenCaptionWriter(ctx, engine, source, c.samples)
	if err != nil {
		return err
	}
	defer done()
	out := bufio.NewWriter(app.Out)
	var problems itemProblems
	for _, name := range images {
		picture, err := readImageFile(ctx, name)
		if err != nil {
			if problems.fatal(ctx, err) {
				return err
			}
			continue
		}
		tokens, err := engine.ImageTokens(ctx, []*pixels.Image{picture})
		if err != nil {
			return err
		}
		captions, err := captioning.Describe(ctx, engine, source, writer, keep, []*pixels.Image{picture}, tokens)
		if err != nil {
			return err
		}
		if err := printKept(app, out, name, captions[0], len(images) > 1); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return problems.report(app)
}

// printKept writes the captions of one image that matching accepts.
func printKept(app *cli.App, out *bufio.Writer, name string, captions []index.Caption, named bool) error {
	if app.AsJSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(struct {
			Image    string           `json:"image"`
			Captions []export.Caption `json:"captions"`
		}{name, export.CaptionsOf(captions)})
	}
	for _, caption := range captions {
		if named {
			fmt.Fprintf(out, "%s\t", cli.Printable(name))
		}
		if _, err := fmt.Fprintf(out, "%s\n", cli.Printable(caption.Text)); err != nil {
			return err
		}
	}
	if len(captions) == 0 {
		app.Log().Warn("no caption was accepted by image-text matching", "image", name)
	}
	return nil
}
