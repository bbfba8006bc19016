package lookup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/internal/pace"
	"mekiki/search/contract"
	"mekiki/search/inputs"
	"mekiki/search/scoring"
	"mekiki/search/words"
)

// textCandidate is a text that may describe the picture.
type textCandidate struct {
	text   string // as the model reads it
	hit    TextHit
	order  int // for equal scores
	cosine float64
	logit  float64 // ITM's, once it has read the text
	read   bool
	odds   float64
}

// Finder finds texts that describe pictures. Its fields are not to be changed once it is in use.
type Finder struct {
	Library     index.Source
	Engine      inputs.Engine // nil without one
	Model       *inputs.Model // of the engine
	Calibration scoring.Calibration
	// RerankBudget and RerankCount are for requests that do not say; RerankBatch is the
	// number of texts that ITM reads at a time.
	RerankBudget time.Duration
	RerankCount  int
	RerankBatch  int
}

// lookup is one request's way to its answer.
type lookup struct {
	finder   *Finder
	snapshot index.Reader
	request  Request
	source   inputs.Picture
	parts    embed.Parts
	texts    []*textCandidate
	timings  contract.Timings
	warnings []string
}

// Lookup finds the texts that describe a picture: those of the library, which
// are its text records and the captions of like pictures, or the labels given.
// What the caller can put right is a [contract.Error].
func (f *Finder) Lookup(ctx context.Context, request Request) (Response, error) {
	started := time.Now()
	if err := f.prepare(&request); err != nil {
		return Response{}, err
	}
	snapshot, err := f.Library.Reader(ctx)
	if err != nil {
		return Response{}, fmt.Errorf("read library: %w", err)
	}
	defer snapshot.Close()
	if err := inputs.CheckRecord(ctx, snapshot, request.Record); err != nil {
		return Response{}, err
	}
	l := &lookup{
		finder: f, snapshot: snapshot, request: request,
		source: inputs.Picture{Image: request.Image, Record: request.Record, Crop: request.Crop},
	}
	tokens, err := l.collect(ctx)
	if err != nil {
		return Response{}, err
	}
	read, planned, err := l.match(ctx, tokens)
	if err != nil {
		return Response{}, err
	}
	response := l.respond()
	response.Reranked, response.RerankPlanned = read, planned
	response.Timings.TotalMS = contract.Milliseconds(started)
	return response, nil
}

// prepare checks a request and fills in defaults.
func (f *Finder) prepare(r *Request) error {
	if f.Engine == nil {
		return &contract.Error{Code: contract.CodeUnavailable, Message: "no model is open", Remedy: "open a model to look texts up"}
	}
	if r.Image == nil && r.Record == 0 {
		return &contract.Error{Code: contract.CodeEmptyRequest, Field: "image", Message: "there is no picture to look up", Remedy: "give an image or a record"}
	}
	common := contract.Request{
		Image: r.Image, Record: r.Record, Crop: r.Crop, Limit: r.Limit, Show: r.Show,
		RerankBudget: r.RerankBudget, RerankCount: r.RerankCount,
	}
	if r.Limit == 0 {
		common.Limit = 10
	}
	if len(r.Labels) > 0 && r.Show == "" {
		common.Show = contract.ShowAll
	}
	if err := common.Prepare(f.RerankCount, f.RerankBudget); err != nil {
		return err
	}
	r.Limit, r.Show, r.RerankBudget, r.RerankCount = common.Limit, common.Show, common.RerankBudget, common.RerankCount
	if err := contract.CheckFilter(r.Filter); err != nil {
		return err
	}
	for _, source := range r.Sources {
		if source != TextSourceRecord && source != TextSourceCaption {
			return contract.InvalidOption("sources", "use text or caption", "there is no source %q", source)
		}
	}
	return r.checkLabels()
}

