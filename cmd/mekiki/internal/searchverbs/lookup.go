package searchverbs

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/search"
	"mekiki/search/contract"
	"mekiki/search/lookup"
)

const lookupLong = `Find the texts that describe a picture: an image file, or an image of the
library by its id. The texts are those of the library ("mekiki texts add") and
the captions of similar pictures; or, with --labels, the lines of a file ("-" for
standard input), whose shares sum to one.

Exit status: 0 something was found; 4 nothing was; 1 failed; 2 wrong usage.`

// lookupFlags are the flags of lookup.
type lookupFlags struct {
	limit    int
	budget   time.Duration
	count    int
	labels   string
	template string
	crop     string
	show     string
}

// NewLookupCommand makes the verb "lookup".
func NewLookupCommand(app *cli.App) *cobra.Command {
	var flags lookupFlags
	command := &cobra.Command{
		Use:   "lookup IMAGE|ID",
		Short: "Find the texts that describe a picture",
		Long:  lookupLong,
		Example: `  mekiki lookup photo.jpg
  mekiki lookup photo.jpg --labels animals.txt --template "a photo of a {}"
  printf 'day\nnight\n' | mekiki lookup 42 --labels -`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			request, err := lookupRequest(command.Context(), app, arguments[0], flags)
			if err != nil {
				return err
			}
			return findTexts(command.Context(), app, request)
		},
	}
	command.Flags().SetNormalizeFunc(acceptK)
	command.Flags().IntVarP(&flags.limit, "limit", "k", 10, "number of texts to show, at most 1000")
	command.Flags().DurationVar(&flags.budget, "budget", search.DefaultRerankBudget, "time for matching the best texts with the picture; 0 for no matching")
	command.Flags().IntVar(&flags.count, "rerank", search.DefaultRerankCount, "largest number of texts to match")
	command.Flags().StringVar(&flags.labels, "labels", "", "file with one label a line to choose from, or -")
	command.Flags().StringVar(&flags.template, "template", "", `sentence around each label, with {} in its place, such as "a photo of {}"`)
	command.Flags().StringVar(&flags.crop, "crop", "", "part of the picture: x,y,width,height as fractions of its size")
	command.Flags().StringVar(&flags.show, "show", "", "texts to show: strong, weak (and strong) or all (default: weak; with --labels all)")
	return command
}

func lookupRequest(ctx context.Context, a *cli.App, picture string, flags lookupFlags) (lookup.Request, error) {
	request := lookup.Request{
		Template: flags.template, Limit: flags.limit, RerankBudget: flags.budget, RerankCount: flags.count, Show: contract.Show(flags.show),
	}
	if flags.budget == 0 || flags.count == 0 {
		request.RerankBudget = -1
	}
	err := checkBounds(flags.limit, flags.budget)
	if err != nil {
		return request, err
	}
	if request.Image, request.Record, err = cli.ReadPicture(ctx, picture); err != nil {
		return request, err
	}
	if request.Crop, err = parseCrop(flags.crop); err != nil {
		return request, err
	}
	if flags.labels == "" {
		return request, nil
	}
	request.Labels, err = a.ReadLabels(flags.labels)
	return request, err
}

// findTexts answers one request.
func findTexts(ctx context.Context, a *cli.App, request lookup.Request) error {
	return withSearcher(ctx, a, contract.Request{}, func(_ cli.Library, searcher *search.Searcher) error {
		response, err := searcher.Lookup(ctx, request)
		if err != nil {
			return QueryFailure(a, err)
		}
		if a.AsJSON {
			err = a.PrintJSON(response)
		} else {
			err = printTexts(a, response)
		}
		if err == nil && len(response.Texts) == 0 {
			return cli.WithStatus(cli.ExitNothing, nil)
		}
		return err
	})
}

func printTexts(a *cli.App, response lookup.Response) error {
	for _, warning := range response.Warnings {
		fmt.Fprintf(a.Stderr, "note: %s\n", cli.Printable(warning))
	}
	var out strings.Builder
	for _, hit := range response.Texts {
		fmt.Fprintf(&out, "%3d  %.2f %-6s ", hit.Rank, hit.Probability, hit.Verdict)
		if hit.Share != nil {
			fmt.Fprintf(&out, "%5.1f %%  ", 100**hit.Share)
		} else {
			fmt.Fprintf(&out, "%-8s ", hit.Source)
		}
		fmt.Fprintf(&out, "%s\n", cli.Printable(hit.Text))
	}
	if len(response.Texts) == 0 {
		fmt.Fprintf(&out, "No text matches (%s judged not to match; --show all shows more)", cli.Counted(response.Hidden, "was", "were"))
	} else {
		fmt.Fprintf(&out, "%d of %d", len(response.Texts), response.Total)
	}
	fmt.Fprintf(&out, ", %.0f ms, %d of %s matched\n", response.Timings.TotalMS, response.Reranked, cli.Counted(response.RerankPlanned, "text", "texts"))
	_, err := io.WriteString(a.Out, out.String())
	return err
}
