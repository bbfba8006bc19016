package search

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/inputs"
	"mekiki/search/query"
	"mekiki/search/words"
)

// plan is a request that was checked, with its defaults filled in.
type plan struct {
	request contract.Request
	query   query.Query
	// filter joins the filters of the text and of the request, as far as that
	// can be done without a snapshot; also is what has to hold besides.
	filter index.Filter
	also   *index.Filter
	kind   index.Kind

	// text is all wanted words; clauses are its clauses; unwanted those that
	// must not hold; phrases and unwantedPhrases are about words.
	text            string
	clauses         []string
	unwanted        []string
	phrases         []string
	unwantedPhrases []string
	// contentWords are the numbers of words of clauses and unwanted that are
	// more than grammar.
	contentWords []int
	// textWords is that number of the whole text, at least 1.
	textWords int
	// originals are clauses and unwanted as they were asked, where those were translated; nil where not.
	originals  []string
	translated *contract.Translated
	spelled    []contract.Spelling

	// asks are the questions to the best hits; askSources those of the text, as typed.
	asks       []contract.Ask
	askSources []string

	// warnings are sentences about the query.
	warnings []string
	// notices are those of them that a program can act on.
	notices []contract.Notice

	// picture is set when there is an image or a record to look like.
	picture bool
	weight  float64
	key     rankingKey
	// images is how many pictures are searched; it is known when candidates are
	// retrieved.
	images int
	// surprise is that of each clause, in the order of contentWords, once ITM has read
	// the first candidates.
	surprise []float64
}

// rankingKey identifies a ranking: equal keys over an equal library rank alike.
type rankingKey [sha256.Size]byte

func (k rankingKey) short() string { return hex.EncodeToString(k[:8]) }

// prepare checks a request, which must ask for something, and fills in defaults.
func (s *Searcher) prepare(request contract.Request) (*plan, error) {
	p, err := s.prepareAny(request)
	if err != nil {
		return nil, err
	}
	return p, p.checkAsks()
}

// prepareAny checks a request, which may ask for nothing, and fills in defaults.
func (s *Searcher) prepareAny(request contract.Request) (*plan, error) {
	p := &plan{request: request}
	if err := p.request.Prepare(s.options.RerankCount, s.options.RerankBudget); err != nil {
		return nil, err
	}
	parsed, err := query.Parse(request.Text, query.Options{})
	if err != nil {
		return nil, contract.QueryError(err)
	}
	p.leaveOutWordless(&parsed)
	p.query = parsed
	p.text = parsed.Text()
	p.clauses = query.Texts(parsed.Clauses)
	p.unwanted = query.Texts(parsed.Unwanted)
	p.phrases = query.Texts(parsed.Phrases)
	p.unwantedPhrases = query.Texts(parsed.UnwantedPhrases)
	p.countWords()
	p.picture = p.request.Pictures() > 0
	if err := p.prepareFilter(); err != nil {
		return nil, err
	}
	if err := p.prepareAsks(); err != nil {
		return nil, err
	}
	p.weight = 0.5
	if request.Weight != nil {
		p.weight = *request.Weight
	}
	p.key = p.rankingKey()
	return p, nil
}

// countWords counts the words of what is asked.
func (p *plan) countWords() {
	p.textWords = max(len(words.Terms(p.text)), 1)
	p.contentWords = nil
	for _, text := range slices.Concat(p.clauses, p.unwanted) {
		p.contentWords = append(p.contentWords, len(words.Terms(text)))
	}
}

// leaveOutWordless takes out clauses, phrases and unwanted things that have no
// word, such as "!!!": the model would find pictures like punctuation, which are no
// answer to anything.
func (p *plan) leaveOutWordless(parsed *query.Query) {
	p.warnings = slices.Clone(parsed.Warnings)
	if parsed.Or {
		p.notices = append(p.notices, contract.Notice{Code: contract.NoticeOr, Message: query.OrWarning})
	}
	left := 0
	for _, list := range []*[]query.Clause{&parsed.Clauses, &parsed.Phrases, &parsed.Unwanted, &parsed.UnwantedPhrases} {
		*list = slices.DeleteFunc(slices.Clone(*list), func(clause query.Clause) bool {
			wordless := !strings.ContainsFunc(clause.Text, words.SaysSomething)
			if wordless {
				left++
			}
			return wordless
		})
	}
	if left > 0 {
		p.warnings = append(p.warnings, "what has neither letters nor digits was left out of the search")
	}
}

// Validate checks a request as [Searcher.Search] does, without a library or a model: what
// the caller can put right is a [contract.Error].
func Validate(request contract.Request) error {
	options := Options{}.withDefaults()
	_, err := (&Searcher{options: options, calibration: *options.Calibration}).prepare(request)
	return err
}

