package modelverbs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/checkpoint"
	"mekiki/embed/hub"
	"mekiki/embed/models"
	"mekiki/embed/tokenize/language"
	"mekiki/internal/progress"
)

const pullLong = `Download a published checkpoint and import it.

NAME is one of those that "mekiki pull --list" shows, a Hugging Face repository
(owner/name, or owner/name@revision), or the address of a file; several addresses
make up one checkpoint.

Some are second stages, which answer questions about pictures and describe them;
blip2-flan-t5-xl is the recommended one. Use one with --answers. Licences are
printed; one that forbids some uses must be accepted, on a terminal or with
--accept-licence.

An interrupted pull continues when it is run again. Files are compared with the
hashes that the server publishes, and files in the Hugging Face cache are used
instead of downloaded. HF_TOKEN, HF_ENDPOINT, HF_HOME, HF_HUB_CACHE and
HF_HUB_OFFLINE are honoured; MEKIKI_LAVIS_ENDPOINT names a mirror of LAVIS's files.`

const pullExample = `  mekiki pull --list
  mekiki pull blip2
  mekiki pull blip2-flan-t5-xl
  mekiki pull Salesforce/blip2-itm-vit-g
  mekiki pull --download-only blip2-coco`

// pullOptions are the flags of pull.
type pullOptions struct {
	importOptions
	list         bool
	accept       bool
	downloadOnly bool
	discard      bool
	connections  int
}

// NewPullCommand makes the verb "pull".
func NewPullCommand(app *cli.App) *cobra.Command {
	var options pullOptions
	command := &cobra.Command{
		Use:     "pull NAME...",
		Short:   "Download a published checkpoint and import it",
		Long:    pullLong,
		Example: pullExample,
		Args: func(_ *cobra.Command, names []string) error {
			switch {
			case !options.list && len(names) == 0:
				return cli.UsageError("name what to pull; \"mekiki pull --list\" shows published models")
			case options.downloadOnly && options.discard:
				return cli.UsageError("--download-only and --discard together leave nothing: give one of them")
			case options.connections < 1:
				return cli.UsageError("--connections %d: give 1 or more", options.connections)
			}
			return nil
		},
		RunE: func(command *cobra.Command, names []string) error {
			if options.list {
				return printPublished(app)
			}
			return runPull(command.Context(), app, options, names)
		},
	}
	options.addFlags(command)
	flags := command.Flags()
	flags.BoolVar(&options.list, "list", false, "list published models")
	flags.BoolVar(&options.accept, "accept-licence", false, "accept the licences of the models named")
	flags.BoolVarP(&options.accept, "yes", "y", false, "the same as --accept-licence")
	flags.BoolVar(&options.downloadOnly, "download-only", false, "download without importing")
	flags.BoolVar(&options.discard, "discard", false, "delete the download once it is imported")
	flags.IntVar(&options.connections, "connections", 4, "ranges of a file that are downloaded at once")
	return command
}

// runPull downloads and imports.
func runPull(ctx context.Context, app *cli.App, options pullOptions, names []string) error {
	if options.name != "" {
		if err := models.ValidateName(options.name); err != nil {
			return cli.UsageError("%w", err)
		}
	}
	if err := acceptLicences(app, options.accept, names); err != nil {
		return err
	}
	readsWords := slices.ContainsFunc(hub.Named(names), func(model hub.Model) bool { return model.Words })
	if readsWords && len(names) > 1 {
		return cli.UsageError("pull %s by itself: it is used as it is, and not imported", hub.WordsModel)
	}
	options.downloadOnly = options.downloadOnly || readsWords
	var check func(dir string) error
	if !options.downloadOnly {
		check = func(dir string) error {
			name := options.name
			if name == "" {
				name = filepath.Base(dir) // as the result is called
			}
			return checkDownload(app, options.importOptions, dir, name)
		}
	}
	result, err := download(ctx, app, options.connections, check, names)
	if err != nil {
		return err
	}
	if options.downloadOnly {
		return printDownloaded(app, result)
	}
	importing := options.importOptions
	if importing.name == "" {
		importing.name = result.Name
	}
	model, err := runImport(ctx, app, importing, []string{result.Dir})
	if err != nil {
		return err
	}
	if options.discard {
		if err := os.RemoveAll(result.Dir); err != nil {
			return fmt.Errorf("delete the download: %w", err)
		}
	}
	return printImported(app, model)
}

