package search

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"mekiki/index"
	"mekiki/internal/hint"
	"mekiki/internal/plural"
	"mekiki/search/ask"
	"mekiki/search/contract"
	"mekiki/search/cursor"
	"mekiki/search/scoring"
)

// noAsker refuses questions that nobody here can answer: leaving them out would give wrong answers.
func noAsker() *contract.Error {
	return &contract.Error{
		Code: contract.CodeUnavailable, Field: "text", Message: "no second stage is open, which answers questions",
		Remedy: "name a model that answers with --answers, or leave the question out",
	}
}

// prepareAsks joins the questions of the text with those of the request.
func (p *plan) prepareAsks() error {
	for _, typed := range p.query.Asks {
		p.asks = append(p.asks, contract.Ask{Question: typed.Text, Answer: typed.Answer, Not: typed.Not})
		p.askSources = append(p.askSources, typed.Source)
	}
	p.asks = append(p.asks, p.request.Asks...)
	if len(p.asks) > contract.MaximumAsks {
		return contract.InvalidOption("asks", fmt.Sprintf("ask at most %d", contract.MaximumAsks), "there are %d questions", len(p.asks))
	}
	if p.request.AskCount < 0 || p.request.AskCount > contract.MaximumLimit {
		return contract.InvalidOption("ask_count", fmt.Sprintf("give 1 to %d", contract.MaximumLimit), "%d pictures to ask are out of range", p.request.AskCount)
	}
	if p.request.AskBudget < 0 || p.request.AskBudget > contract.MaximumBudget {
		return contract.InvalidOption("ask_budget", "give ten minutes at most", "a budget of %v for questions is out of range", p.request.AskBudget)
	}
	p.request.AskCount = cmp.Or(p.request.AskCount, DefaultAskCount)
	p.request.AskBudget = cmp.Or(p.request.AskBudget, DefaultAskBudget)
	if len(p.asks) > 0 && p.kind != index.KindImage {
		return contract.InvalidOption("asks", "leave out the question, or kind:text", "texts cannot be asked")
	}
	for _, one := range p.asks {
		if err := p.question(one).Validate(); err != nil {
			return contract.InvalidOption("asks", hint.Of(err), "%v", err)
		}
	}
	return nil
}

func (p *plan) question(one contract.Ask) ask.Question {
	return ask.Question{Text: one.Question, Template: p.request.AskTemplate, Decode: p.request.AskDecode}
}

// asking is what the best hits of a ranking answered so far.
type asking struct {
	plan  *plan
	asked []contract.Asked
	// answers are those of each record, in the order of the questions.
	answers map[index.ID][]contract.HitAnswer
	// held counts the conditions that a record has met.
	held map[index.ID]int
	// reasons say why a record that was asked is no hit.
	reasons map[index.ID]string
	// best are those that are asked, of all those found.
	best  []index.ID
	among map[index.ID]bool
	found int
	took  time.Duration
	// partial says that answers are still to come.
	partial bool
}

// newAsking is what the best hits answered before they were asked.
func newAsking(p *plan, best []index.ID) *asking {
	a := &asking{plan: p, partial: true, best: best, among: make(map[index.ID]bool, len(best))}
	for _, id := range best {
		a.among[id] = true
	}
	return a
}

// limits reports whether only what was asked can be a hit.
func (a *asking) limits() bool { return a != nil && a.conditions() > 0 }

// conditions counts the questions that have an answer that hits must give.
func (a *asking) conditions() (count int) {
	for _, one := range a.plan.asks {
		if one.Answer != "" {
			count++
		}
	}
	return count
}

// passes reports whether a record is a hit, as far as is known: it has met all conditions or, while
// answers are still to come, missed none.
func (a *asking) passes(id index.ID) bool {
	switch {
	case !a.limits():
		return true
	case a.partial:
		return a.among[id] && !a.ruledOut(id)
	}
	return a.held[id] == a.conditions()
}

// ruledOut reports whether a record has answered otherwise than asked for.
func (a *asking) ruledOut(id index.ID) bool {
	_, out := a.reasons[id]
	return out
}

