package language

import (
	"errors"
	"fmt"
	"slices"
)

// definition is a tokenizer while it is put together.
type definition struct {
	vocabulary map[string]int64 // of the model, without added tokens
	model      model
	normalize  normalizers
	split      []splitter
	decode     []decoderSpec
	cleanUp    bool // transformers' clean-up applies where it is asked for
	before     []int64
	after      []int64
	templated  bool // before and after are said by a file

	added   []int64 // ids, in the order they were added
	tokens  map[int64]addedToken
	ids     map[string]int64 // of added tokens
	special map[string]bool
	largest int64 // of the added tokens' ids

	addedBytes int
}

func newDefinition(vocabulary map[string]int64) *definition {
	return &definition{
		vocabulary: vocabulary,
		tokens:     map[int64]addedToken{},
		ids:        map[string]int64{},
		special:    map[string]bool{},
		largest:    -1,
	}
}

// add adds a token, or changes the properties of one that is there, and returns
// its id: the vocabulary's or, where it is new, the next free.
func (d *definition) add(token addedToken) (int64, error) {
	if token.Content == "" {
		return noToken, nil
	}
	id, ok := d.lookUp(token.Content)
	if !ok {
		id = max(int64(len(d.vocabulary)), d.largest+1)
	}
	d.addedBytes += len(token.Content)
	if len(token.Content) > maximumTokenBytes || d.addedBytes > maximumAddedBytes || len(d.tokens) >= maximumAdded || id >= maximumTokens {
		return noToken, fmt.Errorf("the added token %.40q is too long, or one too many", token.Content)
	}
	if _, ok := d.tokens[id]; !ok {
		d.added = append(d.added, id)
	}
	d.tokens[id] = token
	d.ids[token.Content] = id
	d.largest = max(d.largest, id)
	if token.Special {
		d.special[token.Content] = true
	}
	return id, nil
}

// lookUp returns the id of a token.
func (d *definition) lookUp(token string) (int64, bool) {
	if id, ok := d.ids[token]; ok {
		return id, true
	}
	id, ok := d.vocabulary[token]
	return id, ok
}

// addSettings adds the tokens that tokenizer_config.json and the files beside it
// name, in transformers' order.
func (d *definition) addSettings(s *settings) error {
	for _, token := range s.added {
		if isNamed := slices.ContainsFunc(s.named, func(n addedToken) bool { return n.Content == token.Content }); isNamed {
			token.Special = true
		}
		if _, err := d.add(token); err != nil {
			return err
		}
	}
	for _, token := range slices.Concat(s.named, s.extra) {
		if _, ok := d.ids[token.Content]; ok {
			continue
		}
		if _, err := d.add(token); err != nil {
			return err
		}
	}
	return nil
}

// build makes the tokenizer.
func (d *definition) build(s *settings) (*Tokenizer, error) {
	if err := d.addSettings(s); err != nil {
		return nil, err
	}
	size := d.largest + 1
	for _, id := range d.vocabulary {
		size = max(size, id+1)
	}
	if size > maximumTokens {
		return nil, fmt.Errorf("ids up to %d are more than the %d allowed", size-1, maximumTokens)
	}
	t := &Tokenizer{
		tokens:    make([]string, size),
		special:   make([]bool, size),
		ids:       make(map[string]int64, len(d.vocabulary)+len(d.ids)),
		verbatim:  newMatcher(),
		found:     newMatcher(),
		normalize: d.normalize.steps,
		split:     d.split,
		model:     d.model,
		decode:    d.decode,
		cleanUp:   d.cleanUp && s.cleanUp,
		cutLeft:   s.cutLeft,
	}
	for token, id := range d.vocabulary {
		if id < 0 {
			return nil, fmt.Errorf("token %q has the id %d", token, id)
		}
		t.tokens[id], t.ids[token] = token, id
	}
	d.placeAdded(t)
	for id, token := range t.tokens {
		t.special[id] = d.special[token]
	}
	t.named = named{d.role(s.start), d.role(s.end), d.role(s.unknown), d.role(s.padding)}
	return t, d.surround(t, s)
}

// placeAdded puts the added tokens where they are looked for.
func (d *definition) placeAdded(t *Tokenizer) {
	for _, id := range d.added {
		token := d.tokens[id]
		t.ids[token.Content] = id
		text := token.Content
		if !token.Normalized {
			t.verbatim.add(text, token, id)
			t.tokens[id] = text
			continue
		}
		for _, step := range t.normalize {
			text = step(text)
		}
		t.found.add(text, token, id)
		t.tokens[id] = text
	}
}

// role returns the id of a special token with a role.
func (d *definition) role(token *addedToken) int64 {
	if token != nil {
		if id, ok := d.lookUp(token.Content); ok {
			return id
		}
	}
	return noToken
}

// surround notes the special tokens around a text: those of the file, or else
// those that the settings ask for.
func (d *definition) surround(t *Tokenizer, s *settings) error {
	t.before, t.after = d.before, d.after
	if !d.templated {
		if s.addStart && t.named.start != noToken {
			t.before = []int64{t.named.start}
		}
		if s.addEnd && t.named.end != noToken {
			t.after = []int64{t.named.end}
		}
	}
	if len(t.before)+len(t.after) > maximumTemplateIDs {
		return errors.New("too many special tokens around a text")
	}
	for _, id := range slices.Concat(t.before, t.after) {
		if id < 0 || id >= maximumTokens {
			return fmt.Errorf("the special token %d around a text is not in the vocabulary", id)
		}
	}
	return nil
}
