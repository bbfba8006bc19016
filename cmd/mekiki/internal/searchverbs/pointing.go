package searchverbs

import (
	"context"
	"fmt"
	"io"
	"strings"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/internal/progress"
	"mekiki/search/evaluate"
)

// evaluatePointing plays the pointing game with the maps of "mekiki why".
func evaluatePointing(ctx context.Context, a *cli.App, source evaluate.Source, options evaluate.Options, reporter *progress.Reporter) error {
	return a.WithEngine(ctx, func(engine *cli.Session) error {
		report, err := evaluate.Pointing(ctx, engine, source, options)
		reporter.Finish()
		if err != nil {
			return err
		}
		return printPointing(a, report)
	})
}

// printPointing writes a report as JSON or as a table.
func printPointing(a *cli.App, report evaluate.PointingReport) error {
	if a.AsJSON {
		return a.PrintJSON(report)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s: %s, maps of %dx%d; model %s %.12s\n", report.Dataset, cli.Counted(report.Images, "image", "images"),
		report.Rows, report.Columns, report.Model, report.Fingerprint)
	for _, group := range []struct {
		name string
		set  evaluate.PointingSet
	}{{"among several kinds", report.Several}, {"one kind alone", report.Single}} {
		if group.set.Texts == 0 {
			continue
		}
		fmt.Fprintf(&out, "\n%-20s %-24s %-22s %-8s %s\n", group.name, "points at it", "at another kind", "inside", "ms")
		fmt.Fprintf(&out, "%-20s %.1f %%\n", "at random", group.set.Chance)
		fmt.Fprintf(&out, "%-20s %s\n", "at the centre", shareText(group.set.Centre))
		for _, method := range group.set.Methods {
			others := fmt.Sprintf("%.1f (%.1f-%.1f)", method.Others.Percent, method.Others.Interval[0], method.Others.Interval[1])
			fmt.Fprintf(&out, "%-20s %-24s %-22s %-8.1f %.1f\n", method.Method, shareText(method.Hits), others, method.Inside, method.Milliseconds)
		}
	}
	fmt.Fprintf(&out, "took %.1f s\n", report.Seconds)
	_, err := io.WriteString(a.Out, out.String())
	return err
}
