package language

import (
	"bytes"
	"fmt"
	"strings"

	"mekiki/embed/tokenize/bytepair"
)

// gpt2Special is what transformers' GPT2Tokenizer takes for the special tokens
// that no file names.
const gpt2Special = "<|endoftext|>"

// fromMerges makes the tokenizer of a vocab.json and a merges.txt, GPT-2's.
func fromMerges(vocabulary, merges []byte, s *settings) (*definition, error) {
	var ids map[string]int64
	if err := readJSON(vocabulary, &ids, 4*maximumTokens); err != nil {
		return nil, inFile(vocabularyFile, err)
	}
	pairs, err := readMerges(merges)
	if err != nil {
		return nil, inFile(mergesFile, err)
	}
	d := newDefinition(ids)
	if d.model, err = bytepair.New(bytepair.Options{Vocabulary: ids, Merges: pairs, Bytes: true}); err != nil {
		return nil, inFile(mergesFile, err)
	}
	splits := splitters{}
	splits.byteLevel(valueOr(s.prefixSpace, false), true)
	d.split = splits.steps
	d.decode = []decoderSpec{{kind: decodeBytes}}
	for _, role := range []**addedToken{&s.start, &s.end, &s.unknown} {
		nameRole(s, role, gpt2Special)
	}
	return d, nil
}

// readMerges reads a merges.txt: a line of two tokens for each merge.
func readMerges(content []byte) ([]bytepair.Merge, error) {
	lines := bytes.Count(content, []byte("\n")) + 1
	if lines > maximumPairs {
		return nil, fmt.Errorf("%d lines are more than the %d allowed", lines, maximumPairs)
	}
	merges := make([]bytepair.Merge, 0, lines)
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if line == "" || strings.HasPrefix(line, "#version") {
			continue
		}
		left, right, ok := strings.Cut(line, " ")
		if !ok || strings.Contains(right, " ") {
			return nil, fmt.Errorf("line %d, %.40q, is not two tokens", number, line)
		}
		merges = append(merges, bytepair.Merge{Left: left, Right: right})
	}
	return merges, nil
}
