package ingest

import (
	"time"

	"mekiki/index/ingest/report"
)

// report calls the progress function until the returned function is called,
// which calls it once more. While nothing happens it is not called.
func (r *run) report() (stop func()) {
	if r.options.Progress == nil {
		return func() {}
	}
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(report.ReportInterval)
		defer ticker.Stop()
		var told report.Progress
		for {
			select {
			case <-ended:
				last := r.progress.Current()
				last.Finished = true
				r.options.Progress(last)
				return
			case <-ticker.C:
				now := r.progress.Current()
				same := now
				same.Rate, same.Remaining = told.Rate, told.Remaining
				idle := same == told && now.Walked && now.Done() == now.Seen
				if !idle && r.progress.News() {
					r.options.Progress(now)
					told = now
				}
			}
		}
	}()
	return func() {
		close(ended)
		<-done
	}
}
