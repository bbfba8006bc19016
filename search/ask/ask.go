package ask

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mekiki/embed/answering"
	"mekiki/embed/decode"
	"mekiki/index"
	"mekiki/internal/pace"
)

// Failure is a picture that could not be asked.
type Failure struct {
	ID  index.ID
	Err error
}

// Outcome says how far a question went.
type Outcome struct {
	// Answered counts the pictures that gave an answer.
	Answered int
	// Unasked are the pictures that the budget did not reach, in their order.
	Unasked []index.ID
	// Failures are the pictures that could not be read.
	Failures []Failure
}

// Ask puts a question to pictures of a library, in their order, and gives each the answers as they come,
// in that order too. A budget above zero ends it when the time is up, or before where not even one more would
// be in time; loading the model, the first time, does not count. An error of each ends it, and is its error.
func (a *Asker) Ask(ctx context.Context, reader index.Reader, ids []index.ID, question Question, budget time.Duration, each func(Answer) error) (Outcome, error) {
	var outcome Outcome
	if err := question.Validate(); err != nil {
		return outcome, err
	}
	prompt := question.prompt(a.model.Prompts)
	rest := ids
	pacer := &pace.Pacer{Batch: a.options.Batch, Each: time.Duration(a.each.Load())}
	take := func(size int) error {
		begun := time.Now()
		asked, err := a.askBatch(ctx, reader, rest[:size], prompt, question.Decode, &outcome, each)
		if err != nil {
			return err
		}
		rest = rest[size:]
		if asked > 0 { // else all were known
			pacer.Took(time.Since(begun), asked)
			a.each.Store(int64(pacer.Each))
		}
		return nil
	}
	if budget > 0 && pacer.Each == 0 && len(rest) > 0 { // to load the model
		if err := take(1); err != nil {
			return outcome, err
		}
	}
	if budget > 0 {
		pacer.Deadline = time.Now().Add(budget)
	}
	for len(rest) > 0 {
		size := pacer.Next(len(rest))
		if size == 0 {
			break
		}
		if err := take(size); err != nil {
			return outcome, err
		}
	}
	if outcome.Unasked = rest; len(rest) == 0 {
		outcome.Unasked = nil
	}
	return outcome, nil
}

// askBatch asks some pictures together and reports how many of them the model had to be asked.
func (a *Asker) askBatch(ctx context.Context, reader index.Reader, ids []index.ID, prompt string, options decode.Options, outcome *Outcome, each func(Answer) error) (int, error) {
	pictures, problems, err := a.Records(ctx, reader, ids)
	if err != nil {
		return 0, err
	}
	var readable []Picture
	for i, problem := range problems {
		if problem == nil {
			readable = append(readable, pictures[i])
			continue
		}
		a.options.Logger.Warn("cannot ask a picture", "record", ids[i], "error", problem)
		outcome.Failures = append(outcome.Failures, Failure{ID: ids[i], Err: problem})
	}
	answers, asked, err := a.answersOf(ctx, readable, slices.Repeat([]string{prompt}, len(readable)), options)
	if err != nil {
		return 0, err
	}
	for _, answer := range answers {
		outcome.Answered++
		if err := each(answer); err != nil {
			return asked, err
		}
	}
	return asked, nil
}

// answersOf gives the answers of pictures: from memory, from questions that go on side by side, or
// from the model, which is asked for as many as it reports.
func (a *Asker) answersOf(ctx context.Context, pictures []Picture, prompts []string, options decode.Options) ([]Answer, int, error) {
	answers := make([]Answer, len(pictures))
	var mine []claimed
	waiting := map[int]*flight{}
	for i, picture := range pictures {
		key := answerKey{content: picture.content, prompt: promptKey(prompts[i], options)}
		if answer, known := a.answers.Get(key); known {
			answers[i] = answer
			continue
		}
		flight, first := a.flights.claim(key)
		if first {
			mine = append(mine, claimed{place: i, key: key, flight: flight})
		} else {
			waiting[i] = flight
		}
	}
	if err := a.makeAnswers(ctx, pictures, mine, prompts, options, answers); err != nil {
		return nil, 0, err
	}
	for i, flight := range waiting {
		answer, err := flight.wait(ctx)
		if err != nil && ctx.Err() == nil { // who made it was stopped, or the model failed
			own := []Answer{{}}
			err = a.generate(ctx, pictures[i:i+1], prompts[i:i+1], options, own)
			answer = own[0]
		}
		if err != nil {
			return nil, 0, err
		}
		answers[i] = answer
	}
	for i := range answers {
		answers[i].ID = pictures[i].ID
	}
	return answers, len(mine) + len(waiting), nil
}

