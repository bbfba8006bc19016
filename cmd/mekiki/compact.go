package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"mekiki/internal/progress"
)

const compactLong = `Give the room of removed images back to the disk, and write the catalog anew.
Searching goes on meanwhile.`

func newCompactCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "compact",
		Short: "Give the room of removed images back",
		Long:  compactLong,
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) (err error) {
			library, err := app.openUnsearched(command.Context(), false)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, library.Close()) }()
			result, err := library.Compact(command.Context())
			if err != nil {
				return err
			}
			if app.asJSON {
				return app.printJSON(map[string]any{
					"before_bytes": result.Before, "after_bytes": result.After, "segments": result.Segments, "skipped": result.Skipped,
				})
			}
			_, err = fmt.Fprintf(app.out, "%s before, %s after; %d segments rewritten\n",
				progress.Count(result.Before, progress.Bytes), progress.Count(result.After, progress.Bytes), result.Segments)
			return err
		},
	}
}
