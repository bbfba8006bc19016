package queries

import "time"

// rerankJSON is what searches and lookups say of reranking. A missing member
// leaves the choice to the searcher.
type rerankJSON struct {
	Milliseconds *int   `json:"rerank_ms"`
	Count        int    `json:"rerank_count"`
	Show         string `json:"show"`
}

func (r rerankJSON) budget() time.Duration {
	switch {
	case r.Milliseconds == nil:
		return 0
	case *r.Milliseconds == 0:
		return -1
	}
	return time.Duration(*r.Milliseconds) * time.Millisecond
}
