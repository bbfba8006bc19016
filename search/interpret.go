package search

import (
	"context"
	"errors"
	"slices"
	"strings"

	"mekiki/embed/translate"
	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/spelling"
	"mekiki/search/translation"
)

// interpret puts the words of a plan into the language that the model reads, where they are in another one that a translator
// reads. Where none does, or the translator fails, the words stay as they are, and the answer says so.
func (s *Searcher) interpret(ctx context.Context, p *plan) error {
	texts := slices.Concat(p.clauses, p.unwanted)
	if s.options.Interpreter == nil || len(texts) == 0 {
		return nil
	}
	found, err := s.options.Interpreter.IntoEnglish(ctx, texts, p.request.Language)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, translation.ErrNoTranslator):
		p.noTranslator(found.From)
		return nil
	case errors.Is(err, translate.ErrTooLong):
		p.warnings = append(p.warnings, "the words are too many to be translated, and were searched as they are")
		return nil
	case err != nil:
		s.logger.WarnContext(ctx, "translate a query", "error", err)
		p.warnings = append(p.warnings, "the words could not be translated, and were searched as they are")
		return nil
	case found == nil:
		return nil
	}
	p.translate(found)
	return nil
}

// noTranslator says that no translator reads the words, and how to get one.
func (p *plan) noTranslator(language string) {
	p.warnings = append(p.warnings, translation.Missing(language))
	p.notices = append(p.notices, contract.Notice{Code: contract.NoticeNoTranslator, Message: translation.Missing(language)})
}

// translate puts translated words in place of those that were asked. One of which nothing is left stays.
func (p *plan) translate(found *translation.Translation) {
	p.originals = slices.Concat(p.clauses, p.unwanted)
	translated := slices.Clone(found.Texts)
	for i, text := range translated {
		if translated[i] = strings.Join(strings.Fields(text), " "); translated[i] == "" {
			translated[i] = p.originals[i]
		}
	}
	p.clauses, p.unwanted = translated[:len(p.clauses):len(p.clauses)], translated[len(p.clauses):]
	p.text = strings.Join(p.clauses, " ")
	p.countWords()
	p.translated = &contract.Translated{From: found.From, To: found.To, Text: strings.Join(translated, ", "), Query: p.query.Reworded(p.clauses, p.unwanted)}
}

// respell reads mistyped words of a plan as words of the library.
func (s *Searcher) respell(ctx context.Context, snapshot index.Reader, p *plan) (err error) {
	if p.translated != nil || len(p.clauses) == 0 {
		return nil
	}
	if p.clauses, p.spelled, err = spelling.Read(ctx, snapshot, s.engine, p.clauses); err != nil || p.spelled == nil {
		return err
	}
	p.warnings = append(p.warnings, spelling.Warnings(p.spelled)...)
	p.text = strings.Join(p.clauses, " ")
	p.countWords()
	return nil
}

// keywords is what the keyword index is asked for: the words, in both languages where they were translated.
func (p *plan) keywords() string {
	if p.originals == nil {
		return p.text
	}
	return p.text + " " + strings.Join(p.originals[:len(p.clauses)], " ")
}
