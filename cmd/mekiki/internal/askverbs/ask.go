package askverbs

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
	"mekiki/search/ask"
)

const askLong = `Ask pictures a question, in words, and get the answer of a language model: BLIP-2's
second stage.

Pictures are files, folders (with all pictures in them) and ids of the library; the
question comes last. One picture's answer is shown while it is written; of several,
each answer is a line with the picture's name. With --json, each is a line with the
answer and the model's probability of it.

The built-in model answers about the built-in gallery's drawings; for photographs
get a published second stage, and name it with --answers:
  mekiki pull blip2-flan-t5-xl

A picture that cannot be read is reported and the others are asked: exit status 3.`

const askExample = `  mekiki ask photo.jpg "how many cats are there?"
  mekiki ask ~/Pictures/2024 "is it raining?" --json
  mekiki ask 42 "what is the weather like?" --answers blip2-flan-t5-xl
  mekiki ask photo.jpg "what is this?" --prompt "Question: {} Answer:" --method beam`

// NewAskCommand makes the verb "ask".
func NewAskCommand(app *cli.App) *cobra.Command {
	var how writing
	command := &cobra.Command{
		Use:     "ask PICTURE... QUESTION",
		Short:   "Ask pictures a question",
		Long:    askLong,
		Example: askExample,
		Args:    cobra.MinimumNArgs(2),
		RunE: func(command *cobra.Command, arguments []string) error {
			return runAsk(command.Context(), app, how, arguments[:len(arguments)-1], arguments[len(arguments)-1])
		},
	}
	how.addFlags(command.Flags())
	return command
}

func runAsk(ctx context.Context, app *cli.App, how writing, arguments []string, question string) error {
	if err := how.check(); err != nil {
		return err
	}
	if err := how.question(question).Validate(); err != nil {
		return cli.UsageError("%w", err)
	}
	targets, problems, err := findTargets(ctx, arguments)
	if err != nil {
		return err
	}
	if len(targets) == 0 {
		if len(problems) == 1 {
			return problems[0].err
		}
		return hint.Wrap(fmt.Errorf("none of these is a picture: %q", arguments), "give image files, folders or ids of records, and the question last")
	}
	return withAsker(ctx, app, slices.ContainsFunc(targets, isRecord), func(asker *ask.Asker, reader index.Reader) error {
		q := questions{app: app, asker: asker, reader: reader, how: how, problems: problems, named: len(arguments) > 1 || len(targets) > 1, text: question}
		return q.askAll(ctx, targets)
	})
}

func isRecord(one target) bool { return one.record != 0 }

// questions is one question to many pictures.
type questions struct {
	app      *cli.App
	asker    *ask.Asker
	reader   index.Reader // nil where no record is asked
	how      writing
	text     string
	named    bool // whether answers have the names of their pictures
	problems []problem
}

func (q *questions) askAll(ctx context.Context, targets []target) error {
	if len(targets) == 1 && !q.app.AsJSON && !q.named && q.how.streams() {
		return q.askOne(ctx, targets[0])
	}
	reporter := q.app.Progress()
	defer reporter.Finish()
	out := bufio.NewWriter(q.app.Out)
	for from := 0; from < len(targets); from += batch {
		some := targets[from:min(from+batch, len(targets))]
		if err := q.askBatch(ctx, some, out); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
		if len(targets) > batch {
			reporter.Report(progress.State{
				Task: "ask", Done: int64(from + len(some)), Total: int64(len(targets)), Failed: int64(len(q.problems)), Unit: progress.Steps,
			})
		}
	}
	return report(q.app, q.problems)
}

// askOne shows the answer of one picture while it is written.
func (q *questions) askOne(ctx context.Context, one target) error {
	pictures, err := q.read(ctx, []target{one})
	if err != nil {
		return err
	}
	if len(pictures) == 0 {
		return q.problems[len(q.problems)-1].err
	}
	_, err = q.asker.Answer(ctx, pictures[0].picture, q.how.question(q.text), func(piece string) error {
		_, err := fmt.Fprint(q.app.Out, shown(piece))
		return err
	})
	if err == nil {
		_, err = fmt.Fprintln(q.app.Out)
	}
	return err
}

// readTarget is a picture that was read.
type readTarget struct {
	target
	picture ask.Picture
}

// read reads pictures; those that cannot be read become problems.
func (q *questions) read(ctx context.Context, targets []target) ([]readTarget, error) {
	var pictures []readTarget
	for _, one := range targets {
		picture, err := q.readOne(ctx, one)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			q.problems = append(q.problems, problem{one.name, err})
			continue
		}
		pictures = append(pictures, readTarget{one, picture})
	}
	return pictures, nil
}

func (q *questions) readOne(ctx context.Context, one target) (ask.Picture, error) {
	if !isRecord(one) {
		return readFile(ctx, q.asker, one.name)
	}
	pictures, problems, err := q.asker.Records(ctx, q.reader, []index.ID{one.record})
	if err != nil {
		return ask.Picture{}, err
	}
	return pictures[0], problems[0]
}

// answered is one answer, in JSON.
type answered struct {
	Image       string   `json:"image,omitempty"`
	ID          index.ID `json:"id,string,omitempty"`
	Question    string   `json:"question"`
	Answer      string   `json:"answer"`
	Probability float64  `json:"answer_probability"`
	Ended       bool     `json:"ended"`
	Model       string   `json:"model"`
}

// askBatch asks some pictures together.
func (q *questions) askBatch(ctx context.Context, targets []target, out *bufio.Writer) error {
	read, err := q.read(ctx, targets)
	if err != nil || len(read) == 0 {
		return err
	}
	pictures := make([]ask.Picture, len(read))
	for i, one := range read {
		pictures[i] = one.picture
	}
	answers, err := q.asker.Answers(ctx, pictures, q.how.question(q.text))
	if err != nil {
		return err
	}
	for i, answer := range answers {
		if err := q.print(out, read[i].target, answer); err != nil {
			return err
		}
	}
	return nil
}

func (q *questions) print(out *bufio.Writer, one target, answer ask.Answer) error {
	if q.app.AsJSON {
		line := answered{
			ID: one.record, Question: q.text, Answer: answer.Text, Probability: answer.Probability, Ended: answer.Ended, Model: q.asker.Model().Name,
		}
		if !isRecord(one) {
			line.Image = one.name
		}
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(line)
	}
	if q.named {
		fmt.Fprintf(out, "%s\t", cli.Printable(one.name))
	}
	_, err := fmt.Fprintf(out, "%s\n", shown(answer.Text))
	return err
}

// shown makes an answer, or a piece of one, fit for a line of a terminal.
func shown(text string) string {
	return cli.Printable(strings.NewReplacer("\r\n", " ", "\n", " ", "\t", " ").Replace(text))
}
