package libraryverbs

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/cmd/mekiki/internal/remote"
	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/index/ingest/report"
	"mekiki/internal/hint"
)

const spacesLong = `Two models can live side by side in one library: fill a space for the second
while the first serves, then switch, and switch back if you like it less.

Without a verb, list the spaces.`

const spacesExample = `  mekiki spaces fill --model blip2-coco
  mekiki spaces serve --model blip2-coco
  mekiki spaces rollback
  mekiki spaces drop 1a2b3c4d`

// NewSpacesCommand makes the verb "spaces".
func NewSpacesCommand(app *cli.App) *cobra.Command {
	spaces := &cobra.Command{
		Use:     "spaces",
		Short:   "Show and switch the models that the library was indexed with",
		Long:    spacesLong,
		Example: spacesExample,
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return withSpaces(command.Context(), app, true, func(cli.Library) error { return nil }, nil)
		},
	}
	spaces.AddCommand(
		&cobra.Command{
			Use: "fill", Short: "Read every image and text again with the model that --model names", Args: cobra.NoArgs,
			RunE: func(command *cobra.Command, _ []string) error { return runSpacesFill(command.Context(), app) },
		},
		&cobra.Command{
			Use: "serve", Short: "Search with the model that --model names from now on", Args: cobra.NoArgs,
			RunE: func(command *cobra.Command, _ []string) error { return runSpacesServe(command.Context(), app) },
		},
		&cobra.Command{
			Use: "rollback", Short: "Switch back to the model that served before", Args: cobra.NoArgs,
			RunE: func(command *cobra.Command, _ []string) error {
				return withSpaces(command.Context(), app, false, func(library cli.Library) error {
					return library.RollbackSpace(command.Context())
				}, func(client *remote.Client, _ cli.Library) error {
					return client.ServeSpace(command.Context(), "previous")
				})
			},
		},
		&cobra.Command{
			Use: "drop MODEL", Short: "Delete the space of a model that is not serving", Args: cobra.ExactArgs(1),
			RunE: func(command *cobra.Command, arguments []string) error {
				return withSpaces(command.Context(), app, false, func(library cli.Library) error {
					space, err := spaceNamed(command.Context(), library, arguments[0])
					if err != nil {
						return err
					}
					return library.DropSpace(command.Context(), space)
				}, func(client *remote.Client, library cli.Library) error {
					space, err := spaceNamed(command.Context(), library, arguments[0])
					if err != nil {
						return err
					}
					return client.DropSpace(command.Context(), space.Fingerprint)
				})
			},
		},
	)
	return spaces
}

// withSpaces does something with the library, or has the server do it that has it, and lists its spaces.
func withSpaces(ctx context.Context, app *cli.App, readOnly bool, do func(cli.Library) error, hand func(*remote.Client, cli.Library) error) error {
	err := app.WithAnyLibrary(ctx, readOnly, func(library cli.Library) error {
		if err := do(library); err != nil {
			return err
		}
		return printSpaces(ctx, app, library)
	})
	client, err := app.HandoverAnyModel(ctx, err)
	if client == nil {
		return err
	}
	defer client.Close()
	err = app.WithAnyLibrary(ctx, true, func(library cli.Library) error { return hand(client, library) })
	if err != nil {
		return err
	}
	return app.WithAnyLibrary(ctx, true, func(library cli.Library) error { return printSpaces(ctx, app, library) })
}

func printSpaces(ctx context.Context, a *cli.App, library cli.Library) error {
	snapshot, err := library.Reader(ctx)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	lines := []statusSpace{}
	for _, space := range snapshot.Spaces() {
		lines = append(lines, statusSpaceOf(library, space, snapshot.Count(index.KindImage)))
	}
	if a.AsJSON {
		return a.PrintJSON(map[string]any{"spaces": lines})
	}
	table := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, line := range lines {
		fmt.Fprintf(table, "%.12s\t%s\t%d of %s\n", line.Model, line.State, line.Records, cli.Counted(line.Total, "record", "records"))
	}
	return table.Flush()
}

// spaceNamed finds the space of a model by the beginning of its fingerprint.
func spaceNamed(ctx context.Context, library cli.Library, name string) (embed.Space, error) {
	snapshot, err := library.Reader(ctx)
	if err != nil {
		return embed.Space{}, err
	}
	defer snapshot.Close()
	var found []embed.Space
	for _, space := range snapshot.Spaces() {
		if strings.HasPrefix(space.Space.Fingerprint, name) {
			found = append(found, space.Space)
		}
	}
	if len(found) != 1 {
		return embed.Space{}, hint.Wrap(fmt.Errorf("%d spaces begin with %q", len(found), name), "mekiki spaces lists them")
	}
	return found[0], nil
}

func runSpacesFill(ctx context.Context, app *cli.App) error {
	err := app.WithModel(ctx, func(library cli.Library, engine *cli.Session) error {
		reporter := app.Progress()
		defer reporter.Finish()
		summary, err := ingest.Fill(ctx, library, engine.Engine, ingest.Options{
			Logger: app.Log(), ImageSize: engine.Manifest().Config.Preprocess.ImageSize,
			Progress: func(state report.Progress) { reporter.Report(indexState("fill the new space", state)) },
		})
		if err != nil {
			return err
		}
		return printIndexed(app, app.FolderOf(library), indexReport{Summary: summary})
	})
	return app.NotHandedOver(err, "filling a space", "stop the server first: it reads pictures with the model that it has opened")
}

func runSpacesServe(ctx context.Context, app *cli.App) error {
	engine, err := app.OpenEngine(ctx)
	if err != nil {
		return err
	}
	space := engine.Space()
	if err := engine.Close(); err != nil {
		return err
	}
	return withSpaces(ctx, app, false, func(library cli.Library) error {
		return library.ServeSpace(ctx, space)
	}, func(client *remote.Client, _ cli.Library) error { return client.ServeSpace(ctx, space.Fingerprint) })
}