// askBest asks the best records, in their order. Partial, unless it is nil, is called now and then with what is
// known so far.
func (s *Searcher) askBest(ctx context.Context, snapshot index.Reader, p *plan, best []index.ID, found int, partial func(*asking) error) (*asking, error) {
	started := time.Now()
	a := newAsking(p, best)
	a.answers, a.held, a.reasons, a.found = map[index.ID][]contract.HitAnswer{}, map[index.ID]int{}, map[index.ID]string{}, found
	shown := started
	for i, one := range p.asks {
		asked := contract.Asked{Question: one.Question, Condition: one.Condition(), Model: s.options.Asker.Model().Name}
		ids := slices.DeleteFunc(slices.Clone(best), a.ruledOut)
		left := p.request.AskBudget - time.Since(started)
		if i > 0 && left <= 0 {
			asked.Unasked, asked.Answers = len(ids), []ask.Count{}
			a.asked = append(a.asked, asked)
			continue
		}
		var answers []ask.Answer
		a.asked = append(a.asked, asked)
		outcome, err := s.options.Asker.Ask(ctx, snapshot, ids, p.question(one), max(left, 1), func(answer ask.Answer) error {
			answers = append(answers, answer)
			a.take(one, answer)
			now := &a.asked[i]
			now.Answered, now.Answers = len(answers), ask.Counts(answers)
			if partial == nil || time.Since(shown) < partialInterval {
				return nil
			}
			shown = time.Now()
			a.took = time.Since(started)
			return partial(a)
		})
		if err != nil {
			return nil, fmt.Errorf("ask %q: %w", one.Question, err)
		}
		now := &a.asked[i]
		now.Answered, now.Failed, now.Unasked, now.Answers = outcome.Answered, len(outcome.Failures), len(outcome.Unasked), ask.Counts(answers)
	}
	a.took, a.partial = time.Since(started), false
	return a, nil
}

// take keeps one answer.
func (a *asking) take(one contract.Ask, answer ask.Answer) {
	a.answers[answer.ID] = append(a.answers[answer.ID], contract.HitAnswer{Question: one.Question, Text: answer.Text, Probability: contract.Round(answer.Probability)})
	switch {
	case one.Answer == "":
		return
	case one.Holds(answer):
		a.held[answer.ID]++
		return
	}
	a.reasons[answer.ID] = fmt.Sprintf("answered %q to %q, which had to be %s", answer.Text, one.Question, one.Condition())
}

// fill puts answers into a page, which has hits that pass alone.
func (a *asking) fill(response *contract.Response, filtered []contract.Hit) {
	if a == nil {
		return
	}
	if !a.partial && a.conditions() > 0 {
		response.TotalIsLowerBound = response.TotalIsLowerBound || a.found > len(a.best)
	}
	response.Asked = slices.Clone(a.asked)
	response.Timings.AskMS = float64(a.took.Microseconds()) / 1000
	for i := range response.Hits {
		a.fillHit(&response.Hits[i])
	}
	for i := range filtered {
		a.fillHit(&filtered[i])
		filtered[i].Reason = a.reasons[filtered[i].ID]
	}
	response.Filtered = filtered
	if a.partial {
		response.Stage = contract.StageAsking
		return
	}
	response.Warnings = append(response.Warnings, a.warnings()...)
}

func (a *asking) fillHit(hit *contract.Hit) {
	answers := a.answers[hit.ID]
	if len(answers) == 0 {
		return
	}
	hit.Answer, hit.AnswerProbability = answers[0].Text, answers[0].Probability
	if len(a.plan.asks) > 1 {
		hit.Answers = slices.Clone(answers)
	}
}

// warnings name the pictures found that were not asked, or could not be.
func (a *asking) warnings() (warnings []string) {
	unasked, failed := 0, 0
	for _, asked := range a.asked {
		unasked, failed = max(unasked, asked.Unasked), max(failed, asked.Failed)
	}
	lost := ""
	if a.conditions() > 0 {
		lost = ", and are no hits"
	}
	if unasked > 0 {
		warnings = append(warnings, fmt.Sprintf("%s not asked: the time of %v was up%s",
			plural.Count(unasked, "picture was", "pictures were"), a.plan.request.AskBudget, lost))
	}
	if failed > 0 {
		warnings = append(warnings, plural.Count(failed, "picture", "pictures")+" could not be asked: neither image tokens nor the original can be read"+lost)
	}
	if a.found > len(a.best) {
		others := ""
		if lost != "" {
			others = ", and the others are no hits"
		}
		warnings = append(warnings, fmt.Sprintf("only the best %d of %d pictures found were asked%s", len(a.best), a.found, others))
	}
	return warnings
}