// checkDownload finds out from a folder's small files whether its weights could be imported.
func checkDownload(app *cli.App, options importOptions, dir, name string) error {
	config, err := checkpoint.CheckSettings(checkpoint.Options{FS: os.DirFS(dir), VocabularyPath: options.vocabulary, ImageSize: options.imageSize})
	if err != nil {
		return err
	}
	if config.Language != nil {
		if _, err := language.Open(func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, name)) }); err != nil {
			return fmt.Errorf("tokenizer of the language model: %w", err)
		}
	}
	return keepForm(app, name, config)
}

// download brings files from the network, with progress. The small files are checked before the weights, unless check is
// nil.
func download(ctx context.Context, a *cli.App, connections int, check func(dir string) error, names []string) (hub.Result, error) {
	folder, err := a.DownloadsFolder()
	if err != nil {
		return hub.Result{}, err
	}
	reporter := a.Progress()
	defer reporter.Finish()
	client, err := hub.New(hub.Options{
		Dir: folder, Connections: connections, Check: check, Logger: a.Log(),
		Progress: func(state hub.Progress) { reporter.Report(pullState(state)) },
		Waiting: func() {
			reporter.Report(progress.State{Task: "wait for another pull of the same model", Unit: progress.Bytes})
		},
	})
	if err != nil {
		return hub.Result{}, err
	}
	defer client.Close()
	return client.Pull(ctx, names...)
}

func pullState(state hub.Progress) progress.State {
	words := map[hub.Stage]string{
		hub.StageResolve: "look up files", hub.StageDownload: "download", hub.StageVerify: "verify " + state.File, hub.StageDone: "download",
	}
	return progress.State{Task: words[state.Stage], Done: state.Done, Total: state.Total, Unit: progress.Bytes, Detail: state.File}
}

// printDownloaded says where a download is.
func printDownloaded(a *cli.App, result hub.Result) error {
	if a.AsJSON {
		return a.PrintJSON(struct {
			hub.Result
			Dir        string `json:"dir"`
			Downloaded int64  `json:"downloaded"`
		}{result, result.Dir, result.Downloaded})
	}
	for _, file := range result.Files {
		verified := "not verified: the server publishes no hash"
		if file.Digest.Algorithm != "" {
			verified = fmt.Sprintf("%s verified", file.Digest.Algorithm)
		}
		fmt.Fprintf(a.Out, "%s  %s  %s\n", file.Name, progress.Count(file.Bytes, progress.Bytes), verified)
	}
	if result.Name == hub.WordsModel {
		_, err := fmt.Fprintf(a.Out, "in %s; try it with: mekiki read PICTURE\n", result.Dir)
		return err
	}
	_, err := fmt.Fprintf(a.Out, "in %s; import it with: mekiki import %s\n", result.Dir, result.Dir)
	return err
}

// pixelsColumn is the side of a model's input; nothing for a model without pictures.
func pixelsColumn(side int) string {
	if side == 0 {
		return ""
	}
	return strconv.Itoa(side)
}

// printPublished lists the models that pull knows by name.
func printPublished(a *cli.App) error {
	if a.AsJSON {
		type row struct {
			Name        string `json:"name"`
			Description string `json:"description"`
			ImageSize   int    `json:"image_size"`
			Captions    bool   `json:"captions"`
			Answers     bool   `json:"answers"`
			Translates  bool   `json:"translates,omitempty"`
			Bytes       int64  `json:"approximate_bytes"`
			Licence     string `json:"licence"`
			Terms       string `json:"licence_terms,omitempty"`
		}
		var rows []row
		for _, model := range hub.Models() {
			rows = append(rows, row{model.Name, model.Description, model.ImageSize, model.Captions, model.Answers, model.Translates, model.ApproximateBytes,
				model.Licence.Name, model.Licence.Terms})
		}
		return a.PrintJSON(rows)
	}
	table := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tDOWNLOAD\tPIXELS\tLICENCE\t")
	for _, model := range hub.Models() {
		licence := model.Licence.Name
		if model.Licence.Restricted() {
			licence += " *"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", model.Name, progress.Count(model.ApproximateBytes, progress.Bytes), pixelsColumn(model.ImageSize), licence, model.Description)
	}
	fmt.Fprintln(table, "* forbids some uses: pull asks whether you accept it")
	return table.Flush()
}
