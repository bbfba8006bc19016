package evaluate

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode"

	"mekiki/search"
	"mekiki/search/contract"
)

// writeRanking writes the first hits of a query so that people can read them
// and a change of ranking shows as a difference between two files: rank,
// verdict, file name and caption.
func writeRanking(ctx context.Context, w io.Writer, searcher *search.Searcher, text string, hits int) error {
	response, err := searcher.Search(ctx, contract.Request{Text: text, Limit: hits, RerankBudget: unlimited})
	if err != nil {
		return fmt.Errorf("search %q: %w", text, err)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "query:   %s\nverdict: %s\n\n", text, response.Verdict)
	for _, hit := range response.Hits {
		fmt.Fprintf(&out, "%2d  %-6s %-44s %s\n", hit.Rank, hit.Verdict, filepath.Base(hit.Path), hit.Caption)
	}
	if len(response.Hits) == 0 {
		out.WriteString("nothing matches\n")
	}
	_, err = io.WriteString(w, out.String())
	return err
}

// rankingFileName makes a file name of a query.
func rankingFileName(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	return strings.Trim(b.String(), "_") + ".txt"
}
