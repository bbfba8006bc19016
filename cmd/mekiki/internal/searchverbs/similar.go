package searchverbs

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
	"mekiki/search"
	"mekiki/search/contract"
	"mekiki/search/duplicates"
)

const similarLong = `Find pictures like a picture: an image file, or an image of the library by the
id that "mekiki search --json" gives. --crop looks for a part of it, and words
after it narrow the answer: "like this, but at night".

--duplicates needs no picture: it lists groups of images of the library that are
the same, by bytes, as a picture (scaled or recompressed), or as a scene. The first of
a group is the best: the largest, in the format nearest to the camera's, and so on.
What was compared for scenes is kept, so that only new pictures are compared again.

Exit status: 0 something was found; 4 nothing was; 1 failed; 2 wrong usage.`

// NewSimilarCommand makes the verb "similar".
func NewSimilarCommand(app *cli.App) *cobra.Command {
	var ranking ranking
	var asking Asking
	var output Output
	var crop, level string
	command := &cobra.Command{
		Use:   "similar IMAGE|ID [WORDS…]",
		Short: "Find pictures like a picture, and duplicates",
		Long:  similarLong,
		Example: `  mekiki similar photo.jpg
  mekiki similar photo.jpg at night -k 5
  mekiki similar 42 --crop 0.5,0,0.5,1
  mekiki similar --duplicates picture --json`,
		RunE: func(command *cobra.Command, arguments []string) error {
			if level != "" {
				if len(arguments) > 0 {
					return cli.UsageError("--duplicates takes no picture")
				}
				return findDuplicates(command.Context(), app, duplicates.Level(level), ranking)
			}
			if len(arguments) == 0 {
				return hint.Wrap(cli.UsageError("\"mekiki similar\" needs IMAGE|ID, or --duplicates"), "mekiki similar photo.jpg, or mekiki similar --help")
			}
			request, err := ranking.request(output.explain)
			if err != nil {
				return err
			}
			if err := asking.Apply(&request); err != nil {
				return err
			}
			request.Text = strings.Join(arguments[1:], " ")
			if request.Image, request.Record, err = cli.ReadPicture(command.Context(), arguments[0]); err != nil {
				return err
			}
			if request.Crop, err = parseCrop(crop); err != nil {
				return err
			}
			return answerRequest(command.Context(), app, request, output)
		},
	}
	ranking.addFlags(command.Flags())
	asking.AddFlags(command.Flags())
	output.addFlags(command.Flags())
	command.Flags().StringVar(&crop, "crop", "", "part of the picture: x,y,width,height as fractions of its size")
	command.Flags().StringVar(&level, "duplicates", "", "list groups that are the same: bytes, picture or scene")
	return command
}

// parseCrop reads --crop.
func parseCrop(text string) (*contract.Rectangle, error) {
	if text == "" {
		return nil, nil
	}
	fields := strings.Split(text, ",")
	if len(fields) != 4 {
		return nil, cli.UsageError("--crop takes four numbers with commas between them, not %q", text)
	}
	var values [4]float64
	for i, field := range fields {
		value, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
		if err != nil {
			return nil, cli.UsageError("--crop: %q is not a number", field)
		}
		values[i] = value
	}
	return &contract.Rectangle{X: values[0], Y: values[1], Width: values[2], Height: values[3]}, nil
}

// findDuplicates lists groups of images that are the same. It needs no model.
func findDuplicates(ctx context.Context, a *cli.App, level duplicates.Level, r ranking) error {
	if err := checkBounds(r.limit, r.budget); err != nil {
		return err
	}
	return a.WithVectors(ctx, func(library cli.Library) error {
		searcher, err := search.New(library, nil, search.Options{Logger: a.Log(), Decoder: library.Decoder(),
			Scenes: duplicates.NewKept(duplicates.FileOf(library.DerivedFolder()), a.Log())})
		if err != nil {
			return err
		}
		if level == duplicates.LevelScene {
			if err := compareScenes(ctx, a, searcher); err != nil {
				return err
			}
		}
		response, err := searcher.Duplicates(ctx, duplicates.Request{Level: level, Limit: r.limit, Offset: r.offset})
		if err != nil {
			return QueryFailure(a, err)
		}
		if a.AsJSON {
			err = a.PrintJSON(response)
		} else {
			err = printDuplicates(a, response)
		}
		if err == nil && response.Total == 0 {
			return cli.WithStatus(cli.ExitNothing, nil)
		}
		return err
	})
}

// compareScenes compares what was not compared yet, with progress.
func compareScenes(ctx context.Context, a *cli.App, searcher *search.Searcher) error {
	reporter := a.Progress()
	defer reporter.Finish()
	_, err := searcher.CompareScenes(ctx, func(done, total int) {
		reporter.Report(progress.State{Task: "compare pictures", Done: int64(done), Total: int64(total)})
	})
	return err
}

func printDuplicates(a *cli.App, response duplicates.Response) error {
	var out strings.Builder
	for i, group := range response.Groups {
		fmt.Fprintf(&out, "group %d: %d files, %d bytes in all but the first, which is the best (%s)\n", i+1, len(group.Members), group.ReclaimableBytes, reasonsOf(group))
		for _, member := range group.Members {
			fmt.Fprintf(&out, "  %.2f  %dx%d  %d bytes  %s\n", member.Similarity, member.Width, member.Height, member.Bytes, cli.Printable(member.Path))
		}
	}
	for _, warning := range response.Warnings {
		fmt.Fprintf(a.Stderr, "note: %s\n", cli.Printable(warning))
	}
	fmt.Fprintf(&out, "%s with %d bytes to free among %s, %.0f ms\n", cli.Counted(response.Total, "group", "groups"), response.ReclaimableBytes, cli.Counted(response.Examined, "image", "images"), response.Timings.TotalMS)
	_, err := io.WriteString(a.Out, out.String())
	return err
}

// reasonsOf says in words why the first of a group is the best.
func reasonsOf(group duplicates.Group) string {
	words := make([]string, len(group.Reasons))
	for i, reason := range group.Reasons {
		words[i] = strings.ReplaceAll(string(reason), "_", " ")
	}
	return strings.Join(words, ", ")
}
