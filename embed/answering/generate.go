package answering

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"mekiki/embed/decode"
	"mekiki/embed/lm"
	"mekiki/embed/runner"
	"mekiki/embed/tokenize"
	"mekiki/internal/hint"
)

// Generate implements Answerer. A prompt that leaves no room for a token is ErrPrompt; one that leaves room for fewer than
// Options.MaximumTokens gets these.
func (e *Engine) Generate(ctx context.Context, prompts []Prompt, options decode.Options, written func(prompt int, piece string) error) ([][]Generated, error) {
	if err := options.Validate(); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	options = options.WithDefaults()
	if written != nil && options.Rows() != 1 {
		return nil, fmt.Errorf("answer: pieces of a text are final only when one is written: choose greedy, or nucleus with a count of 1")
	}
	done, err := e.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	ids := make([][]int64, len(prompts))
	for i, prompt := range prompts {
		if ids[i], err = e.read(prompt); err != nil {
			return nil, fmt.Errorf("answer: prompt %d: %w", i, err)
		}
	}
	workers := e.writer.Workers()
	if written != nil {
		workers = 1
	}
	groups, err := e.groups(prompts, ids, options, workers)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	results := make([][]Generated, len(prompts))
	err = runner.FanOut(ctx, workers, len(groups), func(ctx context.Context, i int) error {
		return e.generateGroup(ctx, prompts, ids, groups[i], options, written, results, workers == 1 || len(groups) == 1)
	})
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	return results, nil
}

// read checks a prompt and returns the tokens of its text.
func (e *Engine) read(prompt Prompt) ([]int64, error) {
	if err := e.checkStates(prompt.States); err != nil {
		return nil, fmt.Errorf("image states: %w", err)
	}
	if len(prompt.Text) > mostPromptBytes {
		return nil, shorten(fmt.Errorf("%w: %d bytes, at most %d are read", ErrPrompt, len(prompt.Text), mostPromptBytes))
	}
	ids := e.words.Encode(prompt.Text, 0).IDs
	if len(ids) == 0 && blind(prompt.States) {
		return nil, errors.New("there is neither an image nor a text to go on with")
	}
	if length, most := e.config.QueryTokens+len(ids), e.mostPositions(); length >= most {
		return nil, shorten(fmt.Errorf("%w: %d positions, the image's %d counted; the model has %d", ErrPrompt, length, e.config.QueryTokens, most))
	}
	return ids, nil
}

func shorten(err error) error {
	return hint.Wrap(err, "shorten the question, or leave out earlier turns of the dialogue")
}

// mostPositions is the longest sequence, of T5 that of its encoder.
func (e *Engine) mostPositions() int {
	most := mostPromptPositions
	if own := e.model.Description.Language.Positions; own > 0 {
		most = min(most, own)
	}
	return most
}

// room says how many positions a text of a prompt of a length may take, and how many of them it does before its first
// token.
func (e *Engine) room(length, most int) (prefix, capacity int) {
	if e.writer.HasEncoder() {
		return 1, 1 + most
	}
	prefix = e.config.QueryTokens + length
	if own := e.model.Description.Language.Positions; own > 0 {
		return prefix, min(own, prefix+most)
	}
	return prefix, prefix + most
}

// bytes is about what a prompt of a length needs in memory while it is read and texts are written in so many rows.
func (e *Engine) bytes(length, rows, most int) int64 {
	language := e.config.Language
	positions := int64(e.config.QueryTokens + length)
	_, capacity := e.room(length, most)
	total := 4 * int64(language.Heads) * positions * positions
	if e.writer.HasEncoder() {
		total += 2 * e.writer.RowBytes(int(positions))
	}
	return total + int64(rows)*(e.writer.RowBytes(capacity)+4*int64(e.writer.Vocabulary()))
}

