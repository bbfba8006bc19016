package modelverbs

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/internal/hint"
)

const embedLong = `Write the vectors of images and texts, one JSON object a line: for an image the
unit vectors of its parts, for a text its unit vector, and for both their space.
The similarity of an image and a text is the largest dot product of its parts
with the text's vector; vectors of different spaces must not be compared.

Images are files; --text gives a text, --texts a file with one text a line ("-"
is standard input). --output FILE.npy writes the vectors as a NumPy array of
float32: [images parts width] or [texts width], so either images or texts.

An image that cannot be read is reported and the others are done: exit status 3.`

const embedExample = `  mekiki embed photo.jpg
  mekiki embed --text "two cats on a sofa" --model blip2
  mekiki embed *.jpg --output images.npy
  mekiki embed --texts captions.txt --output texts.npy`

// embedOptions are the flags of embed.
type embedOptions struct {
	texts  []string
	file   string
	output string
	clean  bool
}

// NewEmbedCommand makes the verb "embed".
func NewEmbedCommand(app *cli.App) *cobra.Command {
	var options embedOptions
	command := &cobra.Command{
		Use:     "embed [IMAGE...]",
		Short:   "Write the vectors of images and texts",
		Long:    embedLong,
		Example: embedExample,
		Args:    cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, images []string) error {
			return runEmbed(command.Context(), app, options, images)
		},
	}
	flags := command.Flags()
	flags.StringArrayVar(&options.texts, "text", nil, "text to embed (may be repeated)")
	flags.StringVar(&options.file, "texts", "", "file with one text a line to embed, or -")
	flags.StringVarP(&options.output, "output", "o", "", "file to write, in NumPy's format if the name ends in .npy (default: standard output)")
	addCleanFlag(flags, &options.clean)
	return command
}

// Embedded is one line of embed's output.
type Embedded struct {
	Image     string       `json:"image,omitempty"`
	Text      *string      `json:"text,omitempty"` // nil for an image
	Truncated bool         `json:"truncated,omitempty"`
	Space     string       `json:"space"`
	Parts     [][]float32  `json:"parts,omitempty"`  // of an image
	Vector    embed.Vector `json:"vector,omitempty"` // of a text
}

