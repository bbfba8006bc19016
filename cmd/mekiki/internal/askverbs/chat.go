package askverbs

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/internal/hint"
	"mekiki/search/ask"
)

const chatLong = `Talk about a picture: each line is a question, and earlier questions and answers are
remembered. The picture is a file, or an id of the library.

  /new            forget what was said
  /picture FILE   go on with another picture
  /help           show this
  /quit           end, as Ctrl-D does

Ctrl-C stops an answer that is being written. From a pipe, each line of the input is a
question and each answer a line of the output; with --json, a line with the question,
the answer and its probability.`

// chatHelp is what /help shows.
const chatHelp = `/new forgets what was said, /picture FILE goes on with another picture, /quit or Ctrl-D ends; Ctrl-C stops an answer`

const chatExample = `  mekiki chat photo.jpg
  mekiki chat photo.jpg --answers blip2-flan-t5-xl
  printf 'which city is this?\nwhy?\n' | mekiki chat photo.jpg`

// NewChatCommand makes the verb "chat".
func NewChatCommand(app *cli.App) *cobra.Command {
	var how writing
	command := &cobra.Command{
		Use:     "chat PICTURE",
		Short:   "Talk about a picture",
		Long:    chatLong,
		Example: chatExample,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			return runChat(command.Context(), app, how, arguments[0])
		},
	}
	how.addFlags(command.Flags())
	return command
}

func runChat(ctx context.Context, app *cli.App, how writing, argument string) error {
	if err := how.check(); err != nil {
		return err
	}
	one, err := findTarget(argument)
	if err != nil {
		return err
	}
	return withAsker(ctx, app, isRecord(one), func(asker *ask.Asker, reader index.Reader) error {
		c := &chat{questions: questions{app: app, asker: asker, reader: reader, how: how}}
		if err := c.show(ctx, one); err != nil {
			return err
		}
		return c.run(ctx)
	})
}

// chat is a dialogue about a picture.
type chat struct {
	questions
	picture ask.Picture
	history []ask.Turn
}

// show begins a dialogue about a picture.
func (c *chat) show(ctx context.Context, one target) error {
	picture, err := c.readOne(ctx, one)
	if err != nil {
		return err
	}
	c.picture, c.history = picture, nil
	return nil
}

// errLine means that a line is too long to be a question.
var errLine = fmt.Errorf("a line is longer than %d bytes", maximumLine)

// nextLine gives the next line of an input, without the spaces around it; one that is too long is errLine, and
// the next is read after it.
func nextLine(lines *bufio.Reader) (string, error) {
	line, more, err := lines.ReadLine()
	text := strings.TrimSpace(string(line))
	if err != nil || !more {
		return text, err
	}
	for more && err == nil {
		_, more, err = lines.ReadLine()
	}
	return "", errLine
}

// run answers line after line until the input ends.
func (c *chat) run(ctx context.Context) error {
	terminal := cli.IsTerminal(c.app.In) && cli.IsTerminal(c.app.Out)
	if terminal && !c.app.Quiet {
		fmt.Fprintln(c.app.Stderr, chatHelp)
	}
	lines := bufio.NewReaderSize(c.app.In, maximumLine)
	failed := false
	for {
		if terminal {
			fmt.Fprint(c.app.Out, "> ")
		}
		line, err := nextLine(lines)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, io.EOF):
			if terminal {
				fmt.Fprintln(c.app.Out)
			}
			return c.status(failed)
		case err == nil && line == "/quit":
			return c.status(failed)
		case err == nil && line != "":
			err = c.line(ctx, line)
		case err != nil && !errors.Is(err, errLine):
			return fmt.Errorf("read questions: %w", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil { // it costs this line alone
			failed = true
			cli.WriteError(c.app.Stderr, c.app.AsJSON, cli.ExitPartial, err)
		}
	}
}

// status is the exit status of a dialogue: one of a person is what it is.
func (c *chat) status(failed bool) error {
	if failed && !cli.IsTerminal(c.app.In) {
		return cli.WithStatus(cli.ExitPartial, nil)
	}
	return nil
}

// line does what one line asks for.
func (c *chat) line(ctx context.Context, line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	switch rest = strings.TrimSpace(rest); {
	case verb == "/new":
		c.history = nil
		return nil
	case verb == "/help":
		fmt.Fprintln(c.app.Stderr, chatHelp)
		return nil
	case verb == "/picture" && rest == "":
		return hint.Wrap(errors.New("/picture needs the name of a file"), "/picture photo.jpg")
	case verb == "/picture":
		one, err := findTarget(rest)
		switch {
		case err != nil:
			return err
		case isRecord(one) && c.reader == nil:
			return hint.Wrap(fmt.Errorf("%s is not a file", rest), "a dialogue that began with a file goes on with files; begin one with an id to use ids")
		}
		return c.show(ctx, one)
	case strings.HasPrefix(verb, "/"):
		return hint.Wrap(fmt.Errorf("there is no command %s", verb), chatHelp)
	}
	return c.answer(ctx, line)
}

// answer answers a question. Ctrl-C stops it, and it is then not remembered.
func (c *chat) answer(ctx context.Context, text string) error {
	question := c.how.question(text)
	question.History, question.Dialogue = c.history, true
	part, done := c.app.Interrupts.Take(ctx)
	defer done()
	var written func(string) error
	if c.how.streams() && !c.app.AsJSON {
		written = func(piece string) error {
			_, err := io.WriteString(c.app.Out, shown(piece))
			return err
		}
	}
	answer, err := c.asker.Answer(part, c.picture, question, written)
	switch {
	case err != nil && ctx.Err() == nil && part.Err() != nil:
		_, err = fmt.Fprintln(c.app.Out, " …")
		return err
	case err != nil:
		if written != nil {
			fmt.Fprintln(c.app.Out) // what was written stays a line
		}
		return err
	}
	c.history = append(c.history, ask.Turn{Question: text, Answer: answer.Text})
	return c.printAnswer(text, answer, written != nil)
}

// printAnswer ends an answer's line, or writes the whole.
func (c *chat) printAnswer(text string, answer ask.Answer, written bool) (err error) {
	switch {
	case c.app.AsJSON:
		encoder := json.NewEncoder(c.app.Out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(answered{Question: text, Answer: answer.Text, Probability: answer.Probability, Ended: answer.Ended, Model: c.asker.Model().Name})
	case written:
		_, err = fmt.Fprintln(c.app.Out)
	default:
		_, err = fmt.Fprintln(c.app.Out, shown(answer.Text))
	}
	return err
}
