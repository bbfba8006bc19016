package evaluate

import "mekiki/search/evaluate/statistics"

// Report is what an evaluation found. Its JSON is a public contract.
type Report struct {
	// Dataset and Model name what was evaluated; Fingerprint identifies the
	// model.
	Dataset     string `json:"dataset"`
	Model       string `json:"model,omitempty"`
	Fingerprint string `json:"fingerprint"`
	// Images and Texts are what is searched.
	Images int `json:"images"`
	Texts  int `json:"texts,omitempty"`
	// K is the number of candidates that ITM reads.
	K int `json:"k"`
	// TextToImage has captions as queries and pictures as answers.
	TextToImage *Modes `json:"text_to_image,omitempty"`
	// ImageToText has pictures as queries and captions as answers.
	ImageToText *Modes `json:"image_to_text,omitempty"`
	// NameQueries ask by file name and other names.
	NameQueries *Modes `json:"name_queries,omitempty"`
	// FreePhrasing asks in words and forms that training never used.
	FreePhrasing *Modes `json:"free_phrasing,omitempty"`
	// Partial asks in a few words, each for a part of its pictures.
	Partial *Modes `json:"partial,omitempty"`
	// SelfCheck asks for each picture by its own generated caption.
	SelfCheck *Modes `json:"self_check,omitempty"`
	// NearMisses sets captions against wrong but near ones.
	NearMisses *NearMisses `json:"near_misses,omitempty"`
	// Verdicts say how often the answer's verdict is right.
	Verdicts *Verdicts `json:"verdicts,omitempty"`
	// Approximate compares the vector index with an exact scan.
	Approximate *Approximate `json:"approximate,omitempty"`
	// Latency is of queries without reranking, by stage.
	Latency *Latency `json:"latency,omitempty"`
	// Seconds is what the evaluation took.
	Seconds float64 `json:"seconds"`
}

// Modes are the ways of ranking. Nil ones were not measured.
type Modes struct {
	// ITC is vectors alone; ITCITM reranks its first K by what ITM
	// and ITC say, weighed by the model's calibration.
	ITC    *statistics.Recall `json:"itc,omitempty"`
	ITCITM *statistics.Recall `json:"itc_itm,omitempty"`
	// Hybrid is vectors and words; HybridITM reranks its first K.
	Hybrid    *statistics.Recall `json:"hybrid,omitempty"`
	HybridITM *statistics.Recall `json:"hybrid_itm,omitempty"`
}

// Share is a percentage with its 95 % bootstrap interval.
type Share struct {
	Percent  float64    `json:"percent"`
	Interval [2]float64 `json:"interval"`
	Count    int        `json:"count"`
}

// NearMisses is how often the right caption beats the wrong one.
type NearMisses struct {
	// ITM compares logits, ITC cosines, and Score the published sums.
	ITM   Share `json:"itm"`
	ITC   Share `json:"itc"`
	Score Share `json:"score"`
	// Edits has ITM's share by what was changed in the wrong caption.
	Edits map[string]Share `json:"edits,omitempty"`
}

// Verdicts is how often verdicts are right, set by set.
type Verdicts struct {
	// Answered are sets of queries that some picture answers, Unanswered those
	// that none does.
	Answered   []VerdictSet `json:"answered,omitempty"`
	Unanswered []VerdictSet `json:"unanswered,omitempty"`
}

// VerdictSet is how often verdicts are right for one set of queries. Hits that
// may be called right or wrong count neither way.
type VerdictSet struct {
	// Name says what is asked, such as "captions".
	Name string `json:"name"`
	// Strong is how many queries get a strong hit, and Shown how many get a
	// strong or a weak one.
	Strong Share `json:"strong"`
	Shown  Share `json:"shown"`
	// StrongHits and ShownHits compare the hits with the right pictures. They
	// are there where the queries have any.
	StrongHits *PrecisionRecall `json:"strong_hits,omitempty"`
	ShownHits  *PrecisionRecall `json:"shown_hits,omitempty"`
}

// PrecisionRecall compares hits with right answers, over all queries of a set.
type PrecisionRecall struct {
	// Precision is the percentage of hits that are right, Recall that of right
	// pictures that are hits.
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	// Hits and Right are what they are percentages of.
	Hits  int `json:"hits"`
	Right int `json:"right"`
}

// Approximate is how much of the exact answer the vector index finds.
type Approximate struct {
	// Recall10 and Recall100 are percentages of the exact first 10 and 100.
	Recall10  float64 `json:"recall_10"`
	Recall100 float64 `json:"recall_100"`
	Queries   int     `json:"queries"`
}

// Latency is in milliseconds.
type Latency struct {
	Total   Percentiles `json:"total"`
	Embed   Percentiles `json:"embed"`
	Vector  Percentiles `json:"vector"`
	Keyword Percentiles `json:"keyword"`
	Fuse    Percentiles `json:"fuse"`
	Queries int         `json:"queries"`
}

// Percentiles of a time in milliseconds.
type Percentiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// shareOf summarises yes and no answers, which are clustered by picture.
func shareOf(yes []bool, clusters []int) Share {
	if len(yes) == 0 {
		return Share{}
	}
	outcomes := make([]statistics.Outcome, len(yes))
	for i, answer := range yes {
		outcomes[i].Cluster = i
		if clusters != nil {
			outcomes[i].Cluster = clusters[i]
		}
		if answer {
			outcomes[i].Rank = 1
		}
	}
	percent, interval := statistics.MeanWithInterval(outcomes, func(o statistics.Outcome) float64 { return float64(100 * o.Rank) })
	return Share{Percent: percent, Interval: interval, Count: len(yes)}
}
