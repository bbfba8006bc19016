package evaluate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/evaluate/statistics"
)

// Why a library cannot check itself or be fitted to.
var (
	// ErrNoCaptions: it has no captions.
	ErrNoCaptions = errors.New("no image of the library has a caption")
	// ErrFewCaptions: it has too few.
	ErrFewCaptions = errors.New("the library has too few captions to fit to")
)

// SelfCheck measures a library without any annotation: it asks for pictures by
// their own generated captions. Since the captions stand in the keyword index,
// the hybrid figures flatter; the ITC and ITC+ITM figures do not use them.
func SelfCheck(ctx context.Context, library Library, engine Engine, options Options) (Report, error) {
	started := time.Now()
	options = options.withDefaults()
	if options.Sample == 0 {
		options.Sample = 200
	}
	e := &evaluation{engine: engine, options: options, neutral: library, report: &Report{
		Dataset: "self-check", Model: options.Model, Fingerprint: engine.Space().Fingerprint, K: options.K,
	}}
	questions, err := e.ownCaptions(ctx)
	if err != nil {
		return Report{}, err
	}
	b, err := e.bench(library, "self-check")
	if err != nil {
		return Report{}, err
	}
	if err := e.latency(ctx, b, questions); err != nil {
		return Report{}, err
	}
	if e.report.SelfCheck, err = b.run(ctx, questions, modes()[:3]); err != nil {
		return Report{}, err
	}
	e.report.Seconds = statistics.RoundTo(time.Since(started).Seconds(), 1)
	return *e.report, nil
}

// ownCaptions draws captioned pictures. A caption that several pictures have is
// right for each of them.
func (e *evaluation) ownCaptions(ctx context.Context) ([]question, error) {
	reader, err := e.neutral.Reader(ctx)
	if err != nil {
		return nil, fmt.Errorf("read library: %w", err)
	}
	defer reader.Close()
	if space, ok := reader.Space(); ok && space != e.engine.Space() {
		return nil, &contract.Error{
			Code: contract.CodeSpaceMismatch, Message: fmt.Sprintf("the library's vectors are of the model %v and the open model is %v", space, e.engine.Space()),
			Remedy: "choose the model that the library was indexed with",
		}
	}
	records, total, err := reader.List(ctx, index.Filter{Kinds: []index.Kind{index.KindImage}}, index.Page{})
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	e.report.Images = total
	owners := map[string]map[index.ID]bool{}
	var captioned []*index.Record
	for _, record := range records {
		caption := record.Caption()
		if caption == "" {
			continue
		}
		captioned = append(captioned, record)
		if owners[caption] == nil {
			owners[caption] = map[index.ID]bool{}
		}
		owners[caption][record.ID] = true
	}
	if len(captioned) == 0 {
		return nil, ErrNoCaptions
	}
	var questions []question
	for i, record := range sample(captioned, e.options.Sample) {
		questions = append(questions, question{text: record.Caption(), right: owners[record.Caption()], cluster: i})
	}
	return questions, nil
}
