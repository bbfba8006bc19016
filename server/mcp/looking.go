package mcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/pictures"
	"mekiki/search/contract"
	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

// lookInput is what get_image takes.
type lookInput struct {
	IDs    []string `json:"ids" jsonschema:"The ids of the images to look at, as other tools give them."`
	Side   int      `json:"side,omitempty" jsonschema:"The longest side of what you get, in pixels. Small ones cost you less."`
	Region *region  `json:"region,omitempty" jsonschema:"A part of the images, to see more detail of it."`
}

// seen is an image that was given as content, or why it was not.
type seen struct {
	ID      string `json:"id"`
	Path    string `json:"path,omitempty"`
	Caption string `json:"caption,omitempty"`
	Width   int    `json:"width,omitempty" jsonschema:"of the original, in pixels"`
	Height  int    `json:"height,omitempty" jsonschema:"of the original, in pixels"`
	Note    string `json:"note,omitempty" jsonschema:"what to know of what you see"`
	Error   string `json:"error,omitempty" jsonschema:"why there is no picture"`
}

// look is an answer of get_image.
type look struct {
	Images []seen `json:"images" jsonschema:"in the order asked for; those without error are in the content, in this order"`
}

// describeInput is what describe_image takes.
type describeInput struct {
	ID string `json:"id" jsonschema:"The image's id, as other tools give it."`
}

// description is what the library knows of an image.
type description struct {
	ID          string    `json:"id"`
	Paths       []string  `json:"paths,omitempty" jsonschema:"all files that hold the image"`
	Name        string    `json:"name,omitempty" jsonschema:"what an uploaded file was called"`
	Captions    []caption `json:"captions" jsonschema:"written by a model, best first; may be wrong"`
	Words       []string  `json:"words_in_picture,omitempty" jsonschema:"lines of words that stand in the image, from top to bottom, read by a model"`
	Format      string    `json:"format,omitempty"`
	Width       int       `json:"width" jsonschema:"in pixels"`
	Height      int       `json:"height" jsonschema:"in pixels"`
	Bytes       int64     `json:"bytes,omitempty"`
	Taken       string    `json:"taken,omitempty" jsonschema:"what the camera's clock showed"`
	Title       string    `json:"title,omitempty"`
	Description string    `json:"description,omitempty" jsonschema:"what the author or people of the library wrote"`
	Place       string    `json:"place,omitempty"`
	Latitude    *float64  `json:"latitude,omitempty"`
	Longitude   *float64  `json:"longitude,omitempty"`
	Camera      string    `json:"camera,omitempty"`
	Lens        string    `json:"lens,omitempty"`
	Creator     string    `json:"creator,omitempty"`
	Copyright   string    `json:"copyright,omitempty"`
	People      []string  `json:"people,omitempty"`
	Rating      *int      `json:"rating,omitempty" jsonschema:"1 to 5, or -1 for rejected"`
	Favourite   bool      `json:"favourite,omitempty"`
	Hidden      bool      `json:"hidden,omitempty" jsonschema:"left out of searches"`
	InTrash     bool      `json:"in_trash,omitempty"`
	Tags        []string  `json:"tags" jsonschema:"given in this library"`
	Keywords    []string  `json:"keywords,omitempty" jsonschema:"from the file"`
	Collections []string  `json:"collections,omitempty"`
	Damage      string    `json:"damage,omitempty" jsonschema:"what is wrong with the file"`
	ResourceURI string    `json:"resource_uri" jsonschema:"the picture as a resource"`
}

// caption is one caption of an image.
type caption struct {
	Text string `json:"text"`
	// Match is how well the model thinks that it fits.
	Match *float32 `json:"match,omitempty" jsonschema:"chance that the caption fits, by the matching model"`
}

func (t *Tools) addLooking(server *sdk.Server) {
	add(t, server, t.Compute, tool{
		name: "get_image", title: "Look at images",
		description: fmt.Sprintf("See up to %d images, each at most %d pixels wide and high. Ask for a region to see details. "+
			"Look before you describe, compare or tag: captions can be wrong.", MaximumPictures, MaximumSide),
		bounds: bounds{"ids": list(1, MaximumPictures, id), "side": number(minimumSide, MaximumSide, MaximumSide)},
	}, t.look)
	add(t, server, t.Read, tool{
		name: "describe_image", title: "What is known of an image",
		description: "All that the library knows of one image without looking at it: files, captions, words in it, date, place, people, tags, collections, camera.",
		bounds:      bounds{"id": id},
	}, t.describe)
}

func (t *Tools) look(ctx context.Context, asked lookInput) (answer look, content []sdk.Content, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	side := cmp.Or(asked.Side, MaximumSide)
	answer.Images = make([]seen, 0, len(asked.IDs))
	given := 0
	for _, named := range asked.IDs {
		record, err := t.image(ctx, "ids", named)
		if err == nil {
			shown := seenOf(record)
			var file []byte
			if file, shown.Note, err = t.show(ctx, record, asked.Region.rectangle(), side); err == nil {
				answer.Images, given = append(answer.Images, shown), given+1
				content = append(content, &sdk.TextContent{Text: shown.label()}, &sdk.ImageContent{Data: file, MIMEType: pixels.JPEG.MediaType()})
				continue
			}
		}
		if ctx.Err() != nil {
			return answer, nil, ctx.Err()
		}
		if len(asked.IDs) == 1 {
			return answer, nil, err
		}
		failed := seen{ID: named, Error: t.explain(ctx, "get_image", err).Error()}
		answer.Images = append(answer.Images, failed)
		content = append(content, &sdk.TextContent{Text: "Image " + named + ": " + failed.Error})
	}
	if given == 0 {
		return answer, nil, problem.New(problem.NotFound, "none of these images can be shown: "+answer.Images[0].Error)
	}
	return answer, content, nil
}

