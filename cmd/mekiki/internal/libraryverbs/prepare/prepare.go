// Package prepare builds what searches of a large library need, at the end of indexing.
package prepare

import (
	"context"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index/ingest/report"
	"mekiki/internal/progress"
)

// preparer is a library that can build ahead what searches need.
type preparer interface {
	LacksPrepared() bool
	PrepareSearch(ctx context.Context) error
}

// Search builds what searches of a large library need, so that the first one need not
// go without. What it does not come to is built when the library is searched.
func Search(ctx context.Context, app *cli.App, library cli.Library, summary report.Summary) {
	large, can := library.(preparer)
	if !can || summary.Interrupted || summary.Added+summary.Changed == 0 || !large.LacksPrepared() {
		return
	}
	reporter := app.Progress()
	defer reporter.Finish()
	reporter.Report(progress.State{Task: "prepare searches", Unit: progress.Images})
	if err := large.PrepareSearch(ctx); err != nil {
		app.Log().Warn("searches are slow at first", "why", err)
	}
}
