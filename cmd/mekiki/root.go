package main

import (
	"context"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/askverbs"
	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/cmd/mekiki/internal/clusterverbs"
	"mekiki/cmd/mekiki/internal/doctor"
	"mekiki/cmd/mekiki/internal/libraryverbs"
	"mekiki/cmd/mekiki/internal/modelverbs"
	"mekiki/cmd/mekiki/internal/searchverbs"
	"mekiki/cmd/mekiki/internal/serververbs"
	"mekiki/index/vector"
)

const rootLong = `Mekiki finds images by what they show, and words for what an image shows.

It reads pictures with BLIP-2, keeps the results in a library on this machine,
and ranks by meaning, by words and by image-text matching.

Try it at once, on the built-in model and gallery:
  mekiki demo

Then on your own pictures:
  mekiki index ~/Pictures
  mekiki search "two cats on a sofa"
  mekiki serve

Every flag can also be set in the environment (--library is MEKIKI_LIBRARY) and
in the configuration file: mekiki/config.toml in your configuration folder, or
the file that MEKIKI_CONFIG names. A flag overrides the environment, and the
environment overrides the file. A verb's own flags go in a table of its name:
  model = "blip2"
  [serve]
  root = ["~/Pictures"]

Exit status: 0 done; 1 failed; 2 wrong usage; 3 done, except for items that
failed, which are listed; 4 nothing found; 130 interrupted: the same command
continues.`

// run parses the arguments, does what they ask for and returns the exit status.
func run(ctx context.Context, app *cli.App, arguments []string) int {
	root := newRootCommand(app)
	root.SetArgs(arguments)
	err := root.ExecuteContext(ctx)
	return cli.Finish(ctx, app.Stderr, app.AsJSON, err)
}

func newRootCommand(app *cli.App) *cobra.Command {
	root := &cobra.Command{
		Use:           "mekiki",
		Short:         "Find images by what they show",
		Long:          rootLong,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       cli.Version(),
		Args: func(command *cobra.Command, arguments []string) error {
			if len(arguments) == 0 {
				return nil
			}
			return cli.UnknownVerb(command, arguments[0])
		},
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
		PersistentPreRunE: func(command *cobra.Command, _ []string) error {
			return cli.ApplySettings(command)
		},
	}
	root.SetIn(app.In)
	root.SetOut(app.Out)
	root.SetErr(app.Stderr)
	root.SetVersionTemplate("mekiki {{.Version}}\n")
	root.SetFlagErrorFunc(cli.FlagError)
	addGlobalFlags(root, app)
	addCommands(root, app)
	root.SetHelpCommand(cli.NewHelpCommand())
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	cli.StrictArguments(root)
	return root
}

func addGlobalFlags(root *cobra.Command, app *cli.App) {
	flags := root.PersistentFlags()
	flags.BoolVar(&app.AsJSON, "json", false, "write results, progress and errors as JSON")
	flags.BoolVarP(&app.Quiet, "quiet", "q", false, "do not show progress")
	flags.BoolVarP(&app.Verbose, "verbose", "v", false, "log every step")
	flags.StringVar(&app.Library, "library", "", "folder of the library (default: in your data folder)")
	flags.StringVar(&app.Cluster, "cluster", "", "file of settings of a library on a cluster, in place of --library (docs/cluster.md)")
	flags.StringVar(&app.Cache, "cache", "", "folder for the runtime, downloads and compiled models (default: in your cache folder)")
	flags.StringVar(&app.Model, "model", "builtin", "model to use: a name from \"mekiki models\" or a folder")
	flags.StringVar(&app.Answers, "answers", "", "second stage that answers questions: a name from \"mekiki models\" or a folder (default: --model, if it answers, or else the built-in one)")
	flags.StringVar(&app.Precision, "precision", "int8", "arithmetic of the model: int8, fp16 (for GPUs) or fp32; of a second stage int4, its default, int8, fp16 or fp32")
	flags.BoolVar(&app.Fast, "fast", false, "compile the model so that it reads pictures faster and a little less exactly, by merging like parts of them; it is a model of its own")
	flags.StringVar(&app.Ann, "ann", string(vector.Automatic), "how the nearest vectors are found: exact (a scan), hnsw (a graph), ivf (inverted lists), coder (the graph of github.com/coder/hnsw) or auto (by size)")
	app.ModelGiven = func() bool { return flags.Changed("model") }
	app.FastGiven = func() bool { return flags.Changed("fast") }
	app.PrecisionGiven = func() bool { return flags.Changed("precision") }
	flags.StringVar(&app.Runtime, "runtime", "", "ONNX Runtime shared library to use (default: find or install it)")
	flags.StringVar(&app.Provider, "provider", "cpu", "ONNX Runtime execution provider: cpu, or (untested) cuda, tensorrt, coreml, directml, openvino, each with --runtime")
	flags.IntVar(&app.Threads, "threads", 0, "threads for the model (0: one per core)")
}

// addCommands is the table of verbs.
func addCommands(root *cobra.Command, app *cli.App) {
	root.AddCommand(
		serververbs.NewDemoCommand(app),
		libraryverbs.NewIndexCommand(app),
		searchverbs.NewSearchCommand(app),
		askverbs.NewAskCommand(app),
		askverbs.NewChatCommand(app),
		searchverbs.NewLookupCommand(app),
		searchverbs.NewSimilarCommand(app),
		searchverbs.NewWhyCommand(app),
		serververbs.NewServeCommand(app),
		serververbs.NewMCPCommand(app),
		libraryverbs.NewTextsCommand(app),
		libraryverbs.NewStatusCommand(app),
		libraryverbs.NewRemoveCommand(app),
		libraryverbs.NewTrashCommand(app),
		libraryverbs.NewRemapCommand(app),
		libraryverbs.NewCheckCommand(app),
		libraryverbs.NewCompactCommand(app),
		libraryverbs.NewSpacesCommand(app),
		libraryverbs.NewBringCommand(app),
		libraryverbs.NewXMPCommand(app),
		libraryverbs.NewExportCommand(app),
		libraryverbs.NewBackupCommand(app),
		libraryverbs.NewRestoreCommand(app),
		clusterverbs.NewClusterCommand(app),
		modelverbs.NewPullCommand(app),
		modelverbs.NewImportCommand(app),
		modelverbs.NewModelsCommand(app),
		modelverbs.NewEmbedCommand(app),
		modelverbs.NewReadCommand(app),
		modelverbs.NewTranslateCommand(app),
		modelverbs.NewMatchCommand(app),
		modelverbs.NewCaptionCommand(app),
		modelverbs.NewBenchCommand(app),
		doctor.NewDoctorCommand(app),
		searchverbs.NewEvalCommand(app),
		serververbs.NewTokenCommand(app),
		cli.NewVersionCommand(app),
	)
}
