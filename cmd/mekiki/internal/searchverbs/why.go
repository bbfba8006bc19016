package searchverbs

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/pictures"
	"mekiki/internal/heatmap"
	"mekiki/internal/progress"
	"mekiki/internal/terminalimage"
	"mekiki/search/contract"
	"mekiki/search/locate"
)

const whyLong = `Show where in a picture a text is: how likely the text is true of it, the strongest
region, and with --output the picture in grey with a heat map over it. The picture
is an image file, or an image of the library by the id that "mekiki search --json"
gives; of the latter the library's image tokens are read, so its file need not be
there unless it is drawn.

The map is read at once from where image-text matching looks. With --exact, parts
of the picture are hidden, or shown alone, one after another, to see what the match
loses and gains by each; this takes some hundred runs.

The text is a query: each of its clauses is looked for by itself. Of a picture of
the library, the probability of a search is given too, with what words in captions
and names add to it.

Exit status: 0 done; 1 failed; 2 wrong usage.`

// drawnSide is the longest side of a picture with a map, and terminalSide that of one in
// the terminal, which has terminalRows lines.
const (
	drawnSide    = 1600
	terminalSide = 320
	terminalRows = 14
)

// whyFlags are the flags of why.
type whyFlags struct {
	output string
	exact  bool
	Output
}

// NewWhyCommand makes the verb "why".
func NewWhyCommand(app *cli.App) *cobra.Command {
	var flags whyFlags
	command := &cobra.Command{
		Use:   "why IMAGE|ID TEXT…",
		Short: "Show where in a picture a text is",
		Long:  whyLong,
		Example: `  mekiki why photo.jpg "a dog on a sofa" -o map.png
  mekiki why 42 "a dog" --exact --json`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(command *cobra.Command, arguments []string) error {
			return runWhy(command.Context(), app, flags, arguments[0], strings.Join(arguments[1:], " "))
		},
	}
	command.Flags().StringVarP(&flags.output, "output", "o", "", "PNG `file` to write the picture with the map to; - for standard output")
	command.Flags().BoolVar(&flags.exact, "exact", false, "hide parts of the picture instead of reading where matching looks")
	command.Flags().StringVar(&flags.Thumbnails, "thumbnails", "auto", "draw the map in the terminal: auto, kitty, iterm, sixel or none")
	return command
}

// Located is a map of a picture, in JSON.
type Located struct {
	Picture string `json:"picture"`
	Text    string `json:"text"`
	locate.Response
	// Pixels is the region in pixels of the picture; nil where its size is not known.
	Pixels *PixelBox `json:"region_pixels,omitempty"`
	// Hit is the picture as a search finds it; nil for a file.
	Hit *contract.Hit `json:"hit,omitempty"`
	// Milliseconds is what the map took.
	Milliseconds float64 `json:"milliseconds"`

	width, height int
}

// PixelBox is left, top, right and bottom in pixels, right and bottom excluded.
type PixelBox struct {
	Left   int `json:"left"`
	Top    int `json:"top"`
	Right  int `json:"right"`
	Bottom int `json:"bottom"`
}

func runWhy(ctx context.Context, a *cli.App, flags whyFlags, argument, text string) error {
	if err := flags.check(a.Out); err != nil {
		return err
	}
	if flags.output == "-" && a.AsJSON {
		return cli.UsageError("--output - and --json both write to standard output")
	}
	reporter := a.Progress()
	request := locate.Request{Text: text, Progress: func(done, total int) {
		reporter.Report(progress.State{Task: "hide parts of the picture", Done: int64(done), Total: int64(total), Unit: progress.Steps})
	}}
	if flags.exact {
		request.Method = embed.MapOcclusion
	}
	if err := request.Validate(); err != nil {
		return QueryFailure(a, err)
	}
	picture, id, err := cli.ReadPicture(ctx, argument)
	if err != nil {
		return err
	}
	located := Located{Picture: argument, Text: text}
	if id != 0 {
		return a.WithVectorsAndModel(ctx, func(library cli.Library, engine *cli.Session) error {
			request.Record = id
			err := located.inLibrary(ctx, a, library, engine, request)
			reporter.Finish()
			if err != nil {
				return QueryFailure(a, err)
			}
			return located.show(a, flags, func() (*pixels.Image, error) { return recordPicture(ctx, library, id) })
		})
	}
	return a.WithEngine(ctx, func(engine *cli.Session) error {
		err := located.inFile(ctx, a, engine, picture, request)
		reporter.Finish()
		if err != nil {
			return QueryFailure(a, err)
		}
		return located.show(a, flags, func() (*pixels.Image, error) { return picture, nil })
	})
}

// inFile locates the text in a picture of a file.
func (l *Located) inFile(ctx context.Context, a *cli.App, engine *cli.Session, picture *pixels.Image, request locate.Request) error {
	calibration, err := a.Calibration(engine)
	if err != nil {
		return err
	}
	tokens, err := engine.ImageTokens(ctx, []*pixels.Image{picture})
	if err != nil {
		return err
	}
	started := time.Now()
	if l.Response, err = locate.InTokens(ctx, engine, calibration, tokens[0], request); err != nil {
		return err
	}
	l.took(started)
	l.sized(picture.Width, picture.Height)
	return nil
}

