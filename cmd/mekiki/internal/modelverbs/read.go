package modelverbs

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/ocr"
)

const readLong = `Read the words in pictures: signs, labels, number plates, screenshots, pages. One
line of output for each line in the picture, from top to bottom; --json adds
its box, its corners in pixels from where the text begins, and how sure the model is.

It takes PP-OCR's models: get them once with "mekiki pull ppocr-v6-small" (32 MB,
Apache-2.0). They read Latin letters, Chinese and Japanese. --words names
another folder with models of the kind.

"mekiki index --read-words" and "mekiki serve --read-words" read the pictures of a
library, so that searches find the words and "text:" looks for parts of them.

A picture that cannot be read is reported and the others are done: exit status 3.`

// wordsInPicture is what a picture says, in JSON.
type wordsInPicture struct {
	Image string     `json:"image"`
	Lines []lineJSON `json:"lines"`
}

type lineJSON struct {
	Text    string    `json:"text"`
	Corners [4][2]int `json:"corners"`
	Score   float64   `json:"score"`
}

// NewReadCommand makes the verb "read".
func NewReadCommand(app *cli.App) *cobra.Command {
	var folder string
	command := &cobra.Command{
		Use:   "read IMAGE...",
		Short: "Read the words in pictures",
		Long:  readLong,
		Example: `  mekiki read sign.jpg
  mekiki read *.png --json | jq -r '.lines[].text'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, images []string) error {
			return runRead(command.Context(), app, folder, images)
		},
	}
	cli.AddWordsFlag(command.Flags(), &folder)
	return command
}

func runRead(ctx context.Context, app *cli.App, folder string, images []string) (err error) {
	runtime, err := app.OpenRuntime(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, runtime.Close()) }()
	reader, err := app.OpenWords(ctx, runtime, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	var problems itemProblems
	for _, name := range images {
		if err := readWords(ctx, app, reader, name, len(images) > 1); err != nil && problems.fatal(ctx, err) {
			return err
		}
	}
	return problems.report(app)
}

// readWords prints what one picture says.
func readWords(ctx context.Context, app *cli.App, reader *ocr.Reader, name string, several bool) error {
	picture, err := readImageFile(ctx, name)
	if err != nil {
		return err
	}
	lines, err := reader.Read(ctx, picture)
	if err != nil {
		return err
	}
	if app.AsJSON {
		result := wordsInPicture{Image: name, Lines: []lineJSON{}}
		for _, line := range lines {
			one := lineJSON{Text: line.Text, Score: math.Round(line.Score*1e4) / 1e4}
			for i, corner := range line.Corners {
				one.Corners[i] = [2]int{int(math.Round(corner.X)), int(math.Round(corner.Y))}
			}
			result.Lines = append(result.Lines, one)
		}
		return app.PrintJSON(result)
	}
	for _, line := range lines {
		if several {
			fmt.Fprintf(app.Out, "%s: ", cli.Printable(name))
		}
		if _, err := fmt.Fprintln(app.Out, cli.Printable(line.Text)); err != nil {
			return err
		}
	}
	return nil
}
