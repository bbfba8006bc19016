package contract

import (
	"math"
	"time"

	"mekiki/index"
	"mekiki/index/facets"
	"mekiki/search/scoring"
)

// Stage says how far an answer has come.
type Stage string

// The stages. Stream yields a StageFirst answer followed by a StageReranked
// one, or, where there is nothing to rerank, a single StageFinal answer.
// Where matching takes long, StageMatching answers come between the two.
// Search gives the last of them.
const (
	StageFirst Stage = "first"
	// StageMatching has only hits that ITM has read, with the probability that they keep;
	// the next answer has them too.
	StageMatching Stage = "matching"
	StageReranked Stage = "reranked"
	StageFinal    Stage = "final"
	// StageAsking comes before the last one where hits are asked, once and then as answers come:
	// hits are those that no answer has ruled out yet.
	StageAsking Stage = "asking"
)

// Final reports whether no further answer of a stream follows.
func (s Stage) Final() bool { return s == StageReranked || s == StageFinal }

// Basis says what a hit's probability rests on.
type Basis string

// The bases.
const (
	// BasisMatch: ITM read the picture and the words together.
	BasisMatch Basis = "match"
	// BasisVector: estimated from ITC alone; not yet, or not, checked by ITM.
	BasisVector Basis = "vector"
	// BasisWords: the words stand in the names or metadata of the record.
	BasisWords Basis = "words"
	// BasisSimilarity: the likeness of two pictures. The probability is then
	// the chance that they show a thing of one kind.
	BasisSimilarity Basis = "similarity"
	// BasisFilter: the query has filters only; everything they leave is a hit.
	BasisFilter Basis = "filter"
)

// Response is one answer, or one page of it.
type Response struct {
	// Query is the text as it was asked.
	Query string `json:"query"`
	// Understood is what the query was read as; nil without words.
	Understood *Understood `json:"understood,omitempty"`
	// Translated says what the words were translated into; nil where they were not.
	Translated *Translated `json:"translated,omitempty"`
	// Spelled says which words were read as others, since neither the library nor the model nor English has them.
	Spelled []Spelling `json:"spelled,omitempty"`
	// Hits are in order; never nil, so that JSON has a list.
	Hits []Hit `json:"hits"`
	// Total counts the hits of all pages.
	Total int `json:"total"`
	// TotalIsLowerBound says that the candidate window was full, so that there
	// may be more hits than Total.
	TotalIsLowerBound bool `json:"total_is_lower_bound"`
	// Hidden counts the candidates judged below what is shown.
	Hidden int `json:"hidden"`
	// Asked says what became of the questions, in their order.
	Asked []Asked `json:"asked,omitempty"`
	// Filtered are the records that were asked and answered otherwise than asked for, the best first,
	// without a rank: each says why in Reason.
	Filtered []Hit `json:"filtered,omitempty"`
	// Offset is the number of hits before this page.
	Offset int `json:"offset"`
	// Next is the offset of the following page; 0 at the end.
	Next int `json:"next,omitempty"`
	// Cursor asks for the following page as Request.Cursor, with the very
	// ranking of this one; "" at the end.
	Cursor string `json:"cursor,omitempty"`
	// Verdict is that of the best candidate; none means nothing matches.
	Verdict scoring.Verdict `json:"verdict"`
	// Stage says how far the answer has come.
	Stage Stage `json:"stage"`
	// Reranked counts the candidates that ITM has read.
	Reranked int `json:"reranked"`
	// RerankPlanned counts those it was asked to read; Reranked is smaller
	// when the budget ran out.
	RerankPlanned int `json:"rerank_planned"`
	// Candidates counts what retrieval proposed.
	Candidates int `json:"candidates"`
	// Searched counts the records of the kind that the library has, those that
	// no filter lets pass included.
	Searched int `json:"searched"`
	// Timings say where the time went.
	Timings Timings `json:"timings"`
	// Warnings name what the reader should know, such as a text cut short.
	Warnings []string `json:"warnings,omitempty"`
	// Notices are those of the warnings that a program can act on.
	Notices []Notice `json:"notices,omitempty"`
	// DidYouMean is the query with words that the library has in place of ones that it lacks and that
	// differ by a letter or two, where there are few hits; "" for none.
	DidYouMean string `json:"did_you_mean,omitempty"`
}

// Notice is a warning that a program can act on.
type Notice struct {
	Code NoticeCode `json:"code"`
	// Message is the warning.
	Message string `json:"message"`
	// Query is what to ask instead; "" where nothing can be proposed.
	Query string `json:"query,omitempty"`
}

// NoticeCode names one kind of notice. Codes are a public contract.
type NoticeCode string

