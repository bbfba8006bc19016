package spelling

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"mekiki/search/contract"
	"mekiki/search/scoring"
)

// Propose proposes another query in an answer's DidYouMean, where a first page has few hits, or none that is sure, and the
// library lacks words of the query but has some like them.
func Propose(ctx context.Context, response *contract.Response, libraries ...Library) error {
	if !Wanted(response) {
		return nil
	}
	proposed, err := Proposal(ctx, response.Query, libraries...)
	response.DidYouMean = proposed
	return err
}

// Wanted reports whether an answer leaves room for a proposal.
func Wanted(response *contract.Response) bool {
	return response.Stage.Final() && response.Query != "" && response.Offset == 0 && (response.Total < fewHits || response.Verdict != scoring.VerdictStrong)
}

// Proposal gives a query with words that the library has in place of like ones that it lacks; "" where there is nothing to put
// right. Words that the model or English knows are put right too ("two cast" as "two cats"): a proposal can be left aside, which
// is why [Read], whose reading holds, leaves them. Filters stay as they are. The first of the libraries that has a word like
// another one is believed: an index knows all words, a list of them those with another first letter too.
func Proposal(ctx context.Context, query string, libraries ...Library) (string, error) {
	var words []string
	asked := map[string]bool{}
	eachFree(query, func(word string, isWord bool) {
		if isWord && len(words) < maximumProposed && utf8.RuneCountInString(word) >= leastLetters && !asked[word] {
			asked[word] = true
			words = append(words, word)
		}
	})
	as := map[string]string{}
	for _, library := range libraries {
		if err := askLike(ctx, library, words, as); err != nil {
			return "", err
		}
	}
	if len(as) == 0 {
		return "", nil
	}
	var out strings.Builder
	eachFree(query, func(word string, isWord bool) {
		if better := as[word]; isWord && better != "" {
			word = better
		}
		out.WriteString(word)
	})
	return out.String(), nil
}

// askLike notes what a library has like the words of which nothing like is known yet.
func askLike(ctx context.Context, library Library, words []string, as map[string]string) error {
	left := slices.DeleteFunc(slices.Clone(words), func(word string) bool { return as[word] != "" })
	if len(left) == 0 {
		return nil
	}
	found, err := library.Spellings(ctx, left)
	if err != nil {
		return fmt.Errorf("look for what was meant: %w", err)
	}
	for i, word := range left {
		if i < len(found) && len(found[i]) > 0 {
			as[word] = found[i][0]
		}
	}
	return nil
}

// eachFree visits a query in parts, as eachWord does; of filters nothing is a word.
func eachFree(query string, visit func(part string, isWord bool)) {
	for query != "" {
		token := nextToken(query)
		query = query[len(token):]
		if strings.Contains(token, ":") {
			visit(token, false)
			continue
		}
		eachWord(token, visit)
	}
}

// nextToken gives what a text begins with up to the end of the spaces that follow it outside quotes.
func nextToken(text string) string {
	quoted, ended := false, false
	for i, r := range text {
		if r == '"' {
			quoted = !quoted
		}
		space := unicode.IsSpace(r) && !quoted
		if ended && !space {
			return text[:i]
		}
		ended = ended || space
	}
	return text
}
