package language

import (
	"encoding/json"
	"errors"
	"fmt"
)

// processorFile is a post-processor in a tokenizer.json.
type processorFile struct {
	Type       string          `json:"type"`
	Processors []processorFile `json:"processors"`
	Single     []templatePart  `json:"single"`
	Tokens     map[string]struct {
		IDs []int64 `json:"ids"`
	} `json:"special_tokens"`
	Separator *processorToken `json:"sep"`
	Class     *processorToken `json:"cls"`
}

// templatePart is a special token, or the text.
type templatePart struct {
	Special *struct {
		ID string `json:"id"`
	} `json:"SpecialToken"`
	Sequence *struct {
		ID string `json:"id"`
	} `json:"Sequence"`
}

// processorToken is a token and its id, a list of the two.
type processorToken struct{ id int64 }

func (p *processorToken) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{new(string), &p.id})
}

// process notes the special tokens that a post-processor puts around a text.
func (d *definition) process(file *processorFile, depth int) error {
	if depth > maximumStages || len(d.before)+len(d.after) > maximumTemplateIDs {
		return errors.New("too many post-processors")
	}
	switch file.Type {
	case "ByteLevel":
		return nil
	case "Sequence":
		for i := range file.Processors {
			if err := d.process(&file.Processors[i], depth+1); err != nil {
				return err
			}
		}
		return nil
	case "RobertaProcessing", "BertProcessing":
		if file.Class == nil || file.Separator == nil {
			return fmt.Errorf("the post-processor %s lacks a token", file.Type)
		}
		d.before = append([]int64{file.Class.id}, d.before...)
		d.after = append(d.after, file.Separator.id)
		return nil
	case "TemplateProcessing":
		return d.template(file)
	}
	return fmt.Errorf("the post-processor %q is not one of those that are known", file.Type)
}

// template notes the special tokens of a template.
func (d *definition) template(file *processorFile) error {
	var before, after []int64
	texts := 0
	for _, part := range file.Single {
		switch {
		case part.Sequence != nil:
			texts++
		case part.Special != nil:
			token, ok := file.Tokens[part.Special.ID]
			if !ok {
				return fmt.Errorf("the post-processor has no token %q", part.Special.ID)
			}
			if texts == 0 {
				before = append(before, token.IDs...)
			} else {
				after = append(after, token.IDs...)
			}
		}
		if len(before)+len(after) > maximumTemplateIDs {
			return errors.New("too many special tokens around a text")
		}
	}
	if texts != 1 {
		return fmt.Errorf("the post-processor has %d texts where one is wanted", texts)
	}
	d.before = append(before, d.before...)
	d.after = append(d.after, after...)
	return nil
}