// groups puts prompts of one length together, as many as may be written side by side, and so that all workers have
// something to do; those without an image apart. A group lists positions in ids.
func (e *Engine) groups(prompts []Prompt, ids [][]int64, options decode.Options, workers int) ([][]int, error) {
	type shape struct {
		length int
		blind  bool
	}
	rows := options.Rows()
	byShape := map[shape][]int{}
	var shapes []shape
	for i, tokens := range ids {
		its := shape{len(tokens), blind(prompts[i].States)}
		if len(byShape[its]) == 0 {
			shapes = append(shapes, its)
		}
		byShape[its] = append(byShape[its], i)
	}
	var groups [][]int
	for _, its := range shapes {
		members, length := byShape[its], its.length
		need := e.bytes(length, rows, options.MaximumTokens)
		if need > mostAnswerBytes {
			return nil, hint.Wrap(fmt.Errorf("%d texts of %d tokens would take %d MiB of memory, more than %d", rows, options.MaximumTokens, need>>20, mostAnswerBytes>>20),
				"ask for fewer texts, beams or tokens")
		}
		size := max(1, min(answerRows/rows, int(answerBytes/need), (len(members)+workers-1)/workers))
		groups = slices.AppendSeq(groups, slices.Chunk(members, size))
	}
	return groups, nil
}

// prepare makes what the language model reads of some prompts.
func (e *Engine) prepare(ctx context.Context, prompts []Prompt, ids [][]int64, group []int) ([]lm.Prompt, error) {
	prepared := make([]lm.Prompt, len(group))
	for row, i := range group {
		leave, err := e.writer.Turn(ctx)
		if err != nil {
			return nil, err
		}
		vectors, err := e.project(ctx, prompts[i].States, prompts[i].Text)
		leave()
		if err != nil {
			return nil, err
		}
		prepared[row] = lm.Prompt{Vectors: vectors, Tokens: ids[i]}
	}
	return prepared, nil
}

func (e *Engine) generateGroup(ctx context.Context, prompts []Prompt, ids [][]int64, group []int, options decode.Options,
	written func(prompt int, piece string) error, results [][]Generated, alone bool,
) error {
	prepared, err := e.prepare(ctx, prompts, ids, group)
	if err != nil {
		return err
	}
	prefix, capacity := e.room(len(ids[group[0]]), options.MaximumTokens)
	options.MaximumTokens = capacity - prefix
	options.MinimumTokens = min(options.MinimumTokens, options.MaximumTokens)
	model, first, err := e.writer.Start(ctx, prepared, len(group)*options.Rows(), options.MaximumTokens, alone)
	if err != nil {
		return err
	}
	search := decode.Search{Vocabulary: e.writer.Vocabulary(), Words: e.config.Language.Words, End: e.config.Language.End, Threads: e.model.Options.Threads}
	for row := range group {
		search.Before = append(search.Before, e.before(prepared[row].Tokens, options))
	}
	var told []*pieces
	if written != nil {
		for _, i := range group {
			told = append(told, &pieces{stream: e.words.NewStream(), write: func(piece string) error { return written(i, piece) }})
		}
		search.Written = func(row int, token int64) error {
			if e.isEnd(token) {
				return nil
			}
			return told[row].next(told[row].stream.Next(token))
		}
	}
	found, err := search.Run(ctx, model, first, options)
	if err != nil {
		return err
	}
	for row, i := range group {
		if written != nil {
			if err := told[row].next(told[row].stream.End()); err != nil {
				return err
			}
		}
		results[i] = e.generated(found[row], options.Count)
	}
	return nil
}

// before lists the tokens before a text that count as written.
func (e *Engine) before(ids []int64, options decode.Options) []int64 {
	switch {
	case e.writer.HasEncoder():
		return []int64{e.config.Language.Start}
	case options.CountPrompt:
		return ids
	}
	return nil
}

// generated turns hypotheses into at most count different texts.
func (e *Engine) generated(hypotheses []decode.Hypothesis, count int) []Generated {
	var list []Generated
	seen := map[string]bool{}
	for _, hypothesis := range hypotheses {
		text := e.text(hypothesis.Tokens)
		if seen[text] || len(list) == count {
			continue
		}
		seen[text] = true
		list = append(list, Generated{
			Text: text, LogProbability: float32(hypothesis.LogProbability), Tokens: len(hypothesis.Tokens), Ended: hypothesis.Ended,
		})
	}
	return list
}

// pieces passes on a text as it is written, without the spaces around it.
type pieces struct {
	stream tokenize.Stream
	write  func(piece string) error
	begun  bool
	spaces string // that are part of the text only if more follows
}

func (p *pieces) next(text string) error {
	if !p.begun {
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
	}
	text = p.spaces + text
	trimmed := strings.TrimRightFunc(text, unicode.IsSpace)
	p.spaces = text[len(trimmed):]
	if trimmed == "" {
		return nil
	}
	p.begun = true
	return p.write(trimmed)
}
