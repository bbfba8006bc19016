package evaluate

import (
	"context"
	"fmt"

	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/evaluate/datasets"
	"mekiki/search/evaluate/statistics"
	"mekiki/search/scoring"
)

// querySet is a set of questions that are judged together.
type querySet struct {
	name      string
	questions []question
}

// verdictSets gives the sets whose verdicts are looked at: those that some
// picture answers, and those that none does.
func (e *evaluation) verdictSets() (answered, unanswered []querySet) {
	var captions []question
	for number, picture := range e.asked { // one of its captions each, in turn
		caption := picture.image.Captions[number%len(picture.image.Captions)]
		captions = append(captions, question{text: caption, right: map[index.ID]bool{picture.id: true}, cluster: number})
	}
	sets := e.source.Sets
	answered = []querySet{{"captions", captions}, {"free phrasing", e.questions(sets.FreePhrasing)}}
	unanswered = []querySet{{"no match", e.allQuestions(sets.NoMatch)}, {"everyday", e.allQuestions(sets.Everyday)}}
	for _, form := range []string{datasets.FormBare, datasets.FormOne, datasets.FormHead, datasets.FormCounted, datasets.FormPlace, datasets.FormPair} {
		with, without := e.partialQuestions(form)
		answered = append(answered, querySet{"partial, " + form, with})
		unanswered = append(unanswered, querySet{"partial, " + form, without})
	}
	return answered, unanswered
}

// partialQuestions gives the partial queries of a form: those that some picture
// answers, and those that surely none does.
func (e *evaluation) partialQuestions(form string) (with, without []question) {
	var queries []datasets.Query
	for _, query := range e.source.Sets.Partial {
		if query.Form == form {
			queries = append(queries, query)
		}
	}
	for _, question := range e.allQuestions(queries) {
		switch {
		case len(question.right) > 0:
			with = append(with, question)
		case len(question.unclear) == 0:
			without = append(without, question)
		}
	}
	return with, without
}

// verdicts looks at what a user would be told.
func (e *evaluation) verdicts(ctx context.Context) error {
	b, err := e.bench(e.neutral, "verdicts")
	if err != nil {
		return err
	}
	answered, unanswered := e.verdictSets()
	result := &Verdicts{}
	for _, half := range []struct {
		sets   []querySet
		target *[]VerdictSet
	}{{answered, &result.Answered}, {unanswered, &result.Unanswered}} {
		for _, set := range half.sets {
			if len(set.questions) == 0 {
				continue
			}
			judged, err := b.judge(ctx, set.name, sample(set.questions, e.options.Sample))
			if err != nil {
				return err
			}
			*half.target = append(*half.target, judged)
		}
	}
	if len(result.Answered)+len(result.Unanswered) > 0 {
		e.report.Verdicts = result
	}
	return nil
}

// judge asks a set of questions and compares the verdicts with the truth.
func (b *bench) judge(ctx context.Context, name string, questions []question) (VerdictSet, error) {
	var strong, shown []bool
	var clusters []int
	var strongHits, shownHits PrecisionRecall
	strongRight, shownRight := 0, 0
	for number, question := range questions {
		request := b.request(question.text, modes()[3])
		request.Show, request.Limit = contract.ShowWeak, 1000
		response, err := b.searcher.Search(ctx, request)
		if err != nil {
			return VerdictSet{}, fmt.Errorf("search %q: %w", question.text, err)
		}
		strong = append(strong, response.Verdict == scoring.VerdictStrong)
		shown = append(shown, response.Verdict != scoring.VerdictNone)
		clusters = append(clusters, question.cluster)
		strongHits.Right += len(question.right)
		for _, hit := range response.Hits {
			if question.unclear[hit.ID] {
				continue
			}
			right := 0
			if question.right[hit.ID] {
				right = 1
			}
			shownHits.Hits++
			shownRight += right
			if hit.Verdict == scoring.VerdictStrong {
				strongHits.Hits++
				strongRight += right
			}
		}
		if b.progress != nil {
			b.progress(number+1, len(questions))
		}
	}
	set := VerdictSet{Name: name, Strong: shareOf(strong, clusters), Shown: shareOf(shown, clusters)}
	if shownHits.Right = strongHits.Right; strongHits.Right > 0 {
		strongHits.fill(strongRight)
		shownHits.fill(shownRight)
		set.StrongHits, set.ShownHits = &strongHits, &shownHits
	}
	return set, nil
}

// fill computes the percentages from the number of right hits.
func (p *PrecisionRecall) fill(right int) {
	p.Precision = statistics.RoundTo(100*float64(right)/float64(max(p.Hits, 1)), 1)
	p.Recall = statistics.RoundTo(100*float64(right)/float64(max(p.Right, 1)), 1)
}
