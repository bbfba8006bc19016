package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/internal/hint"
	"mekiki/search"
)

const similarLong = `Find pictures like a picture: an image file, or an image of the library by the
id that "mekiki search --json" gives. --crop looks for a part of it, and words
after it narrow the answer: "like this, but at night".

With --duplicates there is no picture to give: it lists groups of images of the
library that are the same, by bytes, as a picture (scaled or recompressed), or
as a scene.

Exit status: 0 something was found; 4 nothing was; 1 failed; 2 wrong usage.`

func newSimilarCommand(app *app) *cobra.Command {
	var ranking ranking
	var output output
	var crop, duplicates string
	command := &cobra.Command{
		Use:   "similar IMAGE|ID [WORDS…]",
		Short: "Find pictures like a picture, and duplicates",
		Long:  similarLong,
		Example: `  mekiki similar photo.jpg
  mekiki similar photo.jpg at night -k 5
  mekiki similar 42 --crop 0.5,0,0.5,1
  mekiki similar --duplicates picture --json`,
		RunE: func(command *cobra.Command, arguments []string) error {
			if duplicates != "" {
				if len(arguments) > 0 {
					return usage("--duplicates takes no picture")
				}
				return app.findDuplicates(command.Context(), search.DuplicateLevel(duplicates), ranking)
			}
			if len(arguments) == 0 {
				return hint.Wrap(usage("\"mekiki similar\" needs IMAGE|ID, or --duplicates"), "mekiki similar photo.jpg, or mekiki similar --help")
			}
			request, err := ranking.request(output.explain)
			if err != nil {
				return err
			}
			request.Text = strings.Join(arguments[1:], " ")
			if request.Image, request.Record, err = readPicture(command.Context(), arguments[0]); err != nil {
				return err
			}
			if request.Crop, err = parseCrop(crop); err != nil {
				return err
			}
			return app.answerRequest(command.Context(), request, output)
		},
	}
	ranking.addFlags(command.Flags())
	output.addFlags(command.Flags())
	command.Flags().StringVar(&crop, "crop", "", "part of the picture: x,y,width,height as fractions of its size")
	command.Flags().StringVar(&duplicates, "duplicates", "", "list groups that are the same: bytes, picture or scene")
	return command
}

// readPicture reads an image file, or the id of a record where there is no
// such file.
func readPicture(ctx context.Context, argument string) (*pixels.Image, index.ID, error) {
	file, err := os.Open(argument)
	if errors.Is(err, os.ErrNotExist) {
		if id, parseErr := index.ParseID(argument); parseErr == nil {
			return nil, id, nil
		}
		return nil, 0, hint.Wrap(fmt.Errorf("%s is neither a file nor the id of a record", argument), `"mekiki search --json" gives ids`)
	}
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, 0, hint.Wrap(fmt.Errorf("%s is a folder and no image", argument), "give an image file, or the id of a record")
	}
	data, err := io.ReadAll(io.LimitReader(file, pixels.DefaultMaxBytes+1))
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", argument, err)
	}
	picture, err := pixels.Decode(ctx, data, pixels.Options{})
	if err != nil {
		return nil, 0, hint.Wrap(fmt.Errorf("decode %s: %w", argument, err), "give a "+pixels.Titles("or")+" file")
	}
	return picture, 0, nil
}

// parseCrop reads --crop.
func parseCrop(text string) (*search.Rectangle, error) {
	if text == "" {
		return nil, nil
	}
	fields := strings.Split(text, ",")
	if len(fields) != 4 {
		return nil, usage("--crop takes four numbers with commas between them, not %q", text)
	}
	var values [4]float64
	for i, field := range fields {
		value, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
		if err != nil {
			return nil, usage("--crop: %q is no number", field)
		}
		values[i] = value
	}
	return &search.Rectangle{X: values[0], Y: values[1], Width: values[2], Height: values[3]}, nil
}

// findDuplicates lists groups of images that are the same. It needs no model.
func (a *app) findDuplicates(ctx context.Context, level search.DuplicateLevel, r ranking) (err error) {
	if err := checkBounds(r.limit, r.budget); err != nil {
		return err
	}
	library, err := a.openLibrary(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = joinErrors(err, library.Close()) }()
	searcher, err := search.New(search.FromIndex(library), nil, search.Options{Logger: a.log(), Decoder: library.Decoder()})
	if err != nil {
		return err
	}
	response, err := searcher.Duplicates(ctx, search.DuplicatesRequest{Level: level, Limit: r.limit, Offset: r.offset})
	if err != nil {
		return a.queryFailure(err)
	}
	if a.asJSON {
		err = a.printJSON(response)
	} else {
		err = a.printDuplicates(response)
	}
	if err == nil && response.Total == 0 {
		return withStatus(exitNothing, nil)
	}
	return err
}

func (a *app) printDuplicates(response search.DuplicatesResponse) error {
	var out strings.Builder
	for i, group := range response.Groups {
		fmt.Fprintf(&out, "group %d: %d files, %d bytes in all but the first\n", i+1, len(group.Members), group.ReclaimableBytes)
		for _, member := range group.Members {
			fmt.Fprintf(&out, "  %.2f  %dx%d  %d bytes  %s\n", member.Similarity, member.Width, member.Height, member.Bytes, printable(member.Path))
		}
	}
	for _, warning := range response.Warnings {
		fmt.Fprintf(a.stderr, "note: %s\n", printable(warning))
	}
	fmt.Fprintf(&out, "%s among %s, %.0f ms\n", counted(response.Total, "group", "groups"), counted(response.Examined, "image", "images"), response.Timings.TotalMS)
	_, err := io.WriteString(a.out, out.String())
	return err
}