// The codes of notices.
const (
	// NoticeOr: OR was read as a plain word.
	NoticeOr NoticeCode = "or_is_a_word"
	// NoticeUnread: the model reads nothing of the text.
	NoticeUnread NoticeCode = "unread_script"
	// NoticeNoTranslator: no translator is installed for the language of the words.
	NoticeNoTranslator NoticeCode = "no_translator"
	// NoticePhrase: no record has the words in quotes; Query has them without quotes.
	NoticePhrase NoticeCode = "phrase_not_found"
	// NoticeEnd: the list ends where the search stopped looking, and there may be more.
	NoticeEnd NoticeCode = "end_of_window"
	// NoticeUnreadPictures: words in pictures were looked for, and some pictures have not been read for words.
	NoticeUnreadPictures NoticeCode = "pictures_not_read"
)

// Facets are the hits of a request, counted by what filters ask of them.
type Facets struct {
	// Total is how many hits were counted, and TotalIsLowerBound says that there may be more.
	Total             int  `json:"total"`
	TotalIsLowerBound bool `json:"total_is_lower_bound"`
	// Facets are in the order of the table of filters.
	Facets []facets.Facet `json:"facets"`
	// Warnings name what the reader should know.
	Warnings []string `json:"warnings,omitempty"`
}

// Timings are in milliseconds of wall time. VectorMS and KeywordMS overlap.
type Timings struct {
	ParseMS   float64 `json:"parse_ms"`
	EmbedMS   float64 `json:"embed_ms"`
	VectorMS  float64 `json:"vector_ms"`
	KeywordMS float64 `json:"keyword_ms"`
	FuseMS    float64 `json:"fuse_ms"`
	RerankMS  float64 `json:"rerank_ms"`
	AskMS     float64 `json:"ask_ms,omitempty"`
	TotalMS   float64 `json:"total_ms"`
}

// Plus adds the times of what was done one after the other.
func (t Timings) Plus(more Timings) Timings {
	t.EmbedMS += more.EmbedMS
	t.VectorMS += more.VectorMS
	t.KeywordMS += more.KeywordMS
	t.FuseMS += more.FuseMS
	return t
}

// Milliseconds gives the wall time since a moment.
func Milliseconds(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1000 }

// Round keeps the digits that mean something, so that answers read well.
func Round(value float64) float64 { return math.Round(value*1e6) / 1e6 }

// Translated is a query in the language that the model reads. Captions and names are searched in both.
type Translated struct {
	// From and To are base languages, such as "ja" and "en".
	From string `json:"from"`
	To   string `json:"to"`
	// Text is the words that were looked for.
	Text string `json:"text"`
	// Query is the whole query with these words in place of the others: what to ask to change them.
	Query string `json:"query"`
}

// Understood shows what a query text was read as.
type Understood struct {
	// Clauses are the wanted clauses, each checked by ITM on its own.
	Clauses []string `json:"clauses,omitempty"`
	// Phrases must stand in the record's words.
	Phrases []string `json:"phrases,omitempty"`
	// Unwanted are the clauses that must not match.
	Unwanted []string `json:"unwanted,omitempty"`
	// UnwantedPhrases must not stand in the record's words.
	UnwantedPhrases []string `json:"unwanted_phrases,omitempty"`
	// Asks are the questions to the pictures found, as typed.
	Asks []string `json:"asks,omitempty"`
	// Filters are as typed, such as `camera:"Nikon Z6"`.
	Filters []string `json:"filters,omitempty"`
}

// Hit is one record of the answer.
type Hit struct {
	// Rank is the place in the whole ranking, from 1.
	Rank int `json:"rank"`
	// ID names the record.
	ID index.ID `json:"id,string"`
	// Kind is "image" or "text".
	Kind string `json:"kind"`
	// Path is where the file lies; "" for a text record. Of several files it is
	// one that is there, passes the folder filter and has the query's words in
	// its name, as far as there is such a one, in this order.
	Path string `json:"path"`
	// Paths are those of all files that hold the picture; empty for a text.
	Paths []string `json:"paths"`
	// Missing says that none of these files is there any more.
	Missing bool `json:"missing,omitempty"`
	// Name is what an uploaded file was called where it came from, with the
	// folder it was put in; "" for files whose path says it.
	Name string `json:"name,omitempty"`
	// Caption is the picture's best caption; "" without one.
	Caption string `json:"caption"`
	// Text is the text of a text record.
	Text string `json:"text,omitempty"`
	// Title is from the file's metadata.
	Title string `json:"title,omitempty"`
	// Format is the image format, such as "jpeg".
	Format string `json:"format,omitempty"`
	// Width and Height are the picture's upright size in pixels.
	Width  int `json:"width,omitempty"`
	Height int `json:"height,omitempty"`
	// Taken is the date from the metadata; nil when it says none.
	Taken *time.Time `json:"taken,omitempty"`
	// Tags are the record's own.
	Tags []string `json:"tags,omitempty"`
	// Score orders hits within one answer, as Probability does, but does not
	// round to 0 or 1; higher is better.
	Score float64 `json:"score"`
	// Probability is the calibrated chance that the hit answers the query,
	// 0 to 1; what it rests on is Basis.
	Probability float64 `json:"probability"`
	// Verdict is what the probability means.
	Verdict scoring.Verdict `json:"verdict"`
	// Basis is what the probability rests on.
	Basis Basis `json:"basis"`
	// Reason is one readable line of why the hit is here.
	Reason string `json:"reason"`
	// Answer is what the picture answered to the first question, and AnswerProbability the model's
	// probability of this very text.
	Answer            string  `json:"answer,omitempty"`
	AnswerProbability float64 `json:"answer_probability,omitempty"`
	// Answers are those to all questions, where there are several.
	Answers []HitAnswer `json:"answers,omitempty"`
	// Highlights are the words of what is shown that the query's words matched, when the request asked for them.
	Highlights []Highlight `json:"highlights,omitempty"`
	// Explanation is there when the request asked for it.
	Explanation *Explanation `json:"explanation,omitempty"`
	// Record is what the library knows of it. The caller must not change it.
	Record *index.Record `json:"-"`
}

