package search

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"mekiki/index"
	"mekiki/internal/plural"
	"mekiki/search/contract"
	"mekiki/search/highlights"
	"mekiki/search/scoring"
)

// ranking is the whole answer to a plan, of which pages are cut. It does not
// change once it is made.
type ranking struct {
	entries    []rankedEntry
	verdict    scoring.Verdict
	stage      contract.Stage
	reranked   int
	planned    int
	read       int // how many of the first candidates ITM was given
	full       bool
	window     int // of its retrieval
	timings    contract.Timings
	warnings   []string
	notices    []contract.Notice
	understood *contract.Understood
	translated *contract.Translated
	spelled    []contract.Spelling
	sequence   uint64
	retrieval  *retrieval // for explanations
}

// rankedEntry is one candidate in its place.
type rankedEntry struct {
	id          index.ID
	score       float64
	probability float64
	verdict     scoring.Verdict
	basis       contract.Basis
	candidate   *candidate
}

// ranking orders what was retrieved by the probability that is shown. The
// explanations of its hits are made when a page is cut, from the candidates as they
// are then.
func (r *retrieval) ranking(stage contract.Stage, reranked, planned int) *ranking {
	result := &ranking{
		entries: make([]rankedEntry, len(r.candidates)), verdict: scoring.VerdictNone, stage: stage,
		reranked: reranked, planned: planned, read: r.read, full: r.full, window: r.window, timings: r.timings, retrieval: r,
		warnings: slices.Concat(r.plan.warnings, r.warnings), notices: slices.Concat(r.plan.notices, r.notices), understood: r.plan.understood(), translated: r.plan.translated, spelled: r.plan.spelled, sequence: r.snapshot.Sequence(),
	}
	best := 0.0
	for i, c := range r.inOrder() {
		probability := scoring.Sigmoid(c.odds)
		best = max(best, probability)
		result.entries[i] = rankedEntry{
			id: c.id, score: r.score(c), probability: probability, basis: c.basis, candidate: c,
			verdict: r.searcher.calibration.Verdict(probability),
		}
	}
	if len(result.entries) > 0 {
		result.verdict = r.searcher.calibration.Verdict(best)
	}
	return result
}

// inOrder gives the candidates with the most probable first, and what is equally
// probable as fusion has it. Where there is nothing to rank by, the order of dates
// stays.
func (r *retrieval) inOrder() []*candidate {
	ordered := slices.Clone(r.candidates)
	slices.SortFunc(ordered, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(r.score(b), r.score(a)), cmp.Compare(a.fusedRank, b.fusedRank))
	})
	return ordered
}

// score is what a candidate is ordered by.
func (r *retrieval) score(c *candidate) float64 {
	if r.plan.listing() {
		return c.fused
	}
	return scoring.Squash(c.odds)
}

// page cuts one page out of a ranking, of the hits whose answers are as asked for; answers is nil without
// questions.
func (k *ranking) page(ctx context.Context, snapshot index.Reader, request contract.Request, offset int, answers *asking) (contract.Response, error) {
	found, err := k.shown(ctx, snapshot, request)
	if err != nil {
		return contract.Response{}, err
	}
	shown, filtered := answers.split(found)
	page := shown[min(offset, len(shown)):min(offset+request.Limit, len(shown))]
	matched, err := k.retrieval.pageWords(ctx, snapshot, page)
	if err != nil {
		return contract.Response{}, err
	}
	response := contract.Response{
		Query: request.Text, Understood: k.understood, Translated: k.translated, Spelled: k.spelled, Hits: []contract.Hit{}, Total: len(shown), TotalIsLowerBound: k.full,
		Hidden: len(k.entries) - len(found), Offset: offset, Verdict: k.verdict, Stage: k.stage,
		Reranked: k.reranked, RerankPlanned: k.planned, Candidates: len(k.entries), Searched: snapshot.Count(k.retrieval.plan.kind), Timings: k.timings,
		Warnings: slices.Clone(k.warnings), Notices: slices.Clone(k.notices),
	}
	for i, entry := range page {
		response.Hits = append(response.Hits, k.hit(entry, offset+i+1, request.Explain, matched[entry.entry.id]))
	}
	var left []contract.Hit
	for _, entry := range filtered {
		left = append(left, k.hit(entry, 0, false, nil))
	}
	k.retrieval.plan.showFiles(ctx, response.Hits)
	k.retrieval.plan.showFiles(ctx, left)
	if request.Highlight {
		p := k.retrieval.plan
		texts := append([]string{p.keywords()}, p.phrases...)
		highlights.Mark(response.Hits, texts...)
		highlights.MarkOCR(response.Hits, p.written(), texts...)
	}
	answers.fill(&response, left)
	switch end := offset + len(response.Hits); {
	case len(response.Hits) > 0 && (end < len(shown) || !answers.limits() && k.goesOn(request, shown)):
		response.Next = end
	case len(response.Hits) > 0 && k.stage.Final() && k.endsEarly(shown):
		message := fmt.Sprintf("only the best %s were looked at; there may be more further down", plural.Count(len(k.entries), "picture", "pictures"))
		response.Warnings = append(response.Warnings, message)
		response.Notices = append(response.Notices, contract.Notice{Code: contract.NoticeEnd, Message: message})
	}
	return response, nil
}

