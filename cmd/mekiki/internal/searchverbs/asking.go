package searchverbs

import (
	"context"
	"time"

	"github.com/spf13/pflag"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/search"
	"mekiki/search/ask"
	"mekiki/search/contract"
)

// Asking is the flags of verbs whose hits can be asked.
type Asking struct {
	questions []string
	count     int
	budget    time.Duration
}

// AddFlags adds them.
func (a *Asking) AddFlags(flags *pflag.FlagSet) {
	flags.StringArrayVar(&a.questions, "ask", nil, `question to the best hits, such as "how many cats are there?" (may be repeated)`)
	flags.IntVar(&a.count, "ask-count", search.DefaultAskCount, "hits that are asked, at most")
	flags.DurationVar(&a.budget, "ask-budget", search.DefaultAskBudget, "time for asking them")
}

// Apply puts the questions into a request.
func (a *Asking) Apply(request *contract.Request) error {
	if a.count < 1 {
		return cli.UsageError("--ask-count %d: give 1 or more, or leave --ask out", a.count)
	}
	if a.budget <= 0 {
		return cli.UsageError("--ask-budget %s: give a time such as 5s, or leave --ask out", a.budget)
	}
	for _, question := range a.questions {
		request.Asks = append(request.Asks, contract.Ask{Question: question})
	}
	request.AskCount, request.AskBudget = a.count, a.budget
	return nil
}

// WithSearcher makes a searcher over a library and a model, with a second stage if the request has questions, and
// closes that after use.
func WithSearcher(ctx context.Context, a *cli.App, library cli.Library, engine *cli.Session, request contract.Request, use func(*search.Searcher) error) error {
	with := func(asker *ask.Asker) error {
		searcher, err := a.NewSearcher(library, engine, asker)
		if err != nil {
			return err
		}
		return use(searcher)
	}
	if !request.Asking() {
		return with(nil)
	}
	return a.WithAnswering(ctx, engine, library.Decoder(), with)
}
