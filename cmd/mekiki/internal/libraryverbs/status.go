package libraryverbs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/index/local/writerlock"
	"mekiki/index/vector"
	"mekiki/internal/progress"
)

const statusLong = `Show what is in the library: images, texts, models, disk space and known damage;
and how many pictures lost their last file: their tags are kept for 90 days and
come back with them. --failed lists the files that could not be indexed, --kept
the tags that are kept.`

// NewStatusCommand makes the verb "status".
func NewStatusCommand(app *cli.App) *cobra.Command {
	var lists statusLists
	command := &cobra.Command{
		Use:   "status",
		Short: "Show what is in the library",
		Long:  statusLong,
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return runStatus(command.Context(), app, lists)
		},
	}
	command.Flags().BoolVar(&lists.failed, "failed", false, "list the files that could not be indexed")
	command.Flags().BoolVar(&lists.kept, "kept", false, "list the pictures that lost their files, and their tags")
	return command
}

// statusReport is the JSON form of a library's status.
type statusReport struct {
	Library  string             `json:"library"`
	Images   int                `json:"images"`
	Texts    int                `json:"texts"`
	Failed   int                `json:"failed"`
	Damaged  int                `json:"damaged"`
	Bytes    int64              `json:"bytes"`
	Writer   *writerlock.Holder `json:"writer,omitempty"`
	Spaces   []statusSpace      `json:"spaces"`
	Findings []index.Finding    `json:"findings"`
	Failures []failureLine      `json:"failures,omitempty"`
	// Kept counts pictures that lost their last file, and whose tags wait for it.
	Kept     int        `json:"kept"`
	KeptTags []keptLine `json:"kept_tags,omitempty"`
}

type keptLine struct {
	Path  string   `json:"path"`
	Hash  string   `json:"hash"`
	Tags  []string `json:"tags"`
	Lost  string   `json:"lost"`
	Until string   `json:"until"`
}

func keptLineOf(kept index.Kept) keptLine {
	const form = "2006-01-02T15:04:05Z"
	return keptLine{kept.Path, kept.Hash.String(), kept.Tags, kept.Lost.UTC().Format(form), kept.Until().UTC().Format(form)}
}

type statusSpace struct {
	Model   string `json:"model"`
	Parts   int    `json:"parts"`
	Width   int    `json:"width"`
	Records int    `json:"records"`
	Total   int    `json:"total"`
	State   string `json:"state"`
	// Ann is by what the images nearest to a text are found: exact, hnsw, ivf or coder.
	Ann string `json:"ann,omitempty"`
}

// annChooser is a library that chooses by what images are found; one on several machines
// leaves that to its store.
type annChooser interface {
	MethodOf(space embed.Space, kind index.Kind, records int) vector.Method
}

func statusSpaceOf(library any, state index.SpaceState, images int) statusSpace {
	line := statusSpace{
		Model: state.Space.Fingerprint, Parts: state.Space.Parts, Width: state.Space.Width, Records: state.Records, Total: state.Total, State: state.Role(),
	}
	if chooser, ok := library.(annChooser); ok {
		line.Ann = string(chooser.MethodOf(state.Space, index.KindImage, images))
	}
	return line
}

// annNames say in words by what images are found.
var annNames = map[string]string{"exact": ", found by an exact scan", "hnsw": ", found by a graph (hnsw)", "ivf": ", found by inverted lists (ivf)", "coder": ", found by coder/hnsw"}

// statusLists says what a status lists one by one.
type statusLists struct{ failed, kept bool }

func runStatus(ctx context.Context, app *cli.App, lists statusLists) error {
	return app.WithExistingLibrary(ctx, true, func(library *local.Library) error {
		report, err := statusOf(ctx, library, lists)
		if err != nil {
			return err
		}
		if app.AsJSON {
			return app.PrintJSON(report)
		}
		return printStatus(app, report)
	})
}

