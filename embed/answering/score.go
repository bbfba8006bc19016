package answering

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"mekiki/embed/decode"
	"mekiki/embed/lm"
)

// Score implements Answerer. What the continuations have in common, the image and the prompt, is computed once.
func (e *Engine) Score(ctx context.Context, prompt Prompt, continuations []string) ([]float32, error) {
	done, err := e.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	scores, err := e.score(ctx, prompt, continuations)
	if err != nil {
		return nil, fmt.Errorf("score answers: %w", err)
	}
	return scores, nil
}

// begin waits for the turn of an answer, and returns what to call when it is done.
func (e *Engine) begin(ctx context.Context) (done func(), err error) {
	end, err := e.model.Begin()
	if err != nil {
		return nil, err
	}
	leave, err := e.model.Options.Turns.EnterAnswer(ctx)
	if err != nil {
		end()
		return nil, err
	}
	return func() {
		leave()
		end()
	}, nil
}

func (e *Engine) score(ctx context.Context, prompt Prompt, continuations []string) ([]float32, error) {
	if len(continuations) == 0 {
		return nil, nil
	}
	if len(continuations) > mostContinuations {
		return nil, fmt.Errorf("%d continuations are more than %d", len(continuations), mostContinuations)
	}
	ids, err := e.read(prompt)
	if err != nil {
		return nil, err
	}
	tokens, longest := make([][]int64, len(continuations)), 1
	for i, continuation := range continuations {
		if tokens[i], err = e.continuation(prompt.Text, ids, continuation); err != nil {
			return nil, fmt.Errorf("continuation %d: %w", i, err)
		}
		longest = max(longest, len(tokens[i]))
	}
	prefix, capacity := e.room(len(ids), longest)
	if capacity < prefix+longest {
		return nil, shorten(fmt.Errorf("%w: no room for a continuation of %d tokens", ErrPrompt, longest))
	}
	rows := min(answerRows, len(continuations))
	for rows > 1 && e.bytes(len(ids), rows, longest) > answerBytes {
		rows--
	}
	prepared, err := e.prepare(ctx, []Prompt{prompt}, [][]int64{ids}, []int{0})
	if err != nil {
		return nil, err
	}
	model, logits, err := e.writer.Start(ctx, prepared, rows, longest, true)
	if err != nil {
		return nil, err
	}
	first := slices.Clone(logits)
	scores := make([]float32, 0, len(continuations))
	for group := range slices.Chunk(tokens, rows) {
		model.Rewind()
		some, err := e.scoreGroup(ctx, model, first, group)
		if err != nil {
			return nil, err
		}
		scores = append(scores, some...)
	}
	return scores, nil
}

// continuation returns the tokens that the model would write a text with, after a prompt of these tokens.
func (e *Engine) continuation(prompt string, ids []int64, text string) ([]int64, error) {
	if len(text) > mostPromptBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are read", ErrPrompt, len(text), mostPromptBytes)
	}
	var tokens []int64
	last, _ := utf8.DecodeLastRuneInString(prompt)
	switch {
	case e.writer.HasEncoder() || prompt == "":
		tokens = e.words.EncodeContinuation(text)
	case unicode.IsSpace(last) || strings.TrimSpace(text) == "":
		tokens = e.after(prompt, ids, text)
	default: // texts go on with a space
		tokens = e.after(prompt, ids, " "+strings.TrimLeftFunc(text, unicode.IsSpace))
	}
	if len(tokens) > mostContinuationTokens {
		return nil, fmt.Errorf("%w: %d tokens, at most %d are read", ErrPrompt, len(tokens), mostContinuationTokens)
	}
	return tokens, nil
}

// after returns the tokens of a text that goes on with a prompt. Where the whole has other tokens than the prompt alone,
// those of the text alone.
func (e *Engine) after(prompt string, ids []int64, text string) []int64 {
	whole := e.words.Encode(prompt+text, 0).IDs
	if len(whole) >= len(ids) && slices.Equal(whole[:len(ids)], ids) {
		return whole[len(ids):]
	}
	return e.words.EncodeContinuation(text)
}

// scoreGroup adds up the log-probabilities of continuations, a row each; the model is at the end of the prompt, in one row,
// and logits are those of the first token.
func (e *Engine) scoreGroup(ctx context.Context, model *lm.Texts, logits []float32, group [][]int64) ([]float32, error) {
	scores := make([]float64, len(group))
	rows := make([]int, len(group)) // of the continuations that go on, the logits' rows
	alive := make([]int, len(group))
	for i := range alive {
		alive[i] = i
	}
	for length := 0; ; length++ {
		var still, parents []int
		var tokens []int64
		for _, i := range alive {
			next := e.config.Language.End
			if length < len(group[i]) {
				next = group[i][length : length+1]
			}
			value, err := decode.LogProbability(logits[rows[i]*e.writer.Vocabulary():(rows[i]+1)*e.writer.Vocabulary()], next...)
			if err != nil {
				return nil, err
			}
			scores[i] += value
			if length < len(group[i]) {
				still, parents, tokens = append(still, i), append(parents, rows[i]), append(tokens, group[i][length])
			}
		}
		if len(still) == 0 {
			break
		}
		for row, i := range still {
			rows[i] = row
		}
		alive = still
		var err error
		if err = model.Gather(ctx, parents); err != nil {
			return nil, err
		}
		if logits, err = model.Step(ctx, tokens); err != nil {
			return nil, err
		}
	}
	results := make([]float32, len(scores))
	for i, score := range scores {
		results[i] = float32(score)
	}
	return results, nil
}
