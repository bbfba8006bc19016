package mcp

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mekiki/server/problem"
)

// advice is what a model can do about a problem, where the problem does not say so itself.
var advice = map[problem.Code]string{
	problem.NotFound:            "Take ids from search_images or find_similar; the record may have been removed since.",
	problem.TooManyRequests:     "Call again in a moment, with fewer calls side by side.",
	problem.Timeout:             "Ask for less: fewer hits, fewer pictures, or a simpler query.",
	problem.Unsupported:         "Go on without this tool and tell the user why.",
	problem.InsufficientStorage: "Tell the user; nothing was changed.",
	"empty_request":             "Give a query in words, or at least one filter.",
	"record_not_found":          "Take ids from search_images or find_similar.",
	"nothing_wanted":            "Name something that hits should show, besides what they should not.",
}

// explain turns an error into what a model is told: what is wrong, where, and what to do.
func (t *Tools) explain(ctx context.Context, name string, err error) error {
	p := problem.From(err)
	if p.Code == problem.Internal {
		t.Logger.ErrorContext(ctx, "tool failed", "tool", name, "error", err)
		if !t.Local {
			return errInternal
		}
		return fmt.Errorf("%w: %w", errInternal, err)
	}
	sentences := []string{p.Reason()}
	for _, field := range p.Errors {
		if said := field.Field + ": " + field.Detail; !strings.Contains(p.Reason(), field.Detail) {
			sentences = append(sentences, said)
		} else if field.Field != "" && !strings.Contains(p.Reason(), field.Field) {
			sentences[0] = field.Field + ": " + sentences[0]
		}
	}
	if p.Position != nil {
		sentences = append(sentences, fmt.Sprintf("at character %d of the query", p.Position.Offset+1))
	}
	if p.Hint != "" {
		sentences = append(sentences, "To mend it: "+p.Hint)
	}
	if p.RetryAfter > 0 {
		sentences = append(sentences, fmt.Sprintf("Try again in %d s", p.RetryAfter))
	}
	if told := advice[p.Code]; told != "" {
		sentences = append(sentences, told)
	}
	for i, sentence := range sentences {
		sentences[i] = strings.TrimSuffix(sentence, ".")
	}
	return errors.New(strings.Join(sentences, ". ") + ".")
}