func seenOf(record *index.Record) seen {
	return seen{ID: record.ID.String(), Path: cmp.Or(record.Name(), record.Path()), Caption: record.Caption(), Width: record.Width, Height: record.Height}
}

// label says which image comes next.
func (s seen) label() string {
	parts := []string{"Image " + s.ID}
	for _, part := range []string{s.Path, s.Note} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ") + ":"
}

// show gives a JPEG of a record or a part of it, and what to know of it.
func (t *Tools) show(ctx context.Context, record *index.Record, part *contract.Rectangle, side int) (file []byte, note string, err error) {
	if part != nil {
		if err := part.Validate(); err != nil {
			return nil, "", err
		}
	}
	err = t.Library.Read(ctx, func(reader index.Reader) error {
		if part != nil || side > index.ThumbnailSide {
			file, err = t.showOriginal(ctx, reader, record, part, side)
			if err == nil || part != nil || ctx.Err() != nil {
				return err
			}
			note = "the original cannot be read, so that this is its thumbnail"
		}
		if file, err = reader.Thumbnail(ctx, record.ID); err != nil || side >= index.ThumbnailSide {
			return err
		}
		small, err := t.Decoder.Decode(ctx, file)
		if err == nil {
			file, err = pixels.Thumbnail(small, side, pictureQuality)
		}
		return err
	})
	return file, note, err
}

func (t *Tools) showOriginal(ctx context.Context, reader index.Reader, record *index.Record, part *contract.Rectangle, side int) ([]byte, error) {
	original, release, err := pictures.Hold(ctx, reader, t.Decoder, record.ID)
	switch {
	case errors.Is(err, pictures.ErrNoOriginal):
		return nil, problem.New(problem.Unavailable, "the original file has moved, changed or been deleted since it was indexed, so that no region of it can be shown")
	case err != nil:
		return nil, err
	}
	defer release()
	if part != nil {
		if original, err = pixels.Crop(original, part.Pixels(original.Width, original.Height)); err != nil {
			return nil, problem.Invalid("region", "holds no pixel; give a larger one")
		}
	}
	return pixels.Thumbnail(original, side, pictureQuality)
}

func (t *Tools) describe(ctx context.Context, asked describeInput) (description, []sdk.Content, error) {
	record, err := t.image(ctx, "id", asked.ID)
	if err != nil {
		return description{}, nil, err
	}
	return descriptionOf(record), nil, nil
}

func descriptionOf(record *index.Record) description {
	known := &record.Metadata
	described := description{
		ID: record.ID.String(), Paths: record.Paths(), Captions: []caption{}, Format: record.Format, Width: record.Width, Height: record.Height,
		Bytes: record.Bytes, Title: record.Title(), Description: record.Description(), Place: known.Place, Latitude: known.Latitude, Longitude: known.Longitude,
		Camera: known.Camera, Lens: known.Lens, Creator: known.Creator, Copyright: known.Copyright, People: record.People(), Rating: record.Rating(),
		Favourite: record.Favourite(), Hidden: record.Hidden(), InTrash: record.InTrash(), Tags: append([]string{}, record.Tags...),
		Keywords: known.Keywords, Collections: record.Collections(), Damage: record.Damage, ResourceURI: imageURI(record.ID),
	}
	if name := record.Name(); name != record.Path() {
		described.Name = name
	}
	if taken := record.Taken(); !taken.IsZero() {
		described.Taken = taken.Format("2006-01-02T15:04:05")
	}
	lines := record.OCR.Texts()
	described.Words = lines[:min(len(lines), maximumLines)]
	for _, one := range record.Captions {
		described.Captions = append(described.Captions, captionOf(one))
	}
	return described
}

func captionOf(one index.Caption) caption {
	if one.Match < 0 {
		return caption{Text: one.Text}
	}
	return caption{Text: one.Text, Match: &one.Match}
}

// resourceScheme begins the names of images as resources.
const resourceScheme = "mekiki://image/"

func imageURI(record index.ID) string { return resourceScheme + record.String() }

func (t *Tools) addResources(server *sdk.Server) {
	server.AddResourceTemplate(&sdk.ResourceTemplate{
		Name: "image", Title: "Image", URITemplate: resourceScheme + "{id}", MIMEType: pixels.JPEG.MediaType(),
		Description: fmt.Sprintf("An image of the library by its id, as a JPEG of at most %d pixels.", MaximumSide),
	}, t.readResource)
}

func (t *Tools) readResource(ctx context.Context, request *sdk.ReadResourceRequest) (result *sdk.ReadResourceResult, err error) {
	address := request.Params.URI
	number, err := wire.ParseID("id", strings.TrimPrefix(address, resourceScheme))
	if err != nil {
		return nil, sdk.ResourceNotFoundError(address)
	}
	err = t.Compute(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, lookTime)
		defer cancel()
		var record *index.Record
		err := t.Library.Read(ctx, func(reader index.Reader) (err error) {
			record, err = api.ImageIn(ctx, reader, number)
			return err
		})
		if err != nil {
			return err
		}
		file, _, err := t.show(ctx, record, nil, MaximumSide)
		result = &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: address, MIMEType: pixels.JPEG.MediaType(), Blob: file}}}
		return err
	})
	switch p := problem.From(err); {
	case err == nil:
		return result, nil
	case p.Code == problem.NotFound:
		return nil, sdk.ResourceNotFoundError(address)
	}
	return nil, t.explain(ctx, "resource", err)
}