func runEmbed(ctx context.Context, app *cli.App, options embedOptions, images []string) (err error) {
	texts, err := gatherTexts(app, options.texts, options.file)
	if err != nil {
		return err
	}
	asArray := strings.HasSuffix(options.output, ".npy")
	switch {
	case len(images)+len(texts) == 0:
		return cli.UsageError("give images, --text or --texts")
	case asArray && len(images) > 0 && len(texts) > 0:
		return cli.UsageError("an .npy file holds the vectors of either images or texts")
	}
	engine, err := openEngineReading(ctx, app, options.clean)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	out := io.Writer(app.Out)
	if options.output != "" {
		file, createErr := os.Create(options.output)
		if createErr != nil {
			return createErr
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	if asArray {
		return writeArray(ctx, app, engine, out.(*os.File), images, texts)
	}
	buffered := bufio.NewWriter(out)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	var problems itemProblems
	for line, lineErr := range embedAll(ctx, engine, images, texts) {
		if lineErr != nil {
			if problems.fatal(ctx, lineErr) {
				return lineErr
			}
			continue
		}
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	return errors.Join(buffered.Flush(), problems.report(app))
}

// embedAll yields the vectors of images, then of texts. The error of an image
// that cannot be read is an *itemError and does not end it.
func embedAll(ctx context.Context, s *cli.Session, images, texts []string) iter.Seq2[Embedded, error] {
	space := s.Space().Fingerprint
	return func(yield func(Embedded, error) bool) {
		for _, name := range images {
			parts, err := imageParts(ctx, s, name)
			line := Embedded{Image: name, Space: space}
			for i := range parts.Count {
				line.Parts = append(line.Parts, parts.Row(i))
			}
			if !yield(line, err) {
				return
			}
		}
		for from := 0; from < len(texts); from += textBatch {
			batch := texts[from:min(from+textBatch, len(texts))]
			vectors, err := s.TextVectors(ctx, batch)
			if err != nil {
				yield(Embedded{}, err)
				return
			}
			for i, text := range batch {
				if !yield(Embedded{Text: &text, Truncated: s.TextInfo(text).Truncated, Space: space, Vector: vectors[i]}, nil) {
					return
				}
			}
		}
	}
}

// imageTokens reads an image file through the vision encoder. A file that is not
// an image gives an *itemError.
func imageTokens(ctx context.Context, s *cli.Session, name string) (embed.ImageTokens, error) {
	picture, err := readImageFile(ctx, name)
	if err != nil {
		return embed.ImageTokens{}, err
	}
	tokens, err := s.ImageTokens(ctx, []*pixels.Image{picture})
	if err != nil {
		return embed.ImageTokens{}, err
	}
	return tokens[0], nil
}

func imageParts(ctx context.Context, s *cli.Session, name string) (embed.Parts, error) {
	tokens, err := imageTokens(ctx, s, name)
	if err != nil {
		return embed.Parts{}, err
	}
	parts, err := s.ImageParts(ctx, []embed.ImageTokens{tokens})
	if err != nil {
		return embed.Parts{}, err
	}
	return parts[0], nil
}

// readImageFile decodes an image file. Its errors but the context's are *itemError.
func readImageFile(ctx context.Context, name string) (*pixels.Image, error) {
	var picture *pixels.Image
	_, err := os.Stat(name) // before readPicture, which takes other names for ids of records
	if err == nil {
		picture, _, err = cli.ReadPicture(ctx, name)
	}
	if err != nil && ctx.Err() == nil {
		err = &itemError{name: name, err: err}
	}
	return picture, err
}

// itemError is what is wrong with one of several items.
type itemError struct {
	name string
	err  error
}

func (e *itemError) Error() string { return e.err.Error() }

func (e *itemError) Unwrap() error { return e.err }

// itemProblems collects what is wrong with single items while the others go on.
type itemProblems struct{ list []*itemError }

// fatal reports whether err is of more than one item; else it is collected.
func (p *itemProblems) fatal(ctx context.Context, err error) bool {
	var one *itemError
	if ctx.Err() != nil || !errors.As(err, &one) {
		return true
	}
	p.list = append(p.list, one)
	return false
}

// report writes the collected problems and returns the exit status that they mean.
func (p *itemProblems) report(app *cli.App) error {
	for _, problem := range p.list {
		cli.WriteError(app.Stderr, app.AsJSON, cli.ExitPartial, problem)
	}
	if len(p.list) == 0 {
		return nil
	}
	return cli.WithStatus(cli.ExitPartial, nil)
}

// writeArray writes vectors in NumPy's format. An image that cannot be read ends
// it, since rows would no longer stand for the arguments.
func writeArray(ctx context.Context, a *cli.App, engine *cli.Session, file *os.File, images, texts []string) error {
	space := engine.Space()
	shape := []int{len(texts), space.Width}
	if len(images) > 0 {
		shape = []int{len(images), space.Parts, space.Width}
	}
	buffered := bufio.NewWriter(file)
	if _, err := buffered.WriteString(arrayHeader(shape)); err != nil {
		return err
	}
	for line, err := range embedAll(ctx, engine, images, texts) {
		if err != nil {
			return hint.Wrap(err, "leave that file out, or write JSON, which goes on with the others")
		}
		for _, row := range append(line.Parts, line.Vector) {
			for _, value := range row {
				var bytes [4]byte
				binary.LittleEndian.PutUint32(bytes[:], math.Float32bits(value))
				if _, err := buffered.Write(bytes[:]); err != nil {
					return err
				}
			}
		}
	}
	return buffered.Flush()
}

// arrayHeader begins a NumPy file, version 1.0, of little-endian float32 values;
// numpy.org/doc/stable/reference/generated/numpy.lib.format.html describes it.
func arrayHeader(shape []int) string {
	sizes := ""
	for _, size := range shape {
		sizes += fmt.Sprintf("%d, ", size)
	}
	text := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", strings.TrimSuffix(sizes, " "))
	const before = 10 // magic, version and length
	text += strings.Repeat(" ", 63-(before+len(text))%64) + "\n"
	return "\x93NUMPY\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(text)))) + text
}

// gatherTexts joins texts of the command line with those of a file.
func gatherTexts(a *cli.App, texts []string, file string) ([]string, error) {
	if file == "" {
		return texts, nil
	}
	more, err := a.ReadLabels(file)
	return append(texts, more...), err
}
