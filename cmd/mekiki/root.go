package main

import (
	"context"

	"github.com/spf13/cobra"
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
in the configuration file, mekiki/config.toml in your configuration folder or
what MEKIKI_CONFIG names; a flag wins over the environment, the environment over
the file. A verb's own flags go in a table of its name:
  model = "blip2"
  [serve]
  root = ["~/Pictures"]

Exit status: 0 done; 1 failed; 2 wrong usage; 3 done but for items that failed,
which are listed; 4 nothing found; 130 interrupted, and can go on.`

// run parses the arguments, does what they ask for and returns the exit status.
func run(ctx context.Context, app *app, arguments []string) int {
	root := newRootCommand(app)
	root.SetArgs(arguments)
	err := root.ExecuteContext(ctx)
	return finish(ctx, app.stderr, app.asJSON, err)
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
	root.SetErr(app.stderr)
	root.SetVersionTemplate("mekiki {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	addGlobalFlags(root, app)
	addCommands(root, app)
	root.SetHelpCommand(newHelpCommand())
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	strictArguments(root)
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
	app.precisionGiven = func() bool { return flags.Changed("precision") }
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
		newRemapCommand(app),
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