// claimed is an answer that this question makes.
type claimed struct {
	place  int
	key    answerKey
	flight *flight
}

// makeAnswers has the model answer what was claimed, and lands all of it, whatever happens.
func (a *Asker) makeAnswers(ctx context.Context, pictures []Picture, mine []claimed, prompts []string, options decode.Options, answers []Answer) (err error) {
	if len(mine) == 0 {
		return nil
	}
	made := make([]Answer, len(mine))
	err = errors.New("the model was stopped") // what others see of a panic
	defer func() {
		for k, one := range mine {
			if err == nil {
				a.answers.Put(one.key, made[k], 1)
			}
			a.flights.land(one.key, one.flight, made[k], err)
		}
	}()
	some, texts := make([]Picture, len(mine)), make([]string, len(mine))
	for k, one := range mine {
		some[k], texts[k] = pictures[one.place], prompts[one.place]
	}
	if err = a.generate(ctx, some, texts, options, made); err != nil {
		return err
	}
	for k, one := range mine {
		answers[one.place] = made[k]
	}
	return nil
}

// generate has the model answer.
func (a *Asker) generate(ctx context.Context, pictures []Picture, texts []string, options decode.Options, answers []Answer) error {
	prompts := make([]answering.Prompt, len(pictures))
	for i, picture := range pictures {
		prompts[i] = answering.Prompt{States: picture.states, Text: texts[i]}
	}
	generated, err := a.answerer.Generate(ctx, prompts, options, nil)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if len(generated) != len(prompts) {
		return errors.New("answer: got another number of answers than pictures")
	}
	for i := range answers {
		answers[i] = answerOf(generated[i])
	}
	return nil
}

// Answers asks pictures together, which takes less time than one after the other: questions[i] about pictures[i], or a single
// question about all. Questions that are asked together are written alike, as the first says. Result i belongs to pictures[i].
func (a *Asker) Answers(ctx context.Context, pictures []Picture, questions ...Question) ([]Answer, error) {
	if len(questions) == 1 {
		questions = slices.Repeat(questions, len(pictures))
	}
	if len(questions) != len(pictures) {
		return nil, fmt.Errorf("answer: %d questions about %d pictures", len(questions), len(pictures))
	}
	if len(pictures) == 0 {
		return nil, nil
	}
	prompts := make([]string, len(questions))
	for i, question := range questions {
		if err := question.Validate(); err != nil {
			return nil, err
		}
		prompts[i] = question.prompt(a.model.Prompts)
	}
	answers, _, err := a.answersOf(ctx, pictures, prompts, questions[0].Decode)
	return answers, err
}

// Answer asks one picture. Written, unless it is nil, is called with each piece of the answer as soon as
// it is final, without spaces before the first; the method must then be greedy or nucleus. An answer that is
// known is written at once.
func (a *Asker) Answer(ctx context.Context, picture Picture, question Question, written func(piece string) error) (Answer, error) {
	if err := question.Validate(); err != nil {
		return Answer{}, err
	}
	question.Dialogue = question.Dialogue || len(question.History) > 0
	question.History = lastTurns(question.History)
	for {
		answer, err := a.write(ctx, picture, question.prompt(a.model.Prompts), question.Decode, written)
		if len(question.History) == 0 || !errors.Is(err, answering.ErrPrompt) {
			return answer, err
		}
		question.History = question.History[1:] // until the model has room for it
	}
}

func (a *Asker) write(ctx context.Context, picture Picture, prompt string, options decode.Options, written func(piece string) error) (Answer, error) {
	if written == nil {
		answers, _, err := a.answersOf(ctx, []Picture{picture}, []string{prompt}, options)
		if err != nil {
			return Answer{}, err
		}
		return answers[0], nil
	}
	key := answerKey{content: picture.content, prompt: promptKey(prompt, options)}
	if answer, known := a.answers.Get(key); known {
		answer.ID = picture.ID
		return answer, written(answer.Text)
	}
	begun := false
	generated, err := a.answerer.Generate(ctx, []answering.Prompt{{States: picture.states, Text: prompt}}, options, func(_ int, piece string) error {
		if !begun {
			piece = strings.TrimLeft(piece, " ")
			begun = piece != ""
		}
		if piece == "" {
			return nil
		}
		return written(piece)
	})
	if err != nil {
		return Answer{}, fmt.Errorf("answer: %w", err)
	}
	if len(generated) != 1 {
		return Answer{}, errors.New("answer: got another number of answers than pictures")
	}
	answer := answerOf(generated[0])
	a.answers.Put(key, answer, 1)
	answer.ID = picture.ID
	return answer, nil
}
