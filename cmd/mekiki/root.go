package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"mekiki/internal/hint"
)

const rootLong = `Mekiki finds images by what they show, and words for what an image shows.

It reads pictures with BLIP-2, keeps what it read in a library on this machine,
and ranks by meaning, by words and by image-text matching.

Try it at once, on the built-in model and gallery:
  mekiki demo

Then on your own pictures:
  mekiki index ~/Pictures
  mekiki search "two cats on a sofa"
  mekiki serve

Every flag can also be set in the environment (--library is MEKIKI_LIBRARY) and
in the configuration file (library = "…"); a flag wins over the environment, the
environment over the file.

Exit status: 0 done; 1 failed; 2 wrong usage; 3 done but for items that failed,
which are listed; 4 nothing found; 130 interrupted, and can go on.`

// run parses the arguments, does what they ask for and returns the exit status.
func run(ctx context.Context, app *app, arguments []string) int {
	root := newRootCommand(app)
	root.SetArgs(arguments)
	err := root.ExecuteContext(ctx)
	return finish(ctx, app.errors, app.asJSON, err)
}

func newRootCommand(app *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "mekiki",
		Short:         "Find images by what they show",
		Long:          rootLong,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version(),
		Args: func(command *cobra.Command, arguments []string) error {
			if len(arguments) == 0 {
				return nil
			}
			return unknownVerb(command, arguments[0])
		},
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
		PersistentPreRunE: func(command *cobra.Command, _ []string) error {
			return applySettings(command)
		},
	}
	root.SetIn(app.in)
	root.SetOut(app.out)
	root.SetErr(app.errors)
	root.SetVersionTemplate("mekiki {{.Version}}\n")
	root.SetFlagErrorFunc(func(command *cobra.Command, err error) error {
		return usage("%w (see %q)", err, strings.TrimSpace(command.CommandPath()+" --help"))
	})
	addGlobalFlags(root, app)
	addCommands(root, app)
	return root
}

func addGlobalFlags(root *cobra.Command, app *app) {
	flags := root.PersistentFlags()
	flags.BoolVar(&app.asJSON, "json", false, "write results, progress and errors as JSON")
	flags.BoolVarP(&app.quiet, "quiet", "q", false, "do not show progress")
	flags.BoolVarP(&app.verbose, "verbose", "v", false, "log what is being done")
	flags.StringVar(&app.library, "library", "", "folder of the library (default: in your data folder)")
	flags.StringVar(&app.cache, "cache", "", "folder for the runtime, downloads and compiled models (default: in your cache folder)")
	flags.StringVar(&app.model, "model", "builtin", "model to use: a name from \"mekiki models\" or a folder")
	flags.StringVar(&app.precision, "precision", "int8", "arithmetic of the model: int8 or fp32")
	flags.StringVar(&app.runtime, "runtime", "", "ONNX Runtime shared library to use (default: find or install it)")
	flags.StringVar(&app.provider, "provider", "cpu", "ONNX Runtime execution provider: cpu, cuda, coreml, …")
	flags.IntVar(&app.threads, "threads", 0, "threads for the model (0: one per core)")
}

// addCommands is the table of verbs.
func addCommands(root *cobra.Command, app *app) {
	root.AddCommand(
		newDemoCommand(app),
		newIndexCommand(app),
		newSearchCommand(app),
		newLookupCommand(app),
		newSimilarCommand(app),
		newServeCommand(app),
		newTextsCommand(app),
		newStatusCommand(app),
		newRemoveCommand(app),
		newCheckCommand(app),
		newCompactCommand(app),
		newSpacesCommand(app),
		newExportCommand(app),
		newBackupCommand(app),
		newRestoreCommand(app),
		newPullCommand(app),
		newImportCommand(app),
		newModelsCommand(app),
		newEmbedCommand(app),
		newMatchCommand(app),
		newCaptionCommand(app),
		newBenchCommand(app),
		newDoctorCommand(app),
		newEvalCommand(app),
		newTokenCommand(app),
		newVersionCommand(app),
	)
}

// unknownVerb says that there is no such verb and names the ones it is close to.
func unknownVerb(root *cobra.Command, name string) error {
	err := usage("unknown command %q", name)
	if near := root.SuggestionsFor(name); len(near) > 0 {
		return hint.Wrap(err, "mekiki "+strings.Join(near, ", or mekiki "))
	}
	return hint.Wrap(err, "mekiki help")
}
