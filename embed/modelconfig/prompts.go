package modelconfig

import (
	"errors"
	"fmt"
	"strings"
)

// CocoImageSize is the side of the models tuned on COCO, which were given other texts.
const CocoImageSize = 364

// PublishedPrompts are the texts that LAVIS's authors evaluated their models with: those whose Q-Former reads the prompt
// (InstructBLIP), and otherwise those pretrained or tuned on COCO.
func PublishedPrompts(instructed, coco bool) Prompts {
	prompts := Prompts{Question: "Question: {} Short answer:", Dialogue: "Question: {} Answer:", Turn: "Question: {} Answer: {}."}
	switch {
	case instructed:
		prompts.Caption, prompts.Question = "A short image description.", "Question: {} Short Answer:"
	case coco:
		prompts.Caption = "a photo of"
	}
	return prompts
}

// Validate reports texts without the places that they need.
func (p Prompts) Validate() error {
	const most = 4096
	var problems []error
	for _, text := range []struct {
		name, text string
		places     int
	}{{"caption", p.Caption, 0}, {"question", p.Question, 1}, {"dialogue", p.Dialogue, 1}, {"turn", p.Turn, 2}} {
		if count := strings.Count(text.text, "{}"); count != text.places {
			problems = append(problems, fmt.Errorf("%s is %.80q, with %d places {} where %d belong", text.name, text.text, count, text.places))
		}
		if len(text.text) > most {
			problems = append(problems, fmt.Errorf("%s has %d bytes; at most %d are supported", text.name, len(text.text), most))
		}
	}
	return errors.Join(problems...)
}
