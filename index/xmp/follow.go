package xmp

import (
	"context"
	"log/slog"
	"time"

	"mekiki/index"
)

// Follow writes the sidecars of records that change, until ctx ends: once a library has not changed for the quiet period,
// or at the latest after [followAtMost]. What could not be looked at or noted is tried again, further and further apart. What
// changed before it began is not looked at. writable says whether this process may write at present.
func Follow(ctx context.Context, library index.Source, options Options, quiet time.Duration, writable func() bool, logger *slog.Logger) {
	last, err := sequenceOf(ctx, library)
	if err != nil {
		logger.Error("sidecars are not written", "error", err)
		return
	}
	seen, changed, first, wait := last, time.Time{}, time.Time{}, quiet
	ticker := time.NewTicker(followInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now, err := sequenceOf(ctx, library)
		if err != nil {
			continue // the library is closing, and then so does ctx
		}
		if now != seen {
			if seen == last {
				first = time.Now()
			}
			seen, changed = now, time.Now()
		}
		if seen == last || time.Since(changed) < wait && time.Since(first) < followAtMost || !writable() {
			continue
		}
		if err := followOnce(ctx, library, last, options, logger); err != nil {
			if ctx.Err() == nil {
				logger.Error("sidecars are not written", "error", err)
			}
			changed, first, wait = time.Now(), time.Now(), min(2*max(wait, followInterval), followAtMost)
			continue
		}
		last, wait = seen, quiet
	}
}

func sequenceOf(ctx context.Context, library index.Source) (uint64, error) {
	reader, err := library.Reader(ctx)
	if err != nil {
		return 0, err
	}
	defer reader.Close()
	return reader.Sequence(), nil
}

// followOnce writes the sidecars of the records that commits after one changed.
func followOnce(ctx context.Context, library index.Source, after uint64, options Options, logger *slog.Logger) error {
	reader, err := library.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	var records []*index.Record
	for record, err := range reader.All(ctx) {
		if err != nil {
			return err
		}
		if record.Sequence > after && !record.InTrash() {
			records = append(records, record)
		}
	}
	report, err := Write(ctx, records, options)
	for _, file := range report.Files {
		if file.State == Refused {
			logger.Warn("a sidecar is left as it is", "sidecar", file.Sidecar, "reason", file.Reason)
		}
	}
	if report.Written > 0 {
		logger.Info("wrote sidecars", "written", report.Written, "refused", report.Refused, "run", report.Run)
	}
	return err
}
