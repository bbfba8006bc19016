package libraryverbs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/cmd/mekiki/internal/remote"
	"mekiki/index"
)

const trashLong = `Show what the page and the API put in the trash, put it back, or remove it for
good. A record stays in the trash for 30 days; after that, a server removes it, or
"mekiki compact" does. Searches do not find what is there. Files are never touched.`

const trashExample = `  mekiki trash list
  mekiki trash restore 17 42
  mekiki trash restore --all
  mekiki trash empty`

// NewTrashCommand makes the verb "trash".
func NewTrashCommand(app *cli.App) *cobra.Command {
	command := &cobra.Command{Use: "trash", Short: "Show the trash, put records back, or empty it", Long: trashLong, Example: trashExample}
	list := &cobra.Command{
		Use: "list", Short: "List what is in the trash, and until when", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return listTrash(command.Context(), app) },
	}
	var all, expired bool
	restore := &cobra.Command{
		Use: "restore [ID]…", Short: "Put records back into the library, as they were",
		RunE: func(command *cobra.Command, arguments []string) error {
			return restoreTrash(command.Context(), app, arguments, all)
		},
	}
	restore.Flags().BoolVar(&all, "all", false, "put everything back")
	empty := &cobra.Command{
		Use: "empty", Short: "Remove for good what is in the trash", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return emptyTrash(command.Context(), app, expired)
		},
	}
	empty.Flags().BoolVar(&expired, "expired", false, "only what has been there for 30 days")
	command.AddCommand(list, restore, empty)
	return command
}

// trashed is one record of the trash as it is listed.
type trashed struct {
	ID      index.ID  `json:"id"`
	Path    string    `json:"path,omitempty"`
	Trashed time.Time `json:"trashed"`
	Until   time.Time `json:"until"`
}

// inTrash lists what is there, what will be removed first at the beginning.
func inTrash(ctx context.Context, library cli.Library) ([]*index.Record, error) {
	snapshot, err := library.Reader(ctx)
	if err != nil {
		return nil, err
	}
	defer snapshot.Close()
	records, err := index.InTrashBefore(ctx, snapshot, time.Now().AddDate(1, 0, 0))
	slices.SortStableFunc(records, func(a, b *index.Record) int { return a.Trashed().Compare(b.Trashed()) })
	return records, err
}

func listTrash(ctx context.Context, app *cli.App) error {
	return app.WithAnyLibrary(ctx, true, func(library cli.Library) error {
		records, err := inTrash(ctx, library)
		if err != nil {
			return err
		}
		list := make([]trashed, len(records))
		for i, record := range records {
			list[i] = trashed{record.ID, record.Path(), record.Trashed(), record.TrashedUntil()}
		}
		if app.AsJSON {
			return app.PrintJSON(map[string]any{"records": list})
		}
		for _, each := range list {
			if _, err := fmt.Fprintf(app.Out, "%d\tuntil %s\t%s\n", each.ID, each.Until.Local().Format(time.DateOnly), cli.Printable(each.Path)); err != nil {
				return err
			}
		}
		if len(list) == 0 {
			_, err = fmt.Fprintln(app.Out, "the trash is empty")
		}
		return err
	})
}

func restoreTrash(ctx context.Context, app *cli.App, arguments []string, all bool) error {
	if all == (len(arguments) > 0) {
		return cli.UsageError("name the ids that \"mekiki trash list\" shows, or use --all")
	}
	var ids []index.ID
	for _, argument := range arguments {
		id, err := index.ParseID(argument)
		if err != nil {
			return cli.UsageError("%v", err)
		}
		ids = append(ids, id)
	}
	chosen := func(library cli.Library) ([]index.ID, error) {
		records, err := inTrash(ctx, library)
		if err != nil {
			return nil, err
		}
		there := index.IDs(records)
		if all {
			return there, nil
		}
		for _, id := range ids {
			if !slices.Contains(there, id) {
				return nil, fmt.Errorf("record %d: %w in the trash", id, index.ErrNotFound)
			}
		}
		return ids, nil
	}
	return changeTrash(ctx, app, "put back", func(library cli.Library) (int, error) {
		ids, err := chosen(library)
		if err != nil {
			return 0, err
		}
		return len(ids), index.Untrash(ctx, library, ids...)
	}, func(client *remote.Client, library cli.Library) (restored int, err error) {
		ids, err := chosen(library)
		if err != nil {
			return 0, err
		}
		for some := range slices.Chunk(ids, restoredAtOnce) {
			texts := make([]string, len(some))
			for i, id := range some {
				texts[i] = id.String()
			}
			count, err := client.Restore(ctx, texts)
			if restored += count; err != nil {
				return restored, err
			}
		}
		return restored, nil
	})
}

func emptyTrash(ctx context.Context, app *cli.App, expired bool) error {
	before := time.Now().AddDate(1, 0, 0)
	if expired {
		before = time.Now().Add(-index.TrashedFor)
	}
	return changeTrash(ctx, app, "removed for good", func(library cli.Library) (int, error) {
		return index.PurgeTrash(ctx, library, before)
	}, func(client *remote.Client, _ cli.Library) (int, error) {
		return client.EmptyTrash(ctx, expired)
	})
}

// changeTrash changes the library, or has the server do so that has it, and says how many records it did something with.
func changeTrash(ctx context.Context, app *cli.App, done string, change func(cli.Library) (int, error), hand func(*remote.Client, cli.Library) (int, error)) error {
	count := 0
	err := app.WithAnyLibrary(ctx, false, func(library cli.Library) (err error) {
		count, err = change(library)
		return err
	})
	client, err := app.Handover(ctx, err)
	if client != nil {
		defer client.Close()
		err = app.WithAnyLibrary(ctx, true, func(library cli.Library) (err error) {
			count, err = hand(client, library)
			return err
		})
	}
	if err != nil {
		return err
	}
	if app.AsJSON {
		return app.PrintJSON(map[string]any{"records": count})
	}
	_, err = fmt.Fprintf(app.Out, "%s %s\n", cli.Counted(count, "record", "records"), done)
	return err
}
