package search

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/search/contract"
	"mekiki/search/unread"
	"mekiki/search/words"
)

// retrieval is one request's way through the legs.
type retrieval struct {
	searcher *Searcher
	snapshot index.Reader
	plan     *plan
	filter   index.Filter
	window   int // the number of candidates that each leg proposes

	// text is the vector of all wanted words; clauseVectors those of the
	// clauses, wanted ones first, when they differ from it.
	text          embed.Vector
	clauseVectors []embed.Vector
	pictures      []embed.Parts

	vectors      []index.Neighbour
	clauseHits   [][]index.Neighbour
	similar      []index.Neighbour
	keywords     []index.KeywordHit
	keywordsFull bool
	similarFull  bool // more pictures were alike than were taken

	candidates []*candidate
	known      map[index.ID]*candidate
	full       bool
	read       int  // how many of the first candidates ITM was given
	unread     bool // the model reads nothing of the words
	timings    contract.Timings
	warnings   []string
	notices    []contract.Notice
}

// notice adds a warning that a program can act on.
func (r *retrieval) notice(code contract.NoticeCode, instead, message string) {
	r.warnings = append(r.warnings, message)
	r.notices = append(r.notices, contract.Notice{Code: code, Message: message, Query: instead})
}

// retrieve proposes candidates for a plan, a window of them by each leg, and
// gives each its scores of every leg. The order of the candidates means nothing
// yet.
func (s *Searcher) retrieve(ctx context.Context, snapshot index.Reader, p *plan, window int) (*retrieval, error) {
	r := &retrieval{searcher: s, snapshot: snapshot, plan: p, window: window, known: map[index.ID]*candidate{}}
	p.images = snapshot.Count(index.KindImage)
	var err error
	if r.filter, err = resolveFilter(ctx, snapshot, p); err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	if missed, err := p.missesUnread(ctx, snapshot); err != nil {
		return nil, err
	} else if missed {
		r.notice(contract.NoticeUnreadPictures, "", unread.Message)
	}
	if p.listing() {
		err = r.list(ctx)
	} else {
		err = r.legs(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err := r.removeUnwantedPhrases(ctx); err != nil {
		return nil, err
	}
	if err := r.complete(ctx); err != nil {
		return nil, err
	}
	r.findWords()
	return r, nil
}

// list takes what passes the filters, by date.
func (r *retrieval) list(ctx context.Context) error {
	started := time.Now()
	records, total, err := r.snapshot.List(ctx, r.filter, index.Page{Limit: r.window, Order: r.plan.request.Sort.ListOrder()})
	if err != nil {
		return fmt.Errorf("list records: %w", err)
	}
	for i, record := range records {
		if c := r.propose(record); c != nil {
			c.fused, c.fusedRank = 1/float64(1+i), i+1
		}
	}
	r.full = total > len(records)
	r.timings.KeywordMS += contract.Milliseconds(started)
	if len(r.plan.unwanted) == 0 {
		return nil
	}
	return r.embed(ctx)
}

// legs asks the vector index and the keyword index, at once where the query
// lets them be independent.
func (r *retrieval) legs(ctx context.Context) error {
	if len(r.plan.phrases) > 0 {
		// Only what has the phrases can be a hit, so words come first.
		if err := r.keywordLeg(ctx); err != nil {
			return err
		}
		if len(r.keywords) == 0 {
			r.notice(contract.NoticePhrase, r.plan.query.WithoutQuotes(), "no caption, name or tag has the words in quotes in this order; without the quotes, pictures that show it are found")
		}
		ids := make([]index.ID, len(r.keywords))
		for i, hit := range r.keywords {
			ids[i] = hit.ID
		}
		r.filter = filters.OnlyIDs(r.filter, ids)
		if err := r.vectorLegs(ctx); err != nil {
			return err
		}
	} else {
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return r.keywordLeg(ctx) })
		group.Go(func() error { return r.vectorLegs(ctx) })
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return r.join(ctx)
}

// keywordLeg asks the keyword index. It does nothing when words have no say.
func (r *retrieval) keywordLeg(ctx context.Context) error {
	p := r.plan
	if !p.usesWords() {
		return nil
	}
	started := time.Now()
	hits, err := r.snapshot.Keyword(ctx, index.KeywordQuery{
		Text: p.keywords(), Phrases: p.phrases, Exclude: p.unwantedPhrases, Kind: p.kind, ScoresOnly: true,
	}, r.window, r.filter)
	if err != nil {
		return fmt.Errorf("search words: %w", err)
	}
	r.keywords, r.keywordsFull = hits, len(hits) >= r.window
	r.timings.KeywordMS = contract.Milliseconds(started)
	return nil
}

// vectorLegs embeds what the query has and asks the vector index with it.
func (r *retrieval) vectorLegs(ctx context.Context) error {
	if err := r.embed(ctx); err != nil {
		return err
	}
	started := time.Now()
	window, pictures := r.window, r.window
	if r.window <= r.searcher.options.Window {
		pictures = min(r.window, pictureWindow)
	}
	if len(r.text) > 0 && (r.plan.weight > 0 || r.plan.picture) {
		var err error
		if r.vectors, err = r.nearest(ctx, r.text, window, r.filter); err != nil {
			return err
		}
		// A clause of its own may find what the whole does not.
		if len(r.plan.clauses) > 1 {
			for i := range r.plan.clauses {
				hits, err := r.nearest(ctx, r.clauseVectors[i], window/len(r.plan.clauses), r.filter)
				if err != nil {
					return err
				}
				r.clauseHits = append(r.clauseHits, hits)
			}
		}
	}
	if err := r.likePictures(ctx, pictures); err != nil {
		return err
	}
	r.timings.VectorMS = contract.Milliseconds(started)
	return nil
}

// likePictures lets each picture of the query propose as many candidates.
func (r *retrieval) likePictures(ctx context.Context, most int) error {
	for _, picture := range r.pictures {
		found, err := r.nearest(ctx, picture.Values, most+1, r.filter)
		if err != nil {
			return err
		}
		r.similar = append(r.similar, found...)
		r.similarFull = r.similarFull || len(found) > most
	}
	if len(r.pictures) > 1 { // each once, with the nearest of the pictures
		slices.SortStableFunc(r.similar, func(a, b index.Neighbour) int { return cmp.Compare(b.Score, a.Score) })
		seen := map[index.ID]bool{}
		r.similar = slices.DeleteFunc(r.similar, func(hit index.Neighbour) bool {
			known := seen[hit.ID]
			seen[hit.ID] = true
			return known
		})
	}
	return nil
}

// nearest asks the vector index of the kind that is searched.
func (r *retrieval) nearest(ctx context.Context, query []float32, k int, filter index.Filter) ([]index.Neighbour, error) {
	kind := index.KindImage
	if r.plan.kind == index.KindText {
		kind = index.KindText
	}
	hits, err := r.snapshot.Nearest(ctx, kind, query, k, filter)
	if err != nil {
		return nil, fmt.Errorf("search vectors: %w", err)
	}
	return hits, nil
}

// embed turns the query's words and picture into vectors.
func (r *retrieval) embed(ctx context.Context) error {
	started := time.Now()
	defer func() { r.timings.EmbedMS = contract.Milliseconds(started) }()
	p, s := r.plan, r.searcher
	if usable, err := r.checkSpace(); err != nil || !usable {
		return err
	}
	if s.engine != nil && s.model.Unread(p.clauses) {
		r.unread = true
		r.notice(contract.NoticeUnread, "", "the model does not read this script: only names, tags and other words of the library were searched")
	} else if s.engine != nil {
		texts := append(append([]string{}, p.clauses...), p.unwanted...)
		if p.text != "" {
			texts = append(texts, p.text)
		}
		vectors, warnings, err := s.model.Texts(ctx, texts)
		if err != nil {
			return err
		}
		r.warnings = append(r.warnings, warnings...)
		r.clauseVectors = vectors[:len(p.clauses)+len(p.unwanted)]
		if p.text != "" {
			r.text = vectors[len(vectors)-1]
		}
	} else if p.text != "" {
		r.warnings = append(r.warnings, "no model is open: only words in names and captions were searched")
	}
	if p.picture {
		for _, picture := range p.pictures() {
			parts, err := s.model.Parts(ctx, r.snapshot, picture)
			if err != nil {
				return err
			}
			if parts.Count > 0 {
				r.pictures = append(r.pictures, parts)
			}
		}
	}
	return nil
}

// checkSpace reports whether the library has vectors that the engine's can be
// compared with. Having none at all is no error: the library is empty.
func (r *retrieval) checkSpace() (bool, error) {
	space, ok := r.snapshot.Space()
	if !ok {
		return false, nil
	}
	if err := r.searcher.model.CheckSpace(space); err != nil {
		return false, err
	}
	return true, nil
}

// propose makes a record a candidate, unless it is one that is asked about.
func (r *retrieval) propose(record *index.Record) *candidate {
	if record.ID == r.plan.request.Record || slices.Contains(r.plan.request.Records, record.ID) {
		return nil
	}
	c := &candidate{id: record.ID, record: record, part: -1, vector: math.NaN(), similarity: math.NaN()}
	r.known[c.id] = c
	r.candidates = append(r.candidates, c)
	return c
}

// found lists the records that the legs found, each once.
func (r *retrieval) found() []index.ID {
	var ids []index.ID
	seen := map[index.ID]bool{}
	note := func(id index.ID) {
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	for _, hit := range r.keywords {
		note(hit.ID)
	}
	for _, hits := range append([][]index.Neighbour{r.vectors, r.similar}, r.clauseHits...) {
		for _, hit := range hits {
			note(hit.ID)
		}
	}
	return ids
}

// join makes candidates of what the legs found.
func (r *retrieval) join(ctx context.Context) error {
	records, err := r.snapshot.Records(ctx, r.found())
	if err != nil {
		return fmt.Errorf("read candidates: %w", err)
	}
	for _, record := range records {
		if record != nil {
			r.propose(record)
		}
	}
	for i, hit := range r.keywords {
		if c := r.known[hit.ID]; c != nil {
			c.keyword, c.hasKeyword, c.keywordRank = hit.Score, true, i+1
		}
	}
	for i, hit := range r.vectors {
		if c := r.known[hit.ID]; c != nil {
			c.vector, c.hasVector, c.vectorRank, c.part = float64(hit.Score), true, i+1, hit.Part
		}
	}
	for i, hit := range r.similar {
		if c := r.known[hit.ID]; c != nil {
			c.similarity, c.hasSimilarity, c.similarityRank, c.part = float64(hit.Score), true, i+1, hit.Part
		}
	}
	r.full = len(r.vectors) >= r.window || len(r.keywords) >= r.window || r.similarFull
	return nil
}

// release lets go of what only retrieval needed, before a ranking is kept.
func (r *retrieval) release() {
	r.vectors, r.clauseHits, r.similar, r.keywords, r.known, r.snapshot = nil, nil, nil, nil, nil, nil
	r.text, r.clauseVectors, r.pictures = nil, nil, nil
	r.plan.request.Image, r.plan.request.Images = nil, nil
}

// findWords finds how much of the query stands in the candidates' captions and names.
// Only what the keyword leg found can have any, but for unwanted clauses, which it does
// not look for.
func (r *retrieval) findWords() {
	p := r.plan
	finder := words.NewFinder(slices.Concat(p.clauses, p.unwanted))
	var originals *words.Finder
	if p.originals != nil {
		originals = words.NewFinder(p.originals)
	}
	none := make([]words.Shares, len(p.clauses)+len(p.unwanted))
	for _, c := range r.candidates {
		c.captioned, c.words = p.usesWords() && len(c.record.Captions) > 0, none
		if p.usesWords() && (c.hasKeyword || len(p.unwanted) > 0) {
			c.words = finder.Shares(c.record, len(p.clauses))
			if originals != nil {
				c.words = words.Larger(c.words, originals.Shares(c.record, len(p.clauses)))
			}
		}
		c.named = len(p.clauses) > 0 && !slices.ContainsFunc(c.words[:len(p.clauses)], func(w words.Shares) bool { return w.Name == 0 })
	}
}
