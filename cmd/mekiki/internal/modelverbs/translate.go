package modelverbs

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/models"
	"mekiki/internal/hint"
	"mekiki/search/translation"
)

const translateLong = `Translate texts with a model that is installed, one line for each, as a search does
with words in another language than English. Which language a text is in is
detected, or said with --from; --to says into which (English).

Get a model with "mekiki pull opus-mt-ja-en" or another that "mekiki pull --list"
shows.`

// translateOptions are the flags of translate.
type translateOptions struct {
	file     string
	from, to string
	with     string
}

// translated is a text and its translation, in JSON.
type translated struct {
	Text        string `json:"text"`
	From        string `json:"from"`
	To          string `json:"to"`
	Translation string `json:"translation"`
}

// NewTranslateCommand makes the verb "translate".
func NewTranslateCommand(app *cli.App) *cobra.Command {
	var options translateOptions
	command := &cobra.Command{
		Use:   "translate [TEXT...]",
		Short: "Translate texts as searches do",
		Long:  translateLong,
		Example: `  mekiki translate 浜辺にいる二匹の犬
  mekiki translate --from de "zwei Hunde am Strand" --json
  mekiki translate --to ja --texts captions.txt`,
		Args: cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, texts []string) error {
			return runTranslate(command.Context(), app, options, texts)
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.file, "texts", "", "file with one text a line, or -")
	flags.StringVar(&options.from, "from", "", "language of the texts, such as ja (default: detect it)")
	flags.StringVar(&options.to, "to", "en", "language to translate into")
	flags.StringVar(&options.with, "with", "", "model to use (default: the installed one for the languages)")
	return command
}

func runTranslate(ctx context.Context, app *cli.App, options translateOptions, texts []string) (err error) {
	texts, err = gatherTexts(app, texts, options.file)
	if err != nil {
		return err
	}
	if len(texts) == 0 {
		return cli.UsageError("give texts, or a file of them with --texts")
	}
	runtime, err := app.OpenRuntime(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, runtime.Close()) }()
	if options.with != "" {
		settings, err := app.ModelOptions(runtime, app.Progress())
		if err != nil {
			return err
		}
		model, err := models.Find(options.with, settings)
		if err != nil {
			return err
		}
		engine, err := app.OpenTranslator(ctx, model, runtime)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, engine.Close()) }()
		from, to := engine.Languages()
		return eachTranslation(app, texts, func(text string) (translated, error) {
			written, err := engine.Translate(ctx, []string{text})
			if err != nil {
				return translated{}, err
			}
			return translated{text, from, to, written[0]}, nil
		})
	}
	interpreter, err := app.NewInterpreter(runtime)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, interpreter.Close()) }()
	return eachTranslation(app, texts, func(text string) (translated, error) {
		pair, err := choosePair(interpreter, options, text)
		if err != nil {
			return translated{}, err
		}
		written, err := interpreter.Translate(ctx, pair, []string{text})
		if err != nil {
			return translated{}, err
		}
		return translated{text, pair.From, pair.To, written[0]}, nil
	})
}

// choosePair says which translator a text takes: of the languages that it may be in, the first that one reads.
func choosePair(interpreter *translation.Interpreter, options translateOptions, text string) (translation.Pair, error) {
	languages := []string{options.from}
	if options.from == "" {
		if languages = translation.Detect(text); len(languages) == 0 {
			languages = []string{translation.English}
		}
	}
	pair, err := interpreter.Choose(languages, options.to)
	if err == nil {
		return pair, nil
	}
	var known string
	for _, pair := range interpreter.Pairs() {
		known += fmt.Sprintf(" %s-%s", pair.From, pair.To)
	}
	remedy := "no translator is installed; see mekiki pull --list"
	if known != "" {
		remedy = "installed are" + known + "; see mekiki pull --list"
	}
	if name := translation.Published(languages[0]); name != "" && options.to == translation.English {
		remedy = "get one with: mekiki pull " + name
	}
	return pair, hint.Wrap(err, remedy)
}

// eachTranslation translates texts one by one and prints them as they come.
func eachTranslation(app *cli.App, texts []string, translate func(text string) (translated, error)) error {
	for _, text := range texts {
		one, err := translate(text)
		if err != nil {
			return fmt.Errorf("%.60q: %w", text, err)
		}
		if app.AsJSON {
			err = app.PrintJSON(one)
		} else {
			_, err = fmt.Fprintln(app.Out, cli.Printable(one.Translation))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
