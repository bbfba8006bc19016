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
	"mekiki/index/ingest"
	"mekiki/index/ingest/report"
	"mekiki/index/local"
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
			return withSpaces(command.Context(), app, true, func(*local.Library) error { return nil }, nil)
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
				return withSpaces(command.Context(), app, false, func(library *local.Library) error {
					return library.RollbackSpace(command.Context())
				}, func(client *remote.Client, _ *local.Library) error {
					return client.ServeSpace(command.Context(), "previous")
				})
			},
		},
		&cobra.Command{
			Use: "drop MODEL", Short: "Delete the space of a model that is not serving", Args: cobra.ExactArgs(1),
			RunE: func(command *cobra.Command, arguments []string) error {
				return withSpaces(command.Context(), app, false, func(library *local.Library) error {
					space, err := spaceNamed(library, arguments[0])
					if err != nil {
						return err
					}
					return library.DropSpace(command.Context(), space)
				}, func(client *remote.Client, library *local.Library) error {
					space, err := spaceNamed(library, arguments[0])
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
func withSpaces(ctx context.Context, app *cli.App, readOnly bool, do func(*local.Library) error, hand func(*remote.Client, *local.Library) error) error {
	err := app.WithExistingLibrary(ctx, readOnly, func(library *local.Library) error {
		if err := do(library); err != nil {
			return err
		}
		return printSpaces(app, library)
	})
	client, err := app.HandoverAnyModel(ctx, err)
	if client == nil {
		return err
	}
	defer client.Close()
	err = app.WithExistingLibrary(ctx, true, func(library *local.Library) error { return hand(client, library) })
	if err != nil {
		return err
	}
	return app.WithExistingLibrary(ctx, true, func(library *local.Library) error { return printSpaces(app, library) })
}

func printSpaces(a *cli.App, library *local.Library) error {
	snapshot := library.Snapshot()
	defer snapshot.Close()
	lines := []statusSpace{}
	for _, space := range snapshot.Spaces() {
		lines = append(lines, statusSpace{space.Space.Fingerprint, space.Space.Parts, space.Space.Width, space.Records, space.Total, space.Role()})
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
func spaceNamed(library *local.Library, name string) (embed.Space, error) {
	snapshot := library.Snapshot()
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
	err := app.WithModel(ctx, func(library *local.Library, engine *cli.Session) error {
		reporter := app.Progress()
		defer reporter.Finish()
		summary, err := ingest.Fill(ctx, library, engine.Engine, ingest.Options{
			Logger: app.Log(), ImageSize: engine.Manifest().Config.Preprocess.ImageSize,
			Progress: func(state report.Progress) { reporter.Report(indexState("fill the new space", state)) },
		})
		if err != nil {
			return err
		}
		return printIndexed(app, library.Folder(), summary, nil)
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
	return withSpaces(ctx, app, false, func(library *local.Library) error {
		return library.ServeSpace(ctx, space)
	}, func(client *remote.Client, _ *local.Library) error { return client.ServeSpace(ctx, space.Fingerprint) })
}