// statusOf looks at a library, and lists what is asked for.
func statusOf(ctx context.Context, library *local.Library, lists statusLists) (statusReport, error) {
	snapshot := library.Snapshot()
	defer snapshot.Close()
	report := statusReport{
		Library: library.Folder(), Images: snapshot.Count(index.KindImage), Texts: snapshot.Count(index.KindText),
		Spaces: []statusSpace{}, Findings: append([]index.Finding{}, library.Findings()...),
	}
	var err error
	if report.Bytes, err = library.Size(); err != nil {
		return report, err
	}
	if holder, known := writerlock.ReadHolder(library.Folder()); known && mayRun(holder) {
		report.Writer = &holder
	}
	for _, space := range snapshot.Spaces() {
		report.Spaces = append(report.Spaces, statusSpaceOf(library, space, report.Images))
	}
	kept, err := library.Kept()
	if err != nil {
		return report, err
	}
	report.Kept = len(kept)
	if lists.kept {
		for _, each := range kept {
			report.KeptTags = append(report.KeptTags, keptLineOf(each))
		}
	}
	failures, err := snapshot.Failures(ctx)
	if err != nil {
		return report, err
	}
	report.Failed = len(failures)
	for record, err := range snapshot.All(ctx) {
		if err != nil {
			return report, err
		}
		if record.Damage != "" {
			report.Damaged++
		}
	}
	if lists.failed {
		for _, failure := range failures {
			report.Failures = append(report.Failures, failureLineOf(failure))
		}
	}
	return report, nil
}

// mayRun reports whether the process is there, as far as this machine can tell: one
// that was killed leaves its name behind.
func mayRun(holder writerlock.Holder) bool {
	if host, err := os.Hostname(); err != nil || host != holder.Host {
		return true
	}
	process, err := os.FindProcess(holder.PID)
	if err != nil {
		return false
	}
	defer func() { _ = process.Release() }()
	return !errors.Is(process.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

func printStatus(a *cli.App, report statusReport) error {
	table := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "library\t%s\n", report.Library)
	fmt.Fprintf(table, "images\t%d\n", report.Images)
	fmt.Fprintf(table, "texts\t%d\n", report.Texts)
	fmt.Fprintf(table, "failed\t%d\n", report.Failed)
	if report.Damaged > 0 {
		fmt.Fprintf(table, "damaged\t%d, read only in part\n", report.Damaged)
	}
	fmt.Fprintf(table, "on disk\t%s\n", progress.Count(report.Bytes, progress.Bytes))
	for _, space := range report.Spaces {
		fmt.Fprintf(table, "model\t%.12s, %d x %d, %s: %d of %s%s\n", space.Model, space.Parts, space.Width, space.State, space.Records, cli.Counted(space.Total, "record", "records"), annNames[space.Ann])
	}
	if report.Kept > 0 {
		fmt.Fprintf(table, "kept\ttags of %s without files, for %d days each\n", cli.Counted(report.Kept, "picture", "pictures"), int(index.KeptFor.Hours()/24))
	}
	for _, kept := range report.KeptTags {
		fmt.Fprintf(table, "\t%s: %s (until %s)\n", cli.Printable(kept.Path), cli.Printable(strings.Join(kept.Tags, ", ")), kept.Until)
	}
	if report.Writer != nil {
		fmt.Fprintf(table, "writer\t%s, process %d on %s, since %s\n", report.Writer.Program, report.Writer.PID, report.Writer.Host, report.Writer.Since.Local().Format("2006-01-02 15:04:05"))
	}
	for _, finding := range report.Findings {
		fmt.Fprintf(table, "damage\t%s: %s (try: %s)\n", finding.File, finding.Message, finding.Remedy)
	}
	for _, failure := range report.Failures {
		fmt.Fprintf(table, "\t%s: %s\n", cli.Printable(failure.Path), cli.Printable(failure.Reason))
	}
	return table.Flush()
}