// askRanking asks the best hits of a final ranking; without questions it gives nil.
func (r *reply) askRanking(ctx context.Context, k *ranking) (*asking, error) {
	if len(r.plan.asks) == 0 || !k.stage.Final() {
		return nil, nil
	}
	shown, err := k.shown(ctx, r.snapshot, r.plan.request)
	if err != nil {
		return nil, err
	}
	var best []index.ID
	for _, entry := range shown[:min(len(shown), r.plan.request.AskCount)] {
		best = append(best, entry.entry.id)
	}
	var partial func(*asking) error
	if r.stream {
		partial = func(a *asking) error { return r.sendPage(ctx, k, a) }
		if err := partial(newAsking(r.plan, best)); err != nil {
			return nil, err
		}
	}
	return r.searcher.askBest(ctx, r.snapshot, r.plan, best, len(shown), partial)
}

// split parts entries into those that pass and those that were asked and do not.
func (a *asking) split(shown []shownEntry) (passing, filtered []shownEntry) {
	if a == nil {
		return shown, nil
	}
	for _, entry := range shown {
		switch id := entry.entry.id; {
		case a.passes(id):
			passing = append(passing, entry)
		case a.ruledOut(id):
			filtered = append(filtered, entry)
		}
	}
	return passing, filtered
}

// listAsked answers a request of filters and questions: the first records that pass, by date, are asked.
func (r *reply) listAsked(ctx context.Context) error {
	page, records, err := listPage(ctx, r.snapshot, r.plan, r.offset, r.from.Behind())
	if err != nil {
		return err
	}
	if r.stream {
		(&asking{plan: r.plan, partial: true}).fill(&page, nil)
		if err := r.sendListed(page); err != nil {
			return err
		}
	}
	if r.offset > 0 || len(records) < min(r.plan.request.AskCount, page.Total) {
		if records, _, err = listRecords(ctx, r.snapshot, r.plan, index.Page{Limit: r.plan.request.AskCount}); err != nil {
			return err
		}
	}
	best := make([]index.ID, 0, len(records))
	for _, record := range records[:min(len(records), r.plan.request.AskCount)] {
		best = append(best, record.ID)
	}
	a, err := r.searcher.askBest(ctx, r.snapshot, r.plan, best, page.Total, nil)
	if err != nil {
		return err
	}
	page.Stage = contract.StageFinal
	var filtered []contract.Hit
	if a.conditions() > 0 {
		filtered = r.keepPassing(ctx, &page, a, records)
	}
	a.fill(&page, filtered)
	return r.sendListed(page)
}

// keepPassing makes a page of the records that pass, and gives the others.
func (r *reply) keepPassing(ctx context.Context, page *contract.Response, a *asking, records []*index.Record) (filtered []contract.Hit) {
	var passing []contract.Hit
	for _, record := range records {
		switch hit := filterHit(record, len(passing)+1); {
		case a.passes(record.ID):
			passing = append(passing, hit)
		case a.ruledOut(record.ID):
			hit.Rank = 0
			filtered = append(filtered, hit)
		}
	}
	from := min(r.offset, len(passing))
	to := min(from+r.plan.request.Limit, len(passing))
	page.Hits, page.Total, page.Next, page.Cursor, page.Verdict = append([]contract.Hit{}, passing[from:to]...), len(passing), 0, "", scoring.VerdictNone
	if len(passing) > 0 {
		page.Verdict = scoring.VerdictStrong
	}
	if to < len(passing) {
		page.Next = to
		page.Cursor = cursor.Cursor{Key: r.plan.key.short(), Offset: to, Sequence: r.snapshot.Sequence()}.String()
	}
	r.plan.showFiles(ctx, page.Hits)
	r.plan.showFiles(ctx, filtered)
	return filtered
}
