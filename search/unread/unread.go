// Package unread says where a search for words in pictures does not see all of them.
package unread

import (
	"context"
	"fmt"
	"slices"

	"mekiki/index"
)

// newestLooked is how many of the newest pictures are asked whether they have been read for words.
const newestLooked = 100

// Message says that a filter of the words in pictures does not see all of them.
const Message = "the words in some pictures have not been read yet, so that text: does not find these; mekiki index --read-words reads them"

// Any reports whether some of the newest pictures, which are read last, have not been read for words.
func Any(ctx context.Context, reader index.Reader) (bool, error) {
	newest, _, err := reader.List(ctx, index.Filter{Kinds: []index.Kind{index.KindImage}}, index.Page{Limit: newestLooked, Order: index.OrderNewest})
	if err != nil {
		return false, fmt.Errorf("list records: %w", err)
	}
	return slices.ContainsFunc(newest, func(r *index.Record) bool { return r.OCR == nil }), nil
}
