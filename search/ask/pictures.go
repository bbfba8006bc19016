package ask

import (
	"context"
	"errors"
	"fmt"

	"mekiki/embed"
	"mekiki/embed/answering"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/pictures"
)

// contentKey names the content of a picture: by its hash or, where it has none, by the
// record as one commit wrote it, or by a number of its own.
type contentKey struct {
	hash     index.Hash
	id       index.ID
	sequence uint64
}

func contentOf(record *index.Record) contentKey {
	if !record.Hash.IsZero() {
		return contentKey{hash: record.Hash}
	}
	return contentKey{id: record.ID, sequence: record.Sequence}
}

// Picture is a picture that was read, to be asked. Its zero value is none: the language model then answers from the
// question alone.
type Picture struct {
	// ID is its record; 0 for a picture of no library.
	ID      index.ID
	content contentKey
	states  answering.ImageStates
}

// Image reads a picture of no library. Hash is that of its file, by which its answers are
// known when it comes again; zero means that it does not.
func (a *Asker) Image(ctx context.Context, image *pixels.Image, hash index.Hash) (Picture, error) {
	content := contentKey{hash: hash}
	if hash.IsZero() {
		content.sequence = a.unnamed.Add(1)
	}
	if states, known := a.states.Get(content); known {
		return Picture{content: content, states: states}, nil
	}
	tokens, err := pictures.Tokens(ctx, a.images, image)
	if err != nil {
		return Picture{}, err
	}
	states, err := a.statesOf(ctx, []embed.ImageTokens{tokens})
	if err != nil {
		return Picture{}, err
	}
	a.keepStates(content, states[0])
	return Picture{content: content, states: states[0]}, nil
}

// Records reads pictures of a library. Result i belongs to ids[i]; one that cannot be read has
// an error in its place. The last error is that of the library or of the model.
func (a *Asker) Records(ctx context.Context, reader index.Reader, ids []index.ID) ([]Picture, []error, error) {
	pictures, problems := make([]Picture, len(ids)), make([]error, len(ids))
	records, err := reader.Records(ctx, ids)
	if err != nil {
		return nil, nil, fmt.Errorf("read records: %w", err)
	}
	var missing []int
	for i, record := range records {
		switch {
		case record == nil:
			problems[i] = fmt.Errorf("record %v: %w", ids[i], index.ErrNotFound)
		case record.Kind != index.KindImage:
			problems[i] = fmt.Errorf("record %v is a text, not a picture", ids[i])
		default:
			pictures[i] = Picture{ID: ids[i], content: contentOf(record)}
			if states, known := a.states.Get(pictures[i].content); known {
				pictures[i].states = states
			} else {
				missing = append(missing, i)
			}
		}
	}
	tokens, err := a.tokensOf(ctx, reader, ids, missing, problems)
	if err != nil {
		return nil, nil, err
	}
	var read []int
	var readable []embed.ImageTokens
	for k, i := range missing {
		if problems[i] == nil {
			read, readable = append(read, i), append(readable, tokens[k])
		}
	}
	states, err := a.statesOf(ctx, readable)
	if err != nil {
		return nil, nil, err
	}
	for k, i := range read {
		pictures[i].states = states[k]
		a.keepStates(pictures[i].content, states[k])
	}
	return pictures, problems, nil
}

// tokensOf gives the image tokens of the records at some places of ids: those of the library, if
// they are of the second stage's vision encoder, or else from the originals. What is wrong with one record
// goes to problems.
func (a *Asker) tokensOf(ctx context.Context, reader index.Reader, ids []index.ID, places []int, problems []error) ([]embed.ImageTokens, error) {
	tokens := make([]embed.ImageTokens, len(places))
	if space, some := reader.Space(); a.first != nil && some && space == a.first.Space() {
		asked := make([]index.ID, len(places))
		for k, i := range places {
			asked[k] = ids[i]
		}
		kept, err := reader.Tokens(ctx, asked)
		if err != nil {
			return nil, fmt.Errorf("read image tokens: %w", err)
		}
		copy(tokens, kept)
	}
	for k, i := range places {
		if tokens[k].Rows > 0 {
			continue
		}
		tokens[k], problems[i] = a.readOriginal(ctx, reader, ids[i])
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return tokens, nil
}

// readOriginal reads the original of a record with the vision encoder.
func (a *Asker) readOriginal(ctx context.Context, reader index.Reader, id index.ID) (embed.ImageTokens, error) {
	image, err := pictures.Read(ctx, reader, a.options.Decoder, id)
	if err != nil {
		return embed.ImageTokens{}, err
	}
	return pictures.Tokens(ctx, a.images, image)
}

// statesOf lets the second stage read image tokens, as the vision encoder in use made them.
func (a *Asker) statesOf(ctx context.Context, tokens []embed.ImageTokens) ([]answering.ImageStates, error) {
	if len(tokens) == 0 {
		return nil, nil
	}
	changed := make([]embed.ImageTokens, len(tokens))
	for i, one := range tokens {
		changed[i] = a.change.Apply(one)
	}
	states, err := a.answerer.States(ctx, changed)
	if err != nil {
		return nil, fmt.Errorf("read image tokens by %s: %w", a.model.Name, err)
	}
	if len(states) != len(tokens) {
		return nil, errors.New("read image tokens: got another number of answers than pictures")
	}
	return states, nil
}

func (a *Asker) keepStates(content contentKey, states answering.ImageStates) {
	a.states.Put(content, states, int64(4*len(states.Values)))
}