// inLibrary locates the text in a picture of the library, and searches for the picture by
// the text.
func (l *Located) inLibrary(ctx context.Context, a *cli.App, library cli.Library, engine *cli.Session, request locate.Request) error {
	searcher, err := a.NewSearcher(library, engine, nil)
	if err != nil {
		return err
	}
	started := time.Now()
	if l.Response, err = searcher.Locate(ctx, request); err != nil {
		return err
	}
	l.took(started)
	response, err := searcher.Search(ctx, contract.Request{
		Text: request.Text, Filter: index.Filter{IDs: []index.ID{request.Record}}, Limit: 1, Show: contract.ShowAll, Explain: true,
	})
	if err != nil {
		return err
	}
	if len(response.Hits) > 0 { // a filter in the text may leave it out
		l.Hit = &response.Hits[0]
		l.sized(l.Hit.Width, l.Hit.Height)
	}
	return nil
}

func (l *Located) took(started time.Time) {
	l.Milliseconds = math.Round(float64(time.Since(started).Microseconds())/100) / 10
}

// sized notes the picture's size, in which the region is told too.
func (l *Located) sized(width, height int) {
	if l.width, l.height = width, height; l.Region == nil || width == 0 || height == 0 {
		return
	}
	pixel := func(share float64, length int) int { return int(math.Round(share * float64(length))) }
	l.Pixels = &PixelBox{
		Left: pixel(l.Region.X, width), Top: pixel(l.Region.Y, height),
		Right: pixel(l.Region.X+l.Region.Width, width), Bottom: pixel(l.Region.Y+l.Region.Height, height),
	}
}

// recordPicture reads the original of a record.
func recordPicture(ctx context.Context, library cli.Library, id index.ID) (*pixels.Image, error) {
	snapshot, err := library.Reader(ctx)
	if err != nil {
		return nil, err
	}
	defer snapshot.Close()
	return pictures.Read(ctx, snapshot, library.Decoder(), id)
}

// show writes the map in the ways asked for. open gives the picture, which is not needed
// for all of them.
func (l *Located) show(a *cli.App, flags whyFlags, open func() (*pixels.Image, error)) error {
	protocol, err := flags.protocol(a.Out)
	if err != nil {
		return err
	}
	draws := protocol != terminalimage.None && !a.AsJSON && flags.output != "-"
	var picture *pixels.Image
	if draws || flags.output != "" {
		if picture, err = open(); err != nil && flags.output != "" {
			return err
		}
		if err != nil {
			a.Log().Debug("no picture to draw", "error", err)
			draws = false
		}
	}
	if flags.output != "" {
		if err := l.write(a, flags.output, picture); err != nil {
			return err
		}
	}
	switch {
	case flags.output == "-":
		return nil
	case a.AsJSON:
		return a.PrintJSON(l)
	case draws:
		drawn, err := l.drawn(picture, terminalSide)
		if err == nil {
			err = terminalimage.Draw(a.Out, protocol, drawn, terminalRows)
		}
		if err != nil {
			return err
		}
	}
	return l.print(a.Out, flags.output)
}

// drawn is the picture with the map over it, made smaller to a longest side.
func (l *Located) drawn(picture *pixels.Image, side int) (image.Image, error) {
	if longest := max(picture.Width, picture.Height); longest > side {
		smaller, err := pixels.Resize(picture, max(1, picture.Width*side/longest), max(1, picture.Height*side/longest))
		if err != nil {
			return nil, fmt.Errorf("draw map: %w", err)
		}
		picture = smaller
	}
	found := l.Map()
	return heatmap.Over(picture.RGBA(), found.Rows, found.Columns, found.Values), nil
}

// write writes the picture with the map over it as PNG.
func (l *Located) write(a *cli.App, name string, picture *pixels.Image) error {
	drawn, err := l.drawn(picture, drawnSide)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := png.Encode(&file, drawn); err != nil {
		return fmt.Errorf("draw map: %w", err)
	}
	if name == "-" {
		_, err := a.Out.Write(file.Bytes())
		return err
	}
	if err := os.WriteFile(name, file.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write map: %w", err)
	}
	return nil
}

// print writes the map for people.
func (l *Located) print(w io.Writer, output string) error {
	var out strings.Builder
	fmt.Fprintf(&out, "%.2f  %s\n", l.Probability, cli.Printable(strings.Join(l.Clauses, "; ")))
	if region := l.Region; region != nil {
		fmt.Fprintf(&out, "      %s: %.0f to %.0f %% from the left, %.0f to %.0f %% from the top", l.Where,
			100*region.X, 100*(region.X+region.Width), 100*region.Y, 100*(region.Y+region.Height))
		if l.Pixels != nil {
			fmt.Fprintf(&out, " (pixels %d,%d to %d,%d of %dx%d)", l.Pixels.Left, l.Pixels.Top, l.Pixels.Right, l.Pixels.Bottom, l.width, l.height)
		}
		out.WriteString("\n")
	} else {
		out.WriteString("      nothing in the picture speaks for it\n")
	}
	if l.Hit != nil {
		fmt.Fprintf(&out, "      a search gives %.2f (%s)", l.Hit.Probability, l.Hit.Reason)
		if explanation := l.Hit.Explanation; explanation != nil {
			for _, feature := range explanation.Evidence {
				if feature.Feature == "words" {
					fmt.Fprintf(&out, "; %.0f %% of its words stand in captions and names, which adds %+.1f to the log-odds", 100*feature.Value, feature.Adds)
				}
			}
		}
		out.WriteString("\n")
	}
	fmt.Fprintf(&out, "      %s, %s, %.0f ms\n", l.Method, cli.Counted(l.Runs, "run", "runs"), l.Milliseconds)
	if output != "" {
		fmt.Fprintf(&out, "      written to %s\n", cli.Printable(output))
	}
	_, err := io.WriteString(w, out.String())
	return err
}
