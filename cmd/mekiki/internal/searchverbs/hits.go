package searchverbs

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"html"
	"image"
	_ "image/jpeg"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/internal/terminalimage"
	"mekiki/search/contract"
	"mekiki/search/query"
	"mekiki/search/scoring"
	"mekiki/search/spelling"
)

// Thumbnails are JPEG

// Output is how the verbs that find pictures show them.
type Output struct {
	paths0     bool
	explain    bool
	open       int
	Thumbnails string
}

func (o *Output) addFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&o.paths0, "paths0", false, "write only the paths, each followed by a zero byte, for xargs -0")
	flags.BoolVar(&o.explain, "explain", false, "show what each signal contributed to each hit")
	flags.IntVar(&o.open, "open", 0, "open a hit in the system's viewer: --open the first, --open=3 the third")
	flags.Lookup("open").NoOptDefVal = "1"
	flags.StringVar(&o.Thumbnails, "thumbnails", "auto", "draw pictures in the terminal: auto, kitty, iterm, sixel or none")
}

// check refuses flags that say nothing, before anything is searched for.
func (o *Output) check(w io.Writer) error {
	if o.open < 0 {
		return cli.UsageError("--open=%d: give the number of a hit, 1 or more", o.open)
	}
	_, err := o.protocol(w)
	return err
}

// thumbnailRows is the height of a thumbnail in lines of text, and
// thumbnailPixels the longest side of one that is drawn as it is.
const (
	thumbnailRows   = 6
	thumbnailPixels = 120
)

// ShowHits writes an answer in the way asked for, and tells by its error that
// nothing was found.
func ShowHits(ctx context.Context, a *cli.App, library cli.Library, response contract.Response, o Output) error {
	err := propose(ctx, library, &response)
	if err != nil { // the hits are the answer
		a.Log().Debug("no other query can be proposed", "error", err)
	}
	switch {
	case a.AsJSON:
		err = a.PrintJSON(response)
	case o.paths0:
		err = printPaths(a, response.Hits)
	default:
		err = printHits(ctx, a, library, response, o)
	}
	if err != nil {
		return err
	}
	if len(response.Hits) == 0 {
		return cli.WithStatus(cli.ExitNothing, nil)
	}
	if o.open > 0 {
		return openHit(ctx, response, o.open)
	}
	return nil
}

// propose notes what was perhaps meant, where little was found.
func propose(ctx context.Context, library cli.Library, response *contract.Response) error {
	if !spelling.Wanted(response) {
		return nil
	}
	reader, err := library.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	return spelling.Propose(ctx, response, reader)
}

func printPaths(a *cli.App, hits []contract.Hit) error {
	var out bytes.Buffer
	for _, hit := range hits {
		if hit.Path != "" {
			out.WriteString(hit.Path + "\x00")
		}
	}
	_, err := a.Out.Write(out.Bytes())
	return err
}

// printHits writes hits for people.
func printHits(ctx context.Context, a *cli.App, library cli.Library, response contract.Response, o Output) error {
	protocol, err := o.protocol(a.Out)
	if err != nil {
		return err
	}
	if translated := response.Translated; translated != nil {
		fmt.Fprintf(a.Stderr, "searched for: %s (translated from %s)\n", cli.Printable(translated.Text), cli.Printable(translated.From))
	}
	for _, warning := range response.Warnings {
		fmt.Fprintf(a.Stderr, "note: %s\n", cli.Printable(warning))
	}
	if response.DidYouMean != "" {
		fmt.Fprintf(a.Stderr, "did you mean: %s\n", cli.Printable(response.DidYouMean))
	}
	snapshot, err := library.Reader(ctx)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	for _, hit := range response.Hits {
		if protocol != terminalimage.None {
			drawThumbnail(ctx, a, snapshot, hit.ID, protocol)
		}
		if err := printHit(a.Out, hit); err != nil {
			return err
		}
	}
	return printSummary(a.Out, response)
}

