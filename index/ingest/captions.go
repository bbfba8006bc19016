package ingest

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"mekiki/index"
	"mekiki/index/ingest/captioning"
)

// captionsLater reports whether captions are written after everything is in.
func (r *run) captionsLater() bool {
	return r.options.CaptionsLater && r.options.Captions > 0 && !r.options.NoTokens
}

// describeMissing writes the captions of pictures below the run's paths that have none.
func (r *run) describeMissing(ctx context.Context) error {
	if !r.captionsLater() || len(r.roots) == 0 {
		return nil
	}
	before := captioning.Recaptioned{}
	_, err := captioning.Recaption(ctx, r.library, r.engine, captioning.RecaptionOptions{
		Missing: true, Below: r.roots, Shard: r.options.Shard, LastUsed: r.options.LastUsed, Source: r.options.CaptionSource, Writer: r.options.CaptionWriter,
		Keep: r.options.Captions, Candidates: r.options.CaptionCandidates, Decoder: r.decoder, Logger: r.options.Logger,
		Model: r.progress.Model,
		Progress: func(now captioning.Recaptioned) {
			r.progress.Describe(now.Done, now.Pictures, now.Described-before.Described)
			before = now
		},
	})
	return err
}

// watchAndDescribe follows changes, and beside that writes captions and does what comes afterwards, until the context ends.
func (r *run) watchAndDescribe(ctx context.Context) error {
	group, stages := errgroup.WithContext(ctx)
	group.Go(func() error { return r.watch(stages) })
	if r.captionsLater() || r.options.Afterwards != nil {
		group.Go(func() error { return r.followPasses(stages) })
	}
	return group.Wait()
}

// followPasses writes captions whenever a pass has ended, and does what comes afterwards. What goes wrong with these is logged,
// what goes wrong with the library ends it.
func (r *run) followPasses(ctx context.Context) error {
	work := []func(context.Context) error{r.describeMissing, r.options.Afterwards}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.fresh:
		}
		for _, do := range work {
			if do == nil {
				continue
			}
			err := do(ctx)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(err, index.ErrWriter), errors.Is(err, index.ErrClosed):
				return err
			case err != nil:
				r.options.Logger.Error("work on what came in", "error", err)
			}
		}
	}
}
