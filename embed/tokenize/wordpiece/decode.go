package wordpiece

import "strings"

// Decode implements tokenize.Tokenizer: pieces are joined to words, words by spaces, and
// the spaces before punctuation and around apostrophes are removed as
// transformers does in decode(skip_special_tokens=True,
// clean_up_tokenization_spaces=True). The text is lower case.
func (t *Tokenizer) Decode(ids []int64) string {
	var text strings.Builder
	for _, id := range ids {
		if t.special.has(id) || id < 0 || id >= int64(len(t.tokens)) {
			continue
		}
		token := t.tokens[id]
		if piece, ok := strings.CutPrefix(token, continuation); ok && text.Len() > 0 {
			text.WriteString(piece)
			continue
		}
		if text.Len() > 0 {
			text.WriteByte(' ')
		}
		text.WriteString(token)
	}
	return cleanUp(strings.TrimSpace(text.String()))
}

// cleanUp removes the spaces that splitting at punctuation made, in the order
// in which transformers' clean_up_tokenization does: the steps overlap, so one
// pass over all of them at once would differ.
func cleanUp(text string) string {
	for _, pair := range [...][2]string{
		{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"},
		{" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
	} {
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	return text
}
