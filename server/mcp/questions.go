package mcp

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"mekiki/index"
	"mekiki/search/ask"
	"mekiki/search/contract"
	"mekiki/search/lookup"
	"mekiki/server/problem"
)

// askInput is what ask_image takes.
type askInput struct {
	picture
	Question string `json:"question" jsonschema:"One short question about what can be seen, in English, such as: how many people are there? is it raining?"`
}

// answered is an answer of ask_image.
type answered struct {
	Answer      string  `json:"answer"`
	Probability float64 `json:"answer_probability" jsonschema:"how likely the model thinks this very text is: how sure it is, not how often it is right"`
	Model       string  `json:"model"`
}

// textsInput is what find_texts takes.
type textsInput struct {
	picture
	Texts []string `json:"texts,omitempty" jsonschema:"Texts of your own to choose among, such as labels. Without any, the texts and captions of the library are searched."`
	Limit int      `json:"limit,omitempty" jsonschema:"How many texts to give."`
	Least string   `json:"least,omitempty" jsonschema:"The least verdict that is shown; of texts of your own, all are shown if you leave it out."`
}

// foundText is one text that describes an image.
type foundText struct {
	Text        string  `json:"text"`
	Source      string  `json:"source" jsonschema:"text (of the library), caption (of an image) or label (one of yours)"`
	ID          string  `json:"id,omitempty" jsonschema:"the text record, or the image whose caption it is"`
	ExternalID  string  `json:"external_id,omitempty"`
	Probability float64 `json:"probability" jsonschema:"calibrated chance that it describes the image, 0 to 1"`
	Verdict     string  `json:"verdict" jsonschema:"strong, weak or none"`
}

// foundTexts are an answer of find_texts.
type foundTexts struct {
	Texts   []foundText `json:"texts" jsonschema:"best first"`
	Total   int         `json:"total"`
	Verdict string      `json:"verdict" jsonschema:"of the best text"`
}

func (t *Tools) addQuestions(server *sdk.Server) {
	if t.Asker != nil {
		add(t, server, t.Compute, tool{
			name: "ask_image", title: "Ask about an image",
			description: "Have the library's own vision-language model answer a short question about one image. It is small: check what matters with get_image. " +
				"To ask many images at once, put ask:\"question\" into the query of search_images.",
			bounds: pictureBounds(bounds{"question": text(ask.MaximumQuestion)}),
		}, t.ask)
	}
	add(t, server, t.Compute, tool{
		name: "find_texts", title: "Find texts for an image",
		description: "Find which texts describe an image best: among texts that you give (labels, statements to check), or among the texts and captions of the library.",
		bounds: pictureBounds(bounds{
			"texts": list(0, maximumLabels, words), "limit": number(1, maximumTexts, defaultTexts), "least": verdicts,
		}),
	}, t.findTexts)
}

func (t *Tools) ask(ctx context.Context, asked askInput) (answer answered, _ []sdk.Content, err error) {
	question := ask.Question{Text: asked.Question}
	if err := question.Validate(); err != nil {
		return answer, nil, problem.New(problem.InvalidRequest, err.Error())
	}
	if asked.Region != nil {
		return answer, nil, problem.Invalid("region", "is not taken by ask_image: ask about the whole image, or look at the region with get_image")
	}
	record, image, err := t.find(ctx, asked.picture)
	if err != nil {
		return answer, nil, err
	}
	var shown ask.Picture
	if image != nil {
		shown, err = t.Asker.Image(ctx, image, hashOf(image.Width, image.Height, image.Pix))
	} else {
		shown, err = t.askedRecord(ctx, record)
	}
	if err != nil {
		return answer, nil, err
	}
	said, err := t.Asker.Answer(ctx, shown, question, nil)
	return answered{Answer: said.Text, Probability: contract.Round(said.Probability), Model: t.Asker.Model().Name}, nil, err
}

func (t *Tools) askedRecord(ctx context.Context, record index.ID) (shown ask.Picture, err error) {
	err = t.Library.Read(ctx, func(reader index.Reader) error {
		read, problems, err := t.Asker.Records(ctx, reader, []index.ID{record})
		if err != nil {
			return err
		}
		shown = read[0]
		return problems[0]
	})
	return shown, err
}

// hashOf names the pixels of an image, so that answers about it can be kept.
func hashOf(width, height int, pixels []byte) index.Hash {
	sum := sha256.New()
	var size [16]byte
	binary.LittleEndian.PutUint64(size[:8], uint64(width))
	binary.LittleEndian.PutUint64(size[8:], uint64(height))
	sum.Write(size[:])
	sum.Write(pixels)
	return index.Hash(sum.Sum(nil))
}

func (t *Tools) findTexts(ctx context.Context, asked textsInput) (found foundTexts, _ []sdk.Content, err error) {
	request := lookup.Request{Labels: asked.Texts, Limit: cmp.Or(asked.Limit, defaultTexts), Show: contract.Show(asked.Least), Crop: asked.Region.rectangle()}
	if request.Record, request.Image, err = t.find(ctx, asked.picture); err != nil {
		return found, nil, err
	}
	response, err := t.Searcher.Lookup(ctx, request)
	if err != nil {
		return found, nil, err
	}
	t.Measure(response.Timings)
	found = foundTexts{Texts: make([]foundText, len(response.Texts)), Total: response.Total, Verdict: string(response.Verdict)}
	for i, one := range response.Texts {
		found.Texts[i] = foundText{
			Text: one.Text, Source: string(one.Source), ExternalID: one.ExternalID, Probability: one.Probability, Verdict: string(one.Verdict),
		}
		if one.ID != 0 {
			found.Texts[i].ID = one.ID.String()
		}
	}
	return found, nil, nil
}
