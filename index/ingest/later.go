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
		Missing: true, Below: r.roots, LastUsed: r.options.LastUsed, Source: r.options.CaptionSource, Writer: r.options.CaptionWriter,
		Keep: r.options.Captions, Candidates: r.options.CaptionCandidates, Decoder: r.decoder, Logger: r.options.Logger,
		Model: r.progress.Model,
		Progress: func(now captioning.Recaptioned) {
			r.progress.Describe(now.Done, now.Pictures, now.Described-before.Described)
			before = now
		},
	})
	return err
}

// watchAndDescribe follows changes, and writes captions beside that, until the context ends.
func (r *run) watchAndDescribe(ctx context.Context) error {
	group, stages := errgroup.WithContext(ctx)
	group.Go(func() error { return r.watch(stages) })
	if r.captionsLater() {
		group.Go(func() error { return r.keepDescribing(stages) })
	}
	return group.Wait()
}

// keepDescribing writes captions whenever a pass has ended. What goes wrong with the captions is logged, what goes wrong
// with the library ends it.
func (r *run) keepDescribing(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.fresh:
		}
		err := r.describeMissing(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, index.ErrWriter), errors.Is(err, index.ErrClosed):
			return err
		case err != nil:
			r.options.Logger.Error("write captions", "error", err)
		}
	}
}