// Spelling is a word as it was typed, and the library's word that it was read as.
type Spelling struct {
	Word string `json:"word"`
	As   string `json:"as"`
}

// Highlight marks the words of one text of a hit that the query's words matched.
type Highlight struct {
	// Field is "caption", "title", "name" (the file's, without folders), "tag", "ocr" (a line of words in the picture) or
	// "text", and Text the text itself.
	Field string `json:"field"`
	Text  string `json:"text"`
	// Words are the places in Text, in order and without overlap. Matching ignores case, accents and endings.
	Words []Position `json:"words"`
}

// Explanation is the part each signal played in one hit. A nil pointer means
// that the signal had no say.
type Explanation struct {
	// Vector is the ITC leg.
	Vector *Leg `json:"vector,omitempty"`
	// Keyword is the BM25 leg.
	Keyword *Leg `json:"keyword,omitempty"`
	// Similarity is the likeness to the query's picture.
	Similarity *Leg `json:"similarity,omitempty"`
	// Fused is the score after fusion, and FusedRank its place, from 1.
	Fused     float64 `json:"fused"`
	FusedRank int     `json:"fused_rank"`
	// Match is ITM; nil when the budget did not reach this hit.
	Match *MatchExplanation `json:"match,omitempty"`
	// Words are the keyword matches by field, with the matched words marked.
	Words []FieldMatch `json:"words,omitempty"`
	// NameCoverage is the share of the query's words found in names and
	// metadata, 0 to 1; NameProbability is what that was worth.
	NameCoverage    float64 `json:"name_coverage"`
	NameProbability float64 `json:"name_probability"`
	// Evidence is what the scoring model saw of the clause that decides.
	Evidence []FeatureExplanation `json:"evidence,omitempty"`
	// Part is the number of the image part (query token) that was nearest.
	Part int `json:"part"`
}

// FeatureExplanation is one feature of the scoring model.
type FeatureExplanation struct {
	// Feature is its name, as docs/ranking.md defines it.
	Feature string `json:"feature"`
	// Value is the feature's, and Adds what it added to the log-odds of the clause.
	Value float64 `json:"value"`
	Adds  float64 `json:"adds"`
}

// Leg is what one retrieval leg gave a hit.
type Leg struct {
	// Score is the leg's own: a cosine, or BM25.
	Score float64 `json:"score"`
	// Scaled is Score on the fixed scale from 0 to 1.
	Scaled float64 `json:"scaled"`
	// Rank is the place in the leg's own list, from 1; 0 when the leg did not
	// propose the hit and its score was computed afterwards.
	Rank int `json:"rank"`
	// Contribution is what the leg added to the fused score, where a request gave a
	// weight or another fusion; else 0, since the scoring model fuses.
	Contribution float64 `json:"contribution"`
}

// MatchExplanation is what ITM said.
type MatchExplanation struct {
	// Score is the published rule: the lowest clause's ITM logit, plus ITC.
	Score float64 `json:"score"`
	// Probability is the calibrated one, over all clauses.
	Probability float64 `json:"probability"`
	// Clauses are in the order of the query.
	Clauses []ClauseMatch `json:"clauses"`
}

// ClauseMatch is ITM's answer on one clause.
type ClauseMatch struct {
	Text     string `json:"text"`
	Unwanted bool   `json:"unwanted"`
	// Logit is ITM's raw positive logit.
	Logit float64 `json:"logit"`
	// Raw is ITM's own softmax.
	Raw float64 `json:"raw"`
	// Probability is the calibrated chance that the clause holds; for an
	// unwanted clause, that it is absent.
	Probability float64 `json:"probability"`
}

// FieldMatch shows the words that matched in one field.
type FieldMatch struct {
	// Field is the keyword index's name of it, such as "caption" or "name".
	Field string `json:"field"`
	// Fragments hold text escaped for HTML, the matched words between <mark>
	// and </mark>.
	Fragments []string `json:"fragments"`
}
