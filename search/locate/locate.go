package locate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/inputs"
	"mekiki/search/query"
	"mekiki/search/scoring"
	"mekiki/search/words"
)

// Request asks where in a picture a text is. One of Image and Record is set.
type Request struct {
	// Image is a picture. The Searcher does not change it.
	Image *pixels.Image
	// Record is an image of the library, whose stored image tokens suffice.
	Record index.ID
	// Text is in the query language. Its wanted clauses are located, each by itself;
	// filters, unwanted clauses and questions have no place in a picture.
	Text string
	// Method is embed.MapAttention when empty.
	Method embed.MapMethod
	// Progress is told of the runs of embed.MapOcclusion; it may be nil.
	Progress func(done, total int)
}

// Response is a map of a picture. Its JSON is a public contract.
type Response struct {
	// Clauses are the texts that were located.
	Clauses []string `json:"clauses"`
	// Method says how.
	Method embed.MapMethod `json:"method"`
	// Rows and Columns are the size of the map: of the patches that the model reads.
	Rows    int `json:"rows"`
	Columns int `json:"columns"`
	// Values are Rows lists of Columns numbers from 0 to 1, from the upper left; of
	// several clauses the largest.
	Values [][]float32 `json:"values"`
	// Probability is the calibrated chance that all clauses are true of the picture,
	// from matching and likeness alone: words of names and captions have no say.
	Probability float64 `json:"probability"`
	// Region is the box around the strongest cells, in shares of the picture; nil where
	// nothing in the picture speaks for the text.
	Region *contract.Rectangle `json:"region,omitempty"`
	// Place names the part of the picture that the region lies in, and Where says it in a
	// few English words.
	Place embed.Place `json:"place"`
	Where string      `json:"where"`
	// Runs counts the runs of the model.
	Runs int `json:"runs"`
}

// Map is the map for drawing.
func (r Response) Map() embed.Map {
	return embed.Map{Rows: r.Rows, Columns: r.Columns, Values: slices.Concat(r.Values...), Method: r.Method, Runs: r.Runs}
}

// Engine is what InTokens needs of a model; *embed.Engine is one.
type Engine interface {
	embed.TextEmbedder
	embed.ImageEmbedder
	embed.Locator
}

var _ Engine = (*embed.Engine)(nil)

// Locator says where in pictures of a library texts are.
type Locator struct {
	Library index.Source
	// Engine is nil where no model is open.
	Engine      inputs.Engine
	Model       *inputs.Model
	Calibration scoring.Calibration
}

// Locate says where in a picture a text is. What the caller can put right is an *Error.
func (l *Locator) Locate(ctx context.Context, request Request) (Response, error) {
	engine, can := l.Engine.(Engine)
	if !can || !l.Engine.Capabilities().Match {
		return Response{}, &contract.Error{Code: contract.CodeUnavailable, Message: "no model is open that matches pictures with texts", Remedy: "open a model that can match"}
	}
	if request.Image == nil && request.Record == 0 {
		return Response{}, &contract.Error{Code: contract.CodeEmptyRequest, Field: "record", Message: "there is no picture to look at", Remedy: "give an image or a record"}
	}
	if _, err := request.clauses(); err != nil {
		return Response{}, err
	}
	snapshot, err := l.Library.Reader(ctx)
	if err != nil {
		return Response{}, fmt.Errorf("read library: %w", err)
	}
	defer snapshot.Close()
	if err := inputs.CheckRecord(ctx, snapshot, request.Record); err != nil {
		return Response{}, err
	}
	tokens, err := l.Model.Tokens(ctx, snapshot, inputs.Picture{Image: request.Image, Record: request.Record})
	if err != nil {
		return Response{}, err
	}
	return InTokens(ctx, engine, l.Calibration, tokens, request)
}

// Validate checks a request as Locate does, without a library or a model: what the
// caller can put right is an *Error.
func (r Request) Validate() error {
	_, err := r.clauses()
	return err
}

// clauses are the texts to locate.
func (r Request) clauses() ([]string, error) {
	if r.Method != "" && r.Method != embed.MapAttention && r.Method != embed.MapOcclusion {
		return nil, contract.InvalidOption("method", fmt.Sprintf("choose %s or %s", embed.MapAttention, embed.MapOcclusion), "there is no method %q", string(r.Method))
	}
	parsed, err := query.Parse(r.Text, query.Options{})
	if err != nil {
		return nil, contract.QueryError(err)
	}
	var texts []string
	for _, clause := range parsed.Clauses {
		if strings.ContainsFunc(clause.Text, words.SaysSomething) {
			texts = append(texts, clause.Text)
		}
	}
	if len(texts) == 0 {
		return nil, &contract.Error{Code: contract.CodeEmptyRequest, Field: "text", Message: "there are no words to locate", Remedy: "say what to look for in the picture, such as a cat"}
	}
	return texts, nil
}

// InTokens is Locate of a picture whose image tokens are at hand; the request's
// picture is not looked at.
func InTokens(ctx context.Context, engine Engine, calibration scoring.Calibration, tokens embed.ImageTokens, request Request) (Response, error) {
	texts, err := request.clauses()
	if err != nil {
		return Response{}, err
	}
	parts, err := engine.ImageParts(ctx, []embed.ImageTokens{tokens})
	if err != nil {
		return Response{}, fmt.Errorf("embed picture: %w", err)
	}
	vectors, err := engine.TextVectors(ctx, texts)
	if err != nil {
		return Response{}, fmt.Errorf("embed texts: %w", err)
	}
	response := Response{Clauses: texts, Probability: 1}
	var joined embed.Map
	for i, text := range texts {
		found, err := engine.Locate(ctx, tokens, text, embed.LocateOptions{Method: request.Method, Progress: request.Progress})
		if err != nil {
			return Response{}, err
		}
		similarity, _ := parts[0].Similarity(vectors[i])
		odds := calibration.Odds(scoring.Evidence{ITM: float64(found.Match.Logit()), ITC: float64(similarity), ContentWords: len(words.Terms(text))})
		response.Probability = min(response.Probability, contract.Round(scoring.Sigmoid(odds)))
		response.Runs += found.Runs
		if i == 0 {
			joined = found
			continue
		}
		for cell, value := range found.Values {
			joined.Values[cell] = max(joined.Values[cell], value)
		}
	}
	response.describe(joined)
	return response, nil
}

// describe takes over a map.
func (r *Response) describe(found embed.Map) {
	r.Method, r.Rows, r.Columns, r.Place, r.Where = found.Method, found.Rows, found.Columns, found.Place(), found.Place().String()
	for row := range slices.Chunk(found.Values, found.Columns) {
		rounded := make([]float32, len(row))
		for i, value := range row {
			rounded[i] = float32(math.Round(float64(value)*1000) / 1000)
		}
		r.Values = append(r.Values, rounded)
	}
	if region, some := found.Region(); some {
		r.Region = &contract.Rectangle{X: contract.Round(region.Left), Y: contract.Round(region.Top), Width: contract.Round(region.Right - region.Left), Height: contract.Round(region.Bottom - region.Top)}
	}
}