func printHit(w io.Writer, hit contract.Hit) error {
	var out strings.Builder
	name := hit.Path
	if name == "" {
		name = "record " + hit.ID.String()
	}
	fmt.Fprintf(&out, "%3d  %.2f %-6s %s\n", hit.Rank, hit.Probability, hit.Verdict, cli.Printable(name))
	if text := hit.Caption + hit.Text; text != "" {
		fmt.Fprintf(&out, "     %s\n", cli.Printable(text))
	}
	fmt.Fprintf(&out, "     %s\n", cli.Printable(hit.Reason))
	for _, answer := range answersOf(hit) {
		fmt.Fprintf(&out, "     %s\n", cli.Printable(answer))
	}
	switch {
	case hit.Missing:
		out.WriteString("     the file is gone; index its folder again\n")
	case len(hit.Paths) > 1:
		fmt.Fprintf(&out, "     also in %s\n", cli.Counted(len(hit.Paths)-1, "other file", "other files"))
	}
	if hit.Explanation != nil {
		explainHit(&out, hit.Explanation)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// answersOf says what a hit answered: to one question the answer alone, to several with the questions.
func answersOf(hit contract.Hit) (lines []string) {
	if len(hit.Answers) == 0 && hit.AnswerProbability > 0 {
		return []string{fmt.Sprintf("answers %q, %.2f", hit.Answer, hit.AnswerProbability)}
	}
	for _, answer := range hit.Answers {
		lines = append(lines, fmt.Sprintf("%s %q, %.2f", answer.Question, answer.Text, answer.Probability))
	}
	return lines
}

// printAsked says what was answered, and who was left out for it.
func printAsked(out io.Writer, response contract.Response) {
	for _, asked := range response.Asked {
		fmt.Fprintf(out, "%s%s", cli.Printable(asked.Question), cli.Printable(asked.Condition))
		separator := " "
		for _, answer := range asked.Answers {
			fmt.Fprintf(out, "%s%q %d", separator, answer.Value, answer.Count)
			separator = ", "
		}
		fmt.Fprintln(out)
	}
	for _, hit := range response.Filtered {
		fmt.Fprintf(out, "  left out: %s %s\n", cli.Printable(cmp.Or(hit.Path, "record "+hit.ID.String())), cli.Printable(hit.Reason))
	}
}

// explainHit writes the part that each signal played.
func explainHit(out io.Writer, e *contract.Explanation) {
	line := func(format string, arguments ...any) { fmt.Fprintf(out, "       "+format+"\n", arguments...) }
	if leg := e.Vector; leg != nil {
		line("meaning   cosine %.3f (part %d), rank %s%s", leg.Score, e.Part, rankText(leg.Rank), addsText(leg.Contribution))
	}
	if leg := e.Keyword; leg != nil {
		line("words     BM25 %.2f, rank %s%s", leg.Score, rankText(leg.Rank), addsText(leg.Contribution))
	}
	if leg := e.Similarity; leg != nil {
		line("likeness  %.3f, rank %s", leg.Score, rankText(leg.Rank))
	}
	for _, field := range e.Words {
		for _, fragment := range field.Fragments {
			line("%-9s %s", field.Field, cli.Printable(plainFragment(fragment)))
		}
	}
	if e.NameCoverage > 0 {
		line("names     hold %.0f %% of the words, worth %.2f", 100*e.NameCoverage, e.NameProbability)
	}
	line("fused     %.4f, rank %d", e.Fused, e.FusedRank)
	for i, part := range e.Evidence {
		label := ""
		if i == 0 {
			label = "log-odds"
		}
		line("%-9s %+7.3f by %s %.3f", label, part.Adds, part.Feature, part.Value)
	}
	if e.Match == nil {
		return
	}
	line("match     score %.3f, probability %.3f", e.Match.Score, e.Match.Probability)
	for _, clause := range e.Match.Clauses {
		sign := " "
		if clause.Unwanted {
			sign = "-"
		}
		line("  %s %-28s ITM logit %.2f (softmax %.3f), probability %.3f", sign, cli.Printable(clause.Text), clause.Logit, clause.Raw, clause.Probability)
	}
}

// addsText says what a leg added, where legs were fused by weights.
func addsText(contribution float64) string {
	if contribution == 0 {
		return ""
	}
	return fmt.Sprintf(", adds %.3f", contribution)
}

func rankText(rank int) string {
	if rank == 0 {
		return "outside the leg's list"
	}
	return fmt.Sprint(rank)
}

// plainFragment turns an HTML fragment into text with the matches in quotes.
func plainFragment(fragment string) string {
	return html.UnescapeString(strings.NewReplacer("<mark>", "«", "</mark>", "»").Replace(fragment))
}

// nothingMatches says what was looked at, and claims no more.
func nothingMatches(response contract.Response) string {
	library := fmt.Sprintf("%d that the library has", response.Searched)
	switch {
	case response.Searched == 0:
		return "Nothing matches: the library has none of the kind"
	case response.Hidden == 0:
		return "Nothing matches: there is no candidate among the " + library
	case response.Hidden == 1:
		return "Nothing matches: the one candidate, out of the " + library + ", was judged not to match (--show all shows it)"
	}
	return fmt.Sprintf("Nothing matches: none of the %d candidates, out of the %s, was judged to match (--show all shows them)", response.Hidden, library)
}

func printSummary(w io.Writer, response contract.Response) error {
	var out strings.Builder
	printAsked(&out, response)
	switch {
	case len(response.Hits) == 0 && response.Verdict == scoring.VerdictNone:
		out.WriteString(nothingMatches(response))
	case len(response.Hits) == 0:
		fmt.Fprintf(&out, "Nothing on this page")
	default:
		more := ""
		if response.TotalIsLowerBound {
			more = " or more"
		}
		fmt.Fprintf(&out, "%d to %d of %d%s", response.Hits[0].Rank, response.Hits[len(response.Hits)-1].Rank, response.Total, more)
	}
	fmt.Fprintf(&out, ", %.0f ms", response.Timings.TotalMS)
	if response.RerankPlanned > 0 {
		fmt.Fprintf(&out, ", %d of %s matched", response.Reranked, cli.Counted(response.RerankPlanned, "candidate", "candidates"))
	}
	_, err := io.WriteString(w, out.String()+"\n")
	return err
}

// protocol is --thumbnails, or what the terminal can do.
func (o Output) protocol(w io.Writer) (terminalimage.Protocol, error) {
	if o.Thumbnails != "auto" {
		protocol, err := terminalimage.Parse(o.Thumbnails)
		if err != nil {
			return protocol, cli.UsageError("--thumbnails: %w", err)
		}
		return protocol, nil
	}
	if file, ok := w.(*os.File); !ok || !term.IsTerminal(int(file.Fd())) {
		return terminalimage.None, nil
	}
	return terminalimage.Detect(os.Getenv), nil
}

// drawThumbnail draws a hit; one that has no thumbnail is left out.
func drawThumbnail(ctx context.Context, a *cli.App, snapshot index.Reader, id index.ID, protocol terminalimage.Protocol) {
	data, err := snapshot.Thumbnail(ctx, id)
	if err != nil {
		a.Log().Debug("no thumbnail", "record", id, "error", err)
		return
	}
	picture, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		a.Log().Debug("no thumbnail", "record", id, "error", err)
		return
	}
	if err := terminalimage.Draw(a.Out, protocol, shrink(picture, thumbnailPixels), thumbnailRows); err != nil {
		a.Log().Debug("no thumbnail", "record", id, "error", err)
	}
}

// shrink makes a picture at most side pixels wide and high, taking the nearest
// pixels: enough for a terminal.
func shrink(picture image.Image, side int) image.Image {
	bounds := picture.Bounds()
	longest := max(bounds.Dx(), bounds.Dy())
	if longest <= side {
		return picture
	}
	width, height := max(1, bounds.Dx()*side/longest), max(1, bounds.Dy()*side/longest)
	small := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			small.Set(x, y, picture.At(bounds.Min.X+x*bounds.Dx()/width, bounds.Min.Y+y*bounds.Dy()/height))
		}
	}
	return small
}

// openHit shows a hit in the system's viewer.
func openHit(ctx context.Context, response contract.Response, rank int) error {
	for _, hit := range response.Hits {
		if hit.Rank != rank {
			continue
		}
		if hit.Path == "" {
			return fmt.Errorf("hit %d is a text, not a file", rank)
		}
		return cli.OpenFile(ctx, hit.Path)
	}
	return fmt.Errorf("there is no hit %d on this page", rank)
}

// QueryFailure gives an error of the query the exit status of wrong usage, and
// points at the characters it is about.
func QueryFailure(a *cli.App, err error) error {
	var known *contract.Error
	if !errors.As(err, &known) {
		return err
	}
	if known.Position != nil && !a.AsJSON {
		pointer := query.Pointer(known.Query, known.Position.Offset, known.Position.Length)
		fmt.Fprintf(a.Stderr, "  %s\n", strings.ReplaceAll(pointer, "\n", "\n  "))
	}
	switch known.Code {
	case contract.CodeRecordNotFound, contract.CodeSpaceMismatch, contract.CodeUnavailable, contract.CodeImageUndecodable:
		return err
	}
	return cli.WithStatus(cli.ExitUsage, err)
}