// checkLabels refuses labels that no model can read, and a template without one place for a label.
func (r *Request) checkLabels() error {
	if len(r.Labels) > maximumLabels {
		return &contract.Error{Code: contract.CodeTooLarge, Field: "labels", Message: fmt.Sprintf("%d labels are more than the limit of %d", len(r.Labels), maximumLabels), Remedy: "give fewer, or add them to the library as texts"}
	}
	if r.Template != "" && strings.Count(r.Template, "{}") != 1 {
		return contract.InvalidOption("template", `write {} once where the label goes, as in "a photo of {}"`, "the template %q has no single {}", r.Template)
	}
	for i, label := range r.Labels {
		bad := func(code contract.Code, problem, remedy string) error {
			return &contract.Error{Code: code, Field: fmt.Sprintf("labels[%d]", i), Message: fmt.Sprintf("label %d (%.40q) %s", i+1, label, problem), Remedy: remedy}
		}
		switch {
		case strings.TrimSpace(label) == "":
			return bad(contract.CodeInvalidOption, "is empty", "leave it out")
		case !utf8.ValidString(label) || strings.ContainsFunc(label, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }):
			return bad(contract.CodeControlCharacter, "has a control character or is no UTF-8", "remove it")
		case utf8.RuneCountInString(label) > maximumLabelCharacters:
			return bad(contract.CodeTooLarge, fmt.Sprintf("is longer than %d characters", maximumLabelCharacters), "shorten it")
		}
	}
	return nil
}

// collect reads the picture and gathers the texts with their cosines, best
// first.
func (l *lookup) collect(ctx context.Context) (embed.ImageTokens, error) {
	started := time.Now()
	tokens, err := l.finder.Model.Tokens(ctx, l.snapshot, l.source)
	if err != nil {
		return embed.ImageTokens{}, err
	}
	parts, err := l.finder.Engine.ImageParts(ctx, []embed.ImageTokens{tokens})
	if err != nil {
		return embed.ImageTokens{}, fmt.Errorf("embed picture: %w", err)
	}
	if len(parts) != 1 {
		return embed.ImageTokens{}, errors.New("embed picture: got another number of answers than pictures")
	}
	l.parts = parts[0]
	l.timings.EmbedMS = contract.Milliseconds(started)
	searched := time.Now()
	if len(l.request.Labels) > 0 {
		l.addLabels()
	} else if err := l.addLibrary(ctx); err != nil {
		return embed.ImageTokens{}, err
	}
	if err := l.score(ctx); err != nil {
		return embed.ImageTokens{}, err
	}
	l.timings.VectorMS = contract.Milliseconds(searched)
	return tokens, nil
}

// score gives each text its cosine and orders the texts by it.
func (l *lookup) score(ctx context.Context) error {
	var missing []*textCandidate
	var texts []string
	for _, candidate := range l.texts {
		if math.IsNaN(candidate.cosine) {
			missing = append(missing, candidate)
			texts = append(texts, candidate.text)
		}
	}
	if len(texts) > 0 {
		vectors, warnings, err := l.finder.Model.Texts(ctx, texts)
		if err != nil {
			return err
		}
		if len(l.request.Labels) > 0 {
			l.warnings = append(l.warnings, warnings...)
		}
		for i, candidate := range missing {
			cosine, _ := l.parts.Similarity(vectors[i])
			candidate.cosine = float64(cosine)
		}
	}
	slices.SortStableFunc(l.texts, func(a, b *textCandidate) int {
		if a.cosine != b.cosine {
			if a.cosine > b.cosine {
				return -1
			}
			return 1
		}
		return a.order - b.order
	})
	return nil
}

// match lets ITM read the best texts within the budget.
func (l *lookup) match(ctx context.Context, tokens embed.ImageTokens) (read, planned int, err error) {
	started := time.Now()
	defer func() { l.timings.RerankMS = contract.Milliseconds(started) }()
	if l.request.RerankBudget < 0 {
		return 0, 0, nil
	}
	if !l.finder.Model.CanMatch() {
		l.warnings = append(l.warnings, inputs.NoMatcher)
		return 0, 0, nil
	}
	planned = min(l.request.RerankCount, len(l.texts))
	pacer := &pace.Pacer{Deadline: started.Add(l.request.RerankBudget), Batch: l.finder.RerankBatch}
	for read < planned {
		size := pacer.Next(planned - read)
		if size == 0 {
			break
		}
		batch := l.texts[read : read+size]
		begun := time.Now()
		if err := l.matchBatch(ctx, tokens, batch); err != nil {
			return 0, 0, err
		}
		pacer.Took(time.Since(begun), size)
		read += size
	}
	return read, planned, nil
}

