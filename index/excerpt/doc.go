// Package excerpt shows a part of a library: the pictures of one collection, to whoever was given a link to it. What a request
// may see travels with its context, and a guarded library gives it readers that know nothing else, so that no handler has to
// think of it. A guarded library passes writes on as they are: keep those who see an excerpt from making any.
package excerpt

import (
	"context"
	"crypto/sha256"
	"fmt"

	"mekiki/index"
	"mekiki/internal/lru"
)

// Terms say what of a library can be seen.
type Terms struct {
	// Collection names the collection whose pictures are shown, as they are when they are asked for: not those that are hidden
	// or in the trash, and no texts.
	Collection string
	// Details says that what is known of a picture is shown too: names of files and folders, tags, people, cameras, places.
	// Without it a picture has its title, description, captions, date and size.
	Details bool
}

type termsKey struct{}

// With gives a context whose requests see no more than terms say.
func With(ctx context.Context, terms Terms) context.Context {
	return context.WithValue(ctx, termsKey{}, terms)
}

// Of gives the terms of a context; false where there are none and everything can be seen.
func Of(ctx context.Context) (Terms, bool) {
	terms, found := ctx.Value(termsKey{}).(Terms)
	return terms, found
}

// Apart gives the key of what is remembered of a library for the readers of a context: that which it was given where everything
// can be seen, and another one for every excerpt, so that nobody is answered with what was made for somebody else.
func Apart(ctx context.Context, key [sha256.Size]byte) [sha256.Size]byte {
	terms, restricted := Of(ctx)
	if !restricted {
		return key
	}
	return sha256.Sum256(fmt.Appendf(key[:], "%t %q", terms.Details, terms.Collection))
}

// source gives readers that show what the context they are made with allows. Safe for concurrent use.
type source struct {
	index.Source
	shown *lru.Cache[shownKey, *shown]
}

// library is a source that is written to as well.
type library struct {
	*source
	index.Writer
}

// GuardSource guards what gives readers.
func GuardSource(of index.Source) index.Source { return guard(of) }

// Guard guards a library.
func Guard(of index.Library) index.Library { return library{guard(of), of} }

func guard(of index.Source) *source { return &source{of, lru.New[shownKey, *shown](keptExcerpts)} }

// Reader gives all of the library as it is now, or what the terms of ctx show of it.
func (s *source) Reader(ctx context.Context) (index.Reader, error) {
	reader, err := s.Source.Reader(ctx)
	terms, restricted := Of(ctx)
	if err != nil || !restricted {
		return reader, err
	}
	seen, err := s.shownBy(ctx, reader, terms)
	if err != nil {
		_ = reader.Close() // the error is the other one
		return nil, err
	}
	return &excerptReader{reader: reader, terms: terms, shown: seen}, nil
}
