package serververbs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/hint"
	"mekiki/server/api"
	"mekiki/server/editing"
	"mekiki/server/mcp"
	"mekiki/server/problem"
	"mekiki/server/queries"
	"mekiki/server/suggest"
)

const mcpLong = `Give an agent on this machine tools for the library: to search, to look at pictures,
to ask about them and, with --write, to tag them and put them into collections. The
agent starts this command itself and speaks the Model Context Protocol to its
standard input and output; docs/mcp.md has the lines for its settings.

The library is read as it is at each call, whoever writes to it meanwhile. A change
takes the library for a moment, or is handed to the server that has it. Pictures'
files are never changed. An agent may also compare and ask about pictures that are
not in the library, by the path of their file.

A server ("mekiki serve") has the same tools at /mcp, for agents elsewhere.`

// NewMCPCommand makes the verb "mcp".
func NewMCPCommand(app *cli.App) *cobra.Command {
	var writes bool
	command := &cobra.Command{
		Use:   "mcp",
		Short: "Give an agent tools for the library (Model Context Protocol)",
		Long:  mcpLong,
		Example: `  mekiki mcp
  mekiki mcp --write --library ~/Pictures/mekiki`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return runMCP(command.Context(), app, writes) },
	}
	command.Flags().BoolVar(&writes, "write", false, "let the agent tag pictures and put them into collections")
	return command
}

// runMCP serves one agent until it goes away.
func runMCP(ctx context.Context, app *cli.App, writes bool) error {
	if cli.IsTerminal(app.In) && !app.Quiet {
		fmt.Fprintln(app.Stderr, "This waits for an agent that speaks the Model Context Protocol; Ctrl-C stops. See docs/mcp.md.")
	}
	return app.WithVectorsAndModel(ctx, func(library cli.Library, engine *cli.Session) (err error) {
		answers, err := openAnswers(ctx, app, serving{engine: engine, library: library})
		if err != nil {
			return err
		}
		if answers.engine != nil {
			defer func() { err = errors.Join(err, answers.engine.Close()) }()
		}
		searcher, err := app.NewSearcher(library, engine, answers.asker)
		if err != nil {
			return err
		}
		shared := api.Library{Library: library}
		agent := agent{app: app, library: library}
		options := mcp.Options{
			Version: cli.Version(), Searcher: searcher, Library: shared, Decoder: library.Decoder(), Models: modelLister(app, func() *cli.Session { return engine }),
			Correct: queries.Room{Library: shared, Suggester: &suggest.Suggester{}}.Correct,
			Compute: agent.current, Read: agent.current, OpenFile: openFile, Local: true, Logger: app.Log(),
		}
		if answers.asker != nil {
			options.Asker = answers.asker
		}
		if writes {
			options.Edit = agent.edit
		}
		err = mcp.New(options).Run(ctx, writes, io.NopCloser(app.In), nopCloser{app.Out})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	})
}

type nopCloser struct{ io.Writer }

// Close implements io.Closer.
func (nopCloser) Close() error { return nil }

// agent is what one agent works on.
type agent struct {
	app     *cli.App
	library cli.Library // open for reading
	writing sync.Mutex  // held while the library is open for writing too
}

// current does work on the library as its writer left it last.
func (a *agent) current(ctx context.Context, work func(ctx context.Context) error) error {
	if err := a.refresh(ctx); err != nil {
		a.app.Log().Warn("library not refreshed", "error", err)
	}
	return work(ctx)
}

// refresh brings a library on a disk up to date; one on a cluster is.
func (a *agent) refresh(ctx context.Context) error {
	disk, is := a.library.(*local.Library)
	if !is {
		return nil
	}
	_, err := disk.Refresh(ctx)
	return err
}

// edit changes records: itself, with the library to itself for a moment, or by the server that has it.
func (a *agent) edit(ctx context.Context, asked editing.Edit) (done editing.Outcome, err error) {
	a.writing.Lock()
	defer a.writing.Unlock()
	err = a.app.WithAnyLibrary(ctx, false, func(library cli.Library) error {
		room := editing.New(editing.Options{Library: api.Library{Library: library}, Now: time.Now, Logger: a.app.Log()})
		done, err = room.Apply(ctx, asked)
		return err
	})
	if errors.Is(err, index.ErrLocked) {
		done, err = a.handOver(ctx, err, asked)
	}
	if err != nil {
		return done, changeProblem(err)
	}
	return done, a.refresh(ctx)
}

func (a *agent) handOver(ctx context.Context, locked error, asked editing.Edit) (editing.Outcome, error) {
	client, err := a.app.Handover(ctx, locked)
	if err != nil {
		return editing.Outcome{}, err
	}
	defer client.Close()
	return client.Edit(ctx, asked)
}

// changeProblem lets an agent read why nothing was changed, which is said for the user of this machine.
func changeProblem(err error) error {
	if problem.From(err).Code != problem.Internal {
		return err
	}
	p := problem.New(problem.Unavailable, err.Error())
	p.Hint, p.Cause = hint.Of(err), err
	return p
}

// openFile reads a picture that is not in the library.
func openFile(ctx context.Context, path string) (*pixels.Image, error) {
	if !filepath.IsAbs(path) {
		return nil, problem.Invalid("path", "must be absolute")
	}
	data, err := cli.ReadPictureFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, problem.Newf(problem.NotFound, "there is no file %q, and no image of this path in the library", path)
	}
	if err != nil {
		return nil, changeProblem(err)
	}
	return cli.DecodePicture(ctx, path, data)
}
