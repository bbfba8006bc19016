package mcp

import (
	"cmp"
	"context"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/keyword"
	"mekiki/search/contract"
	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

// searchInput is what search_images takes.
type searchInput struct {
	Query   string      `json:"query,omitempty" jsonschema:"What the images show, in English words. Commas separate things that must all be there: two cats, a red sofa. A minus excludes: beach -people. Quotes ask for the words themselves in names, captions or tags. Filters can be written in it (tag:family, folder:Italy, after:2024-05, before:2025, person:Ada, rating:>=4, camera:Nikon, text:7731 for part of what stands in the image), and a question to the best hits: dogs ask:\"is it asleep?\"=yes. With filters alone, all that pass are hits."`
	Filters wire.Filter `json:"filters,omitempty"`
	Limit   int         `json:"limit,omitempty" jsonschema:"How many hits to give."`
	Offset  int         `json:"offset,omitempty" jsonschema:"How many hits to skip: next_offset of the answer before gives the next page."`
	Least   string      `json:"least,omitempty" jsonschema:"The least verdict that is shown: strong for sure hits only, weak (what you get if you leave it out) for doubtful ones too, all for everything that was considered."`
	Sort    string      `json:"sort,omitempty" jsonschema:"The order: relevance (what you get if you leave it out), or by date."`
}

// hit is one image of an answer.
type hit struct {
	ID          string   `json:"id" jsonschema:"names the image for other tools"`
	Path        string   `json:"path,omitempty" jsonschema:"the file"`
	Caption     string   `json:"caption,omitempty" jsonschema:"written by a model; may be wrong"`
	Text        string   `json:"text,omitempty" jsonschema:"the text of a text record"`
	Words       []string `json:"words_in_picture,omitempty" jsonschema:"lines of words in the image that the query's words matched"`
	Title       string   `json:"title,omitempty"`
	Taken       string   `json:"taken,omitempty" jsonschema:"what the camera's clock showed"`
	Tags        []string `json:"tags,omitempty"`
	Probability float64  `json:"probability" jsonschema:"calibrated chance that it is what was asked for, 0 to 1"`
	Verdict     string   `json:"verdict" jsonschema:"strong, weak or none"`
	Why         string   `json:"why" jsonschema:"why it is here, in one line"`
	Answer      string   `json:"answer,omitempty" jsonschema:"what it answered to the question in the query"`
	Missing     bool     `json:"missing,omitempty" jsonschema:"the file is gone; a thumbnail is left"`
}

// hits are an answer of search_images or find_similar.
type hits struct {
	Hits       []hit    `json:"hits" jsonschema:"best first"`
	Total      int      `json:"total" jsonschema:"hits of all pages"`
	AtLeast    bool     `json:"total_is_lower_bound,omitempty" jsonschema:"there may be more than total"`
	Hidden     int      `json:"hidden" jsonschema:"candidates below the least verdict"`
	NextOffset int      `json:"next_offset,omitempty" jsonschema:"offset of the next page; absent at the end"`
	Verdict    string   `json:"verdict" jsonschema:"verdict of the best candidate: none means that nothing matches"`
	DidYouMean string   `json:"did_you_mean,omitempty" jsonschema:"another query to try"`
	Warnings   []string `json:"warnings,omitempty"`
}

// similarInput is what find_similar takes.
type similarInput struct {
	picture
	Filters wire.Filter `json:"filters,omitempty"`
	Limit   int         `json:"limit,omitempty" jsonschema:"How many hits to give."`
	Offset  int         `json:"offset,omitempty" jsonschema:"How many hits to skip."`
}

// picture names an image that a tool works on.
type picture struct {
	ID     string  `json:"id,omitempty" jsonschema:"The image's id, as other tools give it. Give this or path."`
	Path   string  `json:"path,omitempty" jsonschema:"The absolute path of the image's file, in place of id."`
	Region *region `json:"region,omitempty" jsonschema:"A part of the image, in place of all of it."`
}

// region is a part of an image.
type region struct {
	X      float64 `json:"x" jsonschema:"left edge, as a fraction of the width from 0 to 1"`
	Y      float64 `json:"y" jsonschema:"upper edge, as a fraction of the height from 0 to 1"`
	Width  float64 `json:"width" jsonschema:"fraction of the width"`
	Height float64 `json:"height" jsonschema:"fraction of the height"`
}

// pictureBounds are those of the members of picture, and further ones.
func pictureBounds(more bounds) bounds {
	all := bounds{"id": id, "path": text(maximumWords)}
	for name, bound := range more {
		all[name] = bound
	}
	return all
}

func (t *Tools) addSearches(server *sdk.Server) {
	add(t, server, t.Compute, tool{
		name: "search_images", title: "Search images",
		description: "Find images of the library by what they show, by words in names, captions, tags and in the images, and by filters. Start here. " +
			"Each hit has an id for other tools, a caption, a probability and why it was found. Look at hits with get_image before relying on them.",
		bounds: bounds{
			"query": words, "limit": number(1, maximumHits, defaultHits), "offset": number(0, maximumSkipped, 0), "least": verdicts,
			"sort": oneOf(string(contract.SortRelevance), string(contract.SortDateDescending), string(contract.SortDateAscending)),
		},
	}, t.search)
	add(t, server, t.Compute, tool{
		name: "find_similar", title: "Find similar images",
		description: "Find images that look like one image of the library, or like a part of it. Use it to gather variants, the same place or the same object.",
		bounds:      pictureBounds(bounds{"limit": number(1, maximumHits, defaultHits), "offset": number(0, maximumSkipped, 0)}),
	}, t.similar)
}

func (t *Tools) search(ctx context.Context, asked searchInput) (found hits, _ []sdk.Content, err error) {
	request := contract.Request{
		Text: asked.Query, Limit: cmp.Or(asked.Limit, defaultHits), Offset: asked.Offset, Show: contract.Show(asked.Least), Sort: contract.Sort(asked.Sort), Highlight: true,
	}
	if request.Filter, err = asked.Filters.Parse("filters."); err != nil {
		return found, nil, err
	}
	response, err := t.Searcher.Search(ctx, request)
	if err != nil {
		return found, nil, err
	}
	t.Measure(response.Timings)
	t.Correct(ctx, &response)
	return hitsOf(response), nil, nil
}

func (t *Tools) similar(ctx context.Context, asked similarInput) (found hits, _ []sdk.Content, err error) {
	request := contract.Request{Limit: cmp.Or(asked.Limit, defaultHits), Offset: asked.Offset}
	if request.Filter, err = asked.Filters.Parse("filters."); err != nil {
		return found, nil, err
	}
	if request.Record, request.Image, err = t.find(ctx, asked.picture); err != nil {
		return found, nil, err
	}
	request.Crop = asked.Region.rectangle()
	response, err := t.Searcher.Similar(ctx, request)
	if err != nil {
		return found, nil, err
	}
	t.Measure(response.Timings)
	return hitsOf(response), nil, nil
}

// rectangle gives the region as searches take it; nil for none.
func (r *region) rectangle() *contract.Rectangle {
	if r == nil {
		return nil
	}
	return &contract.Rectangle{X: r.X, Y: r.Y, Width: r.Width, Height: r.Height}
}

// find gives the image that is named: a record, or a file that is not in the library.
func (t *Tools) find(ctx context.Context, named picture) (record index.ID, image *pixels.Image, err error) {
	switch {
	case (named.ID == "") == (named.Path == ""):
		return 0, nil, problem.New(problem.InvalidRequest, "give either the id or the path of an image")
	case named.ID != "":
		if record, err = wire.ParseID("id", named.ID); err != nil {
			return 0, nil, err
		}
		return record, nil, t.Library.CheckImage(ctx, "id", record)
	}
	err = t.Library.Read(ctx, func(reader index.Reader) error {
		known, err := index.One(reader.RecordsByPath(ctx, []string{named.Path}))
		if err == nil && known != nil && known.Kind == index.KindImage {
			record = known.ID
		}
		return err
	})
	switch {
	case err != nil || record != 0:
		return record, nil, err
	case t.OpenFile == nil:
		return 0, nil, problem.Newf(problem.NotFound, "the library has no image of the path %q", problem.Shorten(named.Path, maximumTagRunes))
	}
	image, err = t.OpenFile(ctx, named.Path)
	return 0, image, err
}

// image is find where the record itself is needed.
func (t *Tools) image(ctx context.Context, field, named string) (record *index.Record, err error) {
	number, err := wire.ParseID(field, named)
	if err != nil {
		return nil, err
	}
	err = t.Library.Read(ctx, func(reader index.Reader) error {
		record, err = api.ImageIn(ctx, reader, number)
		return err
	})
	return record, err
}

func hitsOf(response contract.Response) hits {
	found := hits{
		Hits: make([]hit, len(response.Hits)), Total: response.Total, AtLeast: response.TotalIsLowerBound, Hidden: response.Hidden,
		NextOffset: response.Next, Verdict: string(response.Verdict), DidYouMean: response.DidYouMean, Warnings: response.Warnings,
	}
	for i, one := range response.Hits {
		found.Hits[i] = hit{
			ID: one.ID.String(), Path: cmp.Or(one.Path, one.Name), Caption: one.Caption, Text: one.Text, Title: one.Title, Tags: one.Tags,
			Probability: one.Probability, Verdict: string(one.Verdict), Why: one.Reason, Answer: one.Answer, Missing: one.Missing,
		}
		if one.Taken != nil {
			found.Hits[i].Taken = one.Taken.Format("2006-01-02T15:04:05")
		}
		for _, marked := range one.Highlights {
			if marked.Field == keyword.FieldOCR {
				found.Hits[i].Words = append(found.Hits[i].Words, marked.Text)
			}
		}
		if len(one.Answers) > 1 {
			found.Hits[i].Answer = answersOf(one.Answers)
		}
	}
	return found
}

// answersOf writes the answers to several questions as one text.
func answersOf(answers []contract.HitAnswer) string {
	all := ""
	for i, answer := range answers {
		if i > 0 {
			all += "; "
		}
		all += fmt.Sprintf("%s %s", answer.Question, answer.Text)
	}
	return all
}
