package searchverbs

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/search"
	"mekiki/search/contract"
)

const searchLong = `Find pictures by words: by what they show, and by their captions, names, tags and
metadata.

The query language:
  two cats on a sofa       words, by meaning and by words
  "exact words"            must be in the caption, name or metadata
  -dog  -(a red collar)    must not be there
  a cat; a pizza           several things, each checked by itself
  folder:Holiday camera:"Nikon Z6" tag:family person:Ada rating:>=4
  after:2023-05 before:2024 taken:unknown near:35.01,135.77,10 type:jpeg kind:image
  ask:"are they asleep?"=yes    the best hits are asked, and others left out

The first column is the probability that the picture answers the query, as
calibrated for the model; strong and weak are names for ranges of it. A query
without an answer finds nothing.

Exit status: 0 something was found; 4 nothing was; 1 failed; 2 wrong usage.`

// ranking is the flags of verbs that rank pictures.
type ranking struct {
	limit       int
	offset      int
	budget      time.Duration
	count       int
	fusion      string
	weight      optionalNumber
	sort        string
	show        string
	probability float64
	language    string
}

func (r *ranking) addFlags(flags *pflag.FlagSet) {
	flags.SetNormalizeFunc(acceptK)
	flags.IntVarP(&r.limit, "limit", "k", 10, "number of hits to show, at most 1000")
	flags.IntVar(&r.offset, "offset", 0, "hits to skip")
	flags.DurationVar(&r.budget, "budget", search.DefaultRerankBudget, "time for matching the best candidates with the words; 0 for no matching")
	flags.IntVar(&r.count, "rerank", search.DefaultRerankCount, "largest number of candidates to match")
	flags.StringVar(&r.fusion, "fusion", "convex", "how the scores of meaning and words are combined: convex or rrf")
	flags.Var(&r.weight, "weight", "share of meaning against words, 0 to 1 (default: the scoring model decides)")
	flags.StringVar(&r.sort, "sort", "relevance", "order of the hits: relevance, date_descending or date_ascending")
	flags.StringVar(&r.show, "show", "weak", "hits to show: strong, weak (and strong) or all")
	flags.StringVar(&r.language, "language", "", "language of the words, such as ja; en takes them as they are (default: detect it)")
	flags.Float64Var(&r.probability, "minimum-probability", 0, "hide hits of a lower probability, 0 to 1")
}

// optionalNumber is a flag that has no value until one is given.
type optionalNumber struct{ value *float64 }

// Set implements [pflag.Value].
func (n *optionalNumber) Set(text string) error {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return errors.New("it is not a number")
	}
	n.value = &value
	return nil
}

// String implements [pflag.Value].
func (n *optionalNumber) String() string {
	if n.value == nil {
		return ""
	}
	return strconv.FormatFloat(*n.value, 'g', -1, 64)
}

// Type implements [pflag.Value].
func (n *optionalNumber) Type() string { return "float" }

// checkBounds refuses what a request would take for "not given".
func checkBounds(limit int, budget time.Duration) error {
	if limit < 1 {
		return cli.UsageError("--limit %d: give 1 to 1000", limit)
	}
	if budget < 0 {
		return cli.UsageError("--budget %s is negative: give a time such as 500ms, or 0 for no matching", budget)
	}
	return nil
}

// acceptK takes --k for --limit, so that the letter works with either dash.
func acceptK(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if name == "k" {
		name = "limit"
	}
	return pflag.NormalizedName(name)
}

// request turns the flags into a request.
func (r *ranking) request(explain bool) (contract.Request, error) {
	request := contract.Request{
		Limit: r.limit, Offset: r.offset, RerankBudget: r.budget, RerankCount: r.count, Fusion: contract.Fusion(r.fusion),
		Sort: contract.Sort(r.sort), Show: contract.Show(r.show), MinimumProbability: r.probability, Explain: explain,
		Weight: r.weight.value, Language: r.language,
	}
	if r.budget == 0 || r.count == 0 {
		request.RerankBudget = -1
	}
	return request, checkBounds(r.limit, r.budget)
}

// NewSearchCommand makes the verb "search".
func NewSearchCommand(app *cli.App) *cobra.Command {
	var ranking ranking
	var asking Asking
	var output Output
	command := &cobra.Command{
		Use:   "search QUERY…",
		Short: "Find pictures by words",
		Long:  searchLong,
		Example: `  mekiki search two cats beside a pizza
  mekiki search 'a cat -dog after:2024 folder:Holiday' --explain
  mekiki search cats --ask "how many cats are there?" --json
  mekiki search --json sunset | jq '.hits[0].path'
  mekiki search --paths0 -k 100 receipts | xargs -0 cp -t /tmp/receipts`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			request, err := ranking.request(output.explain)
			if err != nil {
				return err
			}
			if err := asking.Apply(&request); err != nil {
				return err
			}
			request.Text = strings.Join(arguments, " ")
			return answerRequest(command.Context(), app, request, output)
		},
	}
	ranking.addFlags(command.Flags())
	asking.AddFlags(command.Flags())
	output.addFlags(command.Flags())
	return command
}

// answerRequest opens the library and the model and answers one request.
func answerRequest(ctx context.Context, a *cli.App, request contract.Request, o Output) error {
	if err := o.check(a.Out); err != nil {
		return err
	}
	if err := search.Validate(request); err != nil { // before a library and a model are opened for nothing
		return QueryFailure(a, err)
	}
	return withSearcher(ctx, a, request, func(library cli.Library, searcher *search.Searcher) error {
		response, err := searcher.Search(ctx, request)
		if err != nil {
			return QueryFailure(a, err)
		}
		return ShowHits(ctx, a, library, response, o)
	})
}

// withSearcher opens the library for reading, the models that a request needs and a searcher over
// them, and closes them after use.
func withSearcher(ctx context.Context, a *cli.App, request contract.Request, use func(cli.Library, *search.Searcher) error) error {
	return a.WithVectorsAndModel(ctx, func(library cli.Library, engine *cli.Session) error {
		return WithSearcher(ctx, a, library, engine, request, func(searcher *search.Searcher) error { return use(library, searcher) })
	})
}