func (l *lookup) matchBatch(ctx context.Context, tokens embed.ImageTokens, batch []*textCandidate) error {
	images := make([]embed.ImageTokens, len(batch))
	texts := make([]string, len(batch))
	for i, candidate := range batch {
		images[i], texts[i] = tokens, candidate.text
	}
	answers, err := l.finder.Engine.MatchPairs(ctx, images, texts)
	if err != nil {
		return fmt.Errorf("match: %w", err)
	}
	if len(answers) != len(batch) {
		return errors.New("match: got another number of answers than pairs")
	}
	for i, candidate := range batch {
		logit := float64(answers[i].Logit())
		if !math.IsNaN(logit) {
			candidate.logit, candidate.read = logit, true
		}
	}
	return nil
}

// respond judges the texts and puts them in order.
func (l *lookup) respond() Response {
	l.judge()
	response := Response{Texts: []TextHit{}, Verdict: scoring.VerdictNone, Timings: l.timings, Warnings: l.warnings}
	best := 0.0
	shares := l.shares()
	for i, candidate := range l.texts {
		hit := candidate.hit
		probability := scoring.Sigmoid(candidate.odds)
		best = max(best, probability)
		hit.Probability, hit.Verdict, hit.ITC = contract.Round(probability), l.finder.Calibration.Verdict(probability), contract.Round(candidate.cosine)
		hit.Score, hit.Basis = contract.Round(candidate.cosine), contract.BasisVector
		if candidate.read {
			logit := contract.Round(candidate.logit)
			hit.Score, hit.Basis, hit.ITM = contract.Round(candidate.logit+candidate.cosine), contract.BasisMatch, &logit
		}
		if shares != nil {
			share := contract.Round(shares[i])
			hit.Share = &share
		}
		if hit.Verdict == scoring.VerdictNone && l.request.Show != contract.ShowAll || hit.Verdict == scoring.VerdictWeak && l.request.Show == contract.ShowStrong {
			response.Hidden++
			continue
		}
		response.Total++
		if len(response.Texts) < l.request.Limit {
			hit.Rank = len(response.Texts) + 1
			response.Texts = append(response.Texts, hit)
		}
	}
	if len(l.texts) > 0 {
		response.Verdict = l.finder.Calibration.Verdict(best)
	}
	return response
}

// judge gives every text its odds, and orders the texts by them.
func (l *lookup) judge() {
	calibration := l.finder.Calibration
	evidence := make([]scoring.Evidence, len(l.texts))
	var read []scoring.Evidence
	for i, candidate := range l.texts {
		evidence[i] = scoring.Evidence{ITM: math.NaN(), ITC: candidate.cosine, ContentWords: words.Count(candidate.text)}
		if candidate.read {
			evidence[i].ITM = candidate.logit
			read = append(read, evidence[i])
		}
	}
	surprise := calibration.Surprise(read)
	for i, candidate := range l.texts {
		evidence[i].Surprise = surprise
		candidate.odds = calibration.Odds(evidence[i])
	}
	slices.SortStableFunc(l.texts, func(a, b *textCandidate) int { return cmp.Compare(b.odds, a.odds) })
}

// shares divides 1 among the labels, by their odds; nil without labels.
func (l *lookup) shares() []float64 {
	if len(l.request.Labels) == 0 {
		return nil
	}
	highest, sum := math.Inf(-1), 0.0
	for _, candidate := range l.texts {
		highest = max(highest, candidate.odds)
	}
	shares := make([]float64, len(l.texts))
	for i, candidate := range l.texts {
		shares[i] = math.Exp(candidate.odds - highest)
		sum += shares[i]
	}
	for i := range shares {
		shares[i] /= sum
	}
	return shares
}
