package ask

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"mekiki/embed/decode"
	"mekiki/embed/modelconfig"
	"mekiki/internal/hint"
)

// Slot stands for the question in a template of a prompt.
const Slot = "{}"

// Turn is an earlier question of a dialogue, with its answer.
type Turn struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
}

// Question is what pictures are asked.
type Question struct {
	// Text is the question as people put it.
	Text string
	// Template is the prompt, with [Slot] where the question goes; "" means the model's own
	// for questions or, where there is a history, for dialogues.
	Template string
	// History are the earlier turns of a dialogue, the oldest first. As many of the last 32 are read as
	// the model has room for, of each answer the first 1,000 characters.
	History []Turn
	// Dialogue says that a dialogue begins, so that the answer need not be short; a history says so
	// too.
	Dialogue bool
	// Bare says that Text is all that the model is to go on with; it may be empty.
	Bare bool
	// Decode says how the answer is written; its zero value is greedy, at most 30 tokens.
	Decode decode.Options
}

// Validate reports what is wrong with a question.
func (q Question) Validate() error {
	if strings.TrimSpace(q.Text) == "" && !q.Bare {
		return hint.Wrap(fmt.Errorf("there is no question"), `ask something, such as "how many cats are there?"`)
	}
	texts := []string{q.Text}
	for _, turn := range q.History {
		texts = append(texts, turn.Question) // what the model answered may be longer, and is then read in part
	}
	for _, text := range texts {
		if count := utf8.RuneCountInString(text); count > MaximumQuestion {
			return hint.Wrap(fmt.Errorf("a question of %d characters is longer than %d", count, MaximumQuestion), "ask in fewer words")
		}
	}
	switch {
	case q.Bare && (q.Template != "" || len(q.History) > 0):
		return errors.New("a bare prompt has neither a template nor a history")
	case q.Template == "":
		return nil
	}
	if strings.Count(q.Template, Slot) != 1 {
		return hint.Wrap(fmt.Errorf("the prompt %q must have one %s, where the question goes", q.Template, Slot), `write it as in "Question: {} Short answer:"`)
	}
	if utf8.RuneCountInString(q.Template) > MaximumQuestion {
		return fmt.Errorf("the prompt is longer than %d characters", MaximumQuestion)
	}
	return nil
}

// prompt gives all that comes before the answer.
func (q Question) prompt(prompts modelconfig.Prompts) string {
	if q.Bare {
		return q.Text
	}
	template := q.Template
	if template == "" {
		if template = prompts.Question; (q.Dialogue || len(q.History) > 0) && prompts.Dialogue != "" {
			template = prompts.Dialogue
		}
	}
	var parts []string
	if prompts.Turn != "" {
		for _, turn := range lastTurns(q.History) {
			text := strings.Replace(prompts.Turn, Slot, oneLine(turn.Question), 1)
			at := strings.LastIndex(text, Slot)
			if at < 0 {
				continue
			}
			// The template brings the full stop.
			answer := strings.TrimRight(firstCharacters(oneLine(turn.Answer), maximumAnswer), ".")
			parts = append(parts, text[:at]+answer+text[at+len(Slot):])
		}
	}
	return strings.Join(append(parts, strings.Replace(template, Slot, oneLine(q.Text), 1)), " ")
}

// lastTurns gives as much of the end of a history as is ever read.
func lastTurns(history []Turn) []Turn { return history[max(0, len(history)-maximumTurns):] }

// firstCharacters gives the beginning of a text.
func firstCharacters(text string, count int) string {
	for at := range text {
		if count == 0 {
			return text[:at]
		}
		count--
	}
	return text
}

// oneLine takes line ends and double spaces out: a line end is what ends an answer of
// some models.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Caption asks a model for a caption: it goes on with prompt, or with its own where that is nil, as BLIP-2's published
// captions were written (five beams, at least eight tokens, less weight on what was written before).
func Caption(prompts modelconfig.Prompts, prompt *string) Question {
	text := prompts.Caption
	if prompt != nil {
		text = *prompt
	}
	penalty := 0.0
	return Question{Text: text, Bare: true, Decode: decode.Options{
		Method: decode.Beam, Beams: captionBeams, MinimumTokens: captionFewest, MaximumTokens: captionTokens, LengthPenalty: &penalty,
		RepetitionPenalty: captionRepetition,
	}}
}
