// Package search turns a query into ranked hits.
//
// A query is words in the language of package query, a picture, a record of
// the library, a part of a picture, or a picture with words. It runs in five
// steps, each of which leaves its figures in the answer:
//
//  1. Retrieve: image-text contrastive (ITC) candidates from the vector index
//     and BM25 candidates from the keyword index, concurrently, under the same
//     filters.
//  2. Fuse: a convex combination on fixed scales, or reciprocal ranks.
//  3. Rerank: image-text matching (ITM) over the best candidates, clause by
//     clause, within a time budget. Out of budget means fewer reranked.
//  4. Judge: a calibrated probability per hit, and from it a verdict: strong,
//     weak or none. A query that nothing answers returns nothing.
//  5. Explain: what each signal gave each hit.
//
// Searcher is the entry point. Its JSON shapes are a public contract.
package search