type shownEntry struct {
	entry  *rankedEntry
	record *index.Record
}

// shown gives the entries that a request wants to see, in its order.
func (k *ranking) shown(ctx context.Context, snapshot index.Reader, request contract.Request) ([]shownEntry, error) {
	least := request.MinimumProbability
	var shown []shownEntry
	for i := range k.entries {
		entry := &k.entries[i]
		if entry.probability < least || entry.verdict == scoring.VerdictNone && request.Show != contract.ShowAll ||
			entry.verdict == scoring.VerdictWeak && request.Show == contract.ShowStrong {
			continue
		}
		shown = append(shown, shownEntry{entry: entry})
	}
	if err := addRecords(ctx, snapshot, shown); err != nil {
		return nil, err
	}
	// Some may have been deleted since the ranking was made.
	shown = slices.DeleteFunc(shown, func(e shownEntry) bool { return e.record == nil })
	if request.Sort == contract.SortRelevance {
		return shown, nil
	}
	slices.SortStableFunc(shown, func(a, b shownEntry) int {
		order := a.record.Date().Compare(b.record.Date())
		if request.Sort == contract.SortDateDescending {
			order = -order
		}
		return cmp.Or(order, cmp.Compare(a.entry.id, b.entry.id))
	})
	return shown, nil
}

// addRecords gives entries their records as they are now; nil where there is none.
func addRecords(ctx context.Context, reader index.Reader, entries []shownEntry) error {
	ids := make([]index.ID, len(entries))
	for i, shown := range entries {
		ids[i] = shown.entry.id
	}
	records, err := reader.Records(ctx, ids)
	if err != nil {
		return fmt.Errorf("read records: %w", err)
	}
	for i, record := range records {
		entries[i].record = record
	}
	return nil
}

// hit presents one entry.
func (k *ranking) hit(shown shownEntry, rank int, explain bool, matched []contract.FieldMatch) contract.Hit {
	entry := shown.entry
	hit := recordHit(shown.record, rank)
	hit.Score, hit.Probability, hit.Verdict, hit.Basis = contract.Round(entry.score), contract.Round(entry.probability), entry.verdict, entry.basis
	hit.Reason = k.retrieval.reason(entry.candidate, entry.probability, matched)
	if explain {
		explanation := k.retrieval.explain(entry.candidate, matched)
		hit.Explanation = &explanation
	}
	return hit
}

// recordHit presents a record.
func recordHit(record *index.Record, rank int) contract.Hit {
	hit := contract.Hit{
		Rank: rank, ID: record.ID, Kind: record.Kind.String(), Path: record.Path(), Paths: record.Paths(), Name: record.Name(), Caption: record.Caption(), Text: record.Text,
		Title: record.Title(), Format: record.Format, Width: record.Width, Height: record.Height, Tags: record.Tags,
		Record: record,
	}
	if taken := record.Taken(); !taken.IsZero() {
		hit.Taken = &taken
	}
	return hit
}

// understood shows what the query was read as.
func (p *plan) understood() *contract.Understood {
	if p.query.Empty() {
		return nil
	}
	understood := &contract.Understood{
		Clauses: p.clauses, Phrases: p.phrases, Unwanted: p.unwanted, UnwantedPhrases: p.unwantedPhrases,
	}
	understood.Asks = p.askSources
	for _, filter := range p.query.Filters.Source {
		understood.Filters = append(understood.Filters, filter.Text)
	}
	return understood
}