// prepareFilter turns the typed filters into the library's.
func (p *plan) prepareFilter() error {
	p.filter = p.query.Filters.Filter
	if err := contract.CheckFilter(p.request.Filter); err != nil {
		return err
	}
	switch given := p.request.Filter; {
	case p.filter.IsZero():
		p.filter = given
	case !given.IsZero():
		p.also = &given
	}
	return p.prepareKind()
}

// prepareKind decides whether images or texts are looked for: their scores
// cannot be compared, so it is one or the other.
func (p *plan) prepareKind() error {
	kinds := p.filter.Kinds
	if len(kinds) == 0 && p.also != nil {
		kinds = p.also.Kinds
	}
	p.kind = index.KindImage
	for i, kind := range kinds {
		if kind != index.KindImage && kind != index.KindText {
			return contract.InvalidOption("filter", "use image or text", "there is no kind %v", kind)
		}
		if i > 0 && kind != kinds[0] {
			return contract.InvalidOption("filter", "search for one kind, and then for the other", "images and texts cannot be ranked together")
		}
		p.kind = kind
	}
	p.filter.Kinds = []index.Kind{p.kind}
	return nil
}

// checkAsks refuses a request that asks for nothing.
func (p *plan) checkAsks() error {
	if p.text != "" || p.picture {
		return nil
	}
	filter := p.request.Filter
	filter.Kinds = nil
	if !filter.IsZero() || len(p.query.Filters.Source) > 0 || len(p.asks) > 0 {
		return nil
	}
	if len(p.unwanted) > 0 || len(p.unwantedPhrases) > 0 {
		return &contract.Error{
			Code: contract.CodeNothingWanted, Field: "text", Query: p.request.Text, Position: &contract.Position{Length: max(len([]rune(p.request.Text)), 1)},
			Message: "the query only says what is unwanted", Remedy: "say what you are looking for too, or add a filter",
		}
	}
	if strings.TrimSpace(p.request.Text) != "" {
		return &contract.Error{
			Code: contract.CodeEmptyRequest, Field: "text", Query: p.request.Text, Position: &contract.Position{Length: max(len([]rune(p.request.Text)), 1)},
			Message: "there is no word in the query", Remedy: "write what the picture shows; signs alone say nothing",
		}
	}
	return &contract.Error{Code: contract.CodeEmptyRequest, Field: "text", Message: "there is nothing to search for", Remedy: "give words, an image, a record or a filter"}
}

// rankingKey hashes everything that the order of candidates depends on, but
// the library's state.
func (p *plan) rankingKey() rankingKey {
	r := p.request
	hash := sha256.New()
	encoded, err := json.Marshal(struct {
		Text          string
		Language      string
		Record        index.ID
		Records       []index.ID
		Crop          *contract.Rectangle
		Filter        index.Filter
		Fusion        contract.Fusion
		Weight        float64
		Budget, Count int64
		Listing       contract.Sort
	}{r.Text, r.Language, r.Record, r.Records, r.Crop, r.Filter, r.Fusion, p.weight, int64(max(r.RerankBudget, -1)), int64(r.RerankCount), p.listingSort()})
	if err != nil { // a NaN in a filter: such requests share a key, and find nothing
		encoded = []byte(err.Error())
	}
	hash.Write(encoded)
	for _, image := range append([]*pixels.Image{r.Image}, r.Images...) {
		if image == nil {
			continue
		}
		size := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(image.Width)), uint64(image.Height))
		hash.Write(size)
		hash.Write(image.Pix)
	}
	return rankingKey(hash.Sum(nil))
}

// usesWords reports whether captions, names and metadata have a say.
func (p *plan) usesWords() bool { return p.text != "" && (p.weight < 1 || len(p.phrases) > 0) }

// pictures are those of the query.
func (p *plan) pictures() []inputs.Picture {
	r := p.request
	var found []inputs.Picture
	if r.Image != nil || r.Record != 0 {
		found = append(found, inputs.Picture{Image: r.Image, Record: r.Record, Crop: r.Crop})
	}
	for _, id := range r.Records {
		found = append(found, inputs.Picture{Record: id})
	}
	for _, image := range r.Images {
		found = append(found, inputs.Picture{Image: image})
	}
	return found
}

// listing reports whether the request has only filters, so that there is
// nothing to rank by.
func (p *plan) listing() bool { return p.text == "" && !p.picture }

// listingSort is the order of a listing, which decides what its window holds;
// "" for what is ranked.
func (p *plan) listingSort() contract.Sort {
	switch {
	case !p.listing():
		return ""
	case p.request.Sort == contract.SortDateAscending:
		return contract.SortDateAscending
	}
	return contract.SortDateDescending
}

// reranks reports whether ITM has anything to say on this request.
func (p *plan) reranks() bool {
	return p.kind == index.KindImage && p.request.RerankBudget > 0 && len(p.clauses)+len(p.unwanted) > 0
}
