package libraryverbs

import (
	"context"
	"path/filepath"
	"time"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/cmd/mekiki/internal/remote"
	"mekiki/embed"
	"mekiki/index/ingest"
	"mekiki/index/ingest/reading"
	"mekiki/server/jobs"
)

// handIndexing has the server that has the library do what failed with err because the library is locked. Other errors it
// gives back.
func handIndexing(ctx context.Context, app *cli.App, err error, flags indexOptions, options ingest.Options) error {
	switch {
	case err == nil:
		return nil
	case options.Watch:
		return app.NotHandedOver(err, "--watch", "leave out --watch, and index again when files have changed; or stop the server first")
	case options.NewSpace:
		return app.NotHandedOver(err, "--new-space", "stop the server first: it has opened one model alone")
	}
	client, err := app.Handover(ctx, err)
	if client == nil {
		return err
	}
	defer client.Close()
	asked, err := indexRequest(flags, options)
	if err != nil {
		return err
	}
	job, err := app.RunJob(ctx, client, "index "+namesOf(options.Paths), asked)
	if err != nil {
		return err
	}
	var indexed jobs.Indexed
	indexed.Failed = job.Progress.Failed
	if err := remote.Result(job, &indexed); err != nil {
		return err
	}
	summary := indexed.Summary
	summary.Duration = time.Duration(indexed.Seconds * float64(time.Second))
	summary.Interrupted = summary.Interrupted || job.State == jobs.Cancelled
	if summary.Failed > 0 {
		if summary.Failures, err = client.Failures(context.WithoutCancel(ctx), job.ID); err != nil {
			return err
		}
	}
	var words *reading.Progress
	if flags.readWords && !summary.Interrupted {
		if words, err = handWords(ctx, app, client); err != nil {
			return err
		}
	}
	folder, err := app.LibraryFolder()
	if err != nil {
		return err
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return err
	}
	return printIndexed(app, folder, indexReport{Summary: summary, words: words, captionsFollow: indexed.CaptionsFollow})
}

// indexRequest says in the API's words what the command line says.
func indexRequest(flags indexOptions, options ingest.Options) (jobs.Request, error) {
	asked := jobs.Request{
		Kind: jobs.KindIndex, Include: options.Include, Exclude: options.Exclude, Hidden: options.Hidden, SystemFolders: options.SystemFolders,
		NoExtension: options.NoExtension, FollowSymlinks: options.FollowSymlinks, Again: options.Again, MaxDepth: options.MaxDepth,
		CaptionSource: string(options.CaptionSource), CaptionSamples: flags.samples, Megapixels: flags.megapixels, BatchSize: options.BatchSize,
	}
	if options.Reread {
		asked.Kind = jobs.KindMetadata
	}
	captions := options.Captions >= 0
	if asked.Captions = &captions; captions {
		asked.CaptionCount = options.Captions
	}
	switch {
	case options.NoTokens:
		asked.Tokens = "none"
	case options.Packing == embed.PackInt4:
		asked.Tokens = "int4"
	}
	for _, path := range options.Paths {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return asked, err
		}
		asked.Paths = append(asked.Paths, absolute)
	}
	return asked, nil
}
