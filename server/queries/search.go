// Package queries serves what is asked of the whole library: search, similar and duplicate pictures, texts and labels for
// a picture, where in a picture a text is, and completions of a query.
package queries

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/index/excerpt"
	"mekiki/index/facets"
	"mekiki/search/contract"
	"mekiki/search/duplicates"
	"mekiki/search/embeddings"
	"mekiki/search/locate"
	"mekiki/search/lookup"
	"mekiki/search/translation"
	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/suggest"
	"mekiki/server/transport"
	"mekiki/server/wire"
)

// Searcher answers. *search.Searcher is one.
type Searcher interface {
	Search(ctx context.Context, request contract.Request) (contract.Response, error)
	Stream(ctx context.Context, request contract.Request) iter.Seq2[contract.Response, error]
	Similar(ctx context.Context, request contract.Request) (contract.Response, error)
	Facets(ctx context.Context, request contract.Request, query facets.Query) (contract.Facets, error)
	Lookup(ctx context.Context, request lookup.Request) (lookup.Response, error)
	Locate(ctx context.Context, request locate.Request) (locate.Response, error)
	Duplicates(ctx context.Context, request duplicates.Request) (duplicates.Response, error)
	CompareScenes(ctx context.Context, progress func(done, total int)) (duplicates.Compared, error)
	Embed(ctx context.Context, request embeddings.Request) (embeddings.Response, error)
}

// Room is what answering queries needs.
type Room struct {
	Searcher  Searcher
	Library   api.Library
	Bodies    api.Bodies
	Compute   api.Compute
	Pictures  api.Pictures
	Suggester *suggest.Suggester
	// Compare has pictures compared that were not compared for duplicates yet, in the background, and gives the job that does it.
	Compare func() (job string, err error)
	// Measure takes how long each stage of a search took.
	Measure func(contract.Timings)
}

// Routes are the lines of this room in the table of routes.
func (r Room) Routes() []api.Route {
	return []api.Route{
		{Method: http.MethodGet, Path: "/api/v1/search", Class: api.Search, Handler: r.search},
		{Method: http.MethodPost, Path: "/api/v1/search", Class: api.Search, Handler: r.searchFull},
		{Method: http.MethodPost, Path: "/api/v1/search/batch", Class: api.Search, Handler: r.searchBatch},
		{Method: http.MethodPost, Path: "/api/v1/embeddings", Class: api.Search, Handler: r.embeddings},
		{Method: http.MethodGet, Path: "/api/v1/facets", Class: api.Search, Handler: r.facets},
		{Method: http.MethodPost, Path: "/api/v1/facets", Class: api.Search, Handler: r.facetsFull},
		{Method: http.MethodPost, Path: "/api/v1/similar", Class: api.Search, Handler: r.similar},
		{Method: http.MethodGet, Path: "/api/v1/records/{id}/similar", Class: api.Search, Handler: r.similarToRecord},
		{Method: http.MethodGet, Path: "/api/v1/records/{id}/map", Class: api.Search, Handler: r.locate},
		{Method: http.MethodPost, Path: "/api/v1/lookup", Class: api.Search, Handler: r.lookup},
		{Method: http.MethodPost, Path: "/api/v1/labels", Class: api.Search, Handler: r.labels},
		{Method: http.MethodGet, Path: "/api/v1/duplicates", Class: api.Search, Handler: r.duplicates},
		{Method: http.MethodGet, Path: "/api/v1/suggestions", Class: api.Read, Handler: r.suggestions},
	}
}

type searchJSON struct {
	api.About
	rerankJSON
	Text     string   `json:"text"`
	Language string   `json:"language"`
	Records  []string `json:"records"`
	Limit    int      `json:"limit"`
	Offset   int      `json:"offset"`
	Cursor   string   `json:"cursor"`
	Fusion   string   `json:"fusion"`
	Weight   *float64 `json:"weight"`
	Sort     string   `json:"sort"`
	Minimum  float64  `json:"minimum_probability"`
	Explain  bool     `json:"explain"`

	Highlight       bool `json:"highlight"`
	AskCount        int  `json:"ask_count"`
	AskMilliseconds int  `json:"ask_ms"`
}

func (j searchJSON) request(from api.Source, filter index.Filter) contract.Request {
	return contract.Request{
		Text: j.Text, Language: translation.Base(j.Language), Record: from.Record, Crop: from.Crop, Filter: filter,
		Limit: j.Limit, Offset: j.Offset, Cursor: j.Cursor,
		Fusion: contract.Fusion(j.Fusion), Weight: j.Weight, RerankBudget: j.budget(), RerankCount: j.Count,
		Sort: contract.Sort(j.Sort), Show: contract.Show(j.Show), MinimumProbability: j.Minimum, Explain: j.Explain,
		Highlight: j.Highlight, AskCount: j.AskCount, AskBudget: time.Duration(j.AskMilliseconds) * time.Millisecond,
	}
}

// search answers GET: everything is in the query.
func (r Room) search(c echo.Context) error {
	var query struct {
		searchJSON
		Query string `json:"q"`
		Crop  string `json:"crop"`
	}
	filter, err := api.ReadFiltered(c, &query)
	if err != nil {
		return err
	}
	from, err := query.fromQuery(query.Query, query.Crop)
	if err != nil {
		return err
	}
	return inQuery(r.answerSearch(c, query.request(from, filter), from))
}

// fromQuery takes in what GET writes in another way than the body of a POST, and says which picture is meant.
func (j *searchJSON) fromQuery(text, crop string) (from api.Source, err error) {
	j.Text = text
	if j.Crop, err = wire.ParseCrop(crop); err != nil {
		return from, err
	}
	return j.Source(api.Upload{})
}

// inQuery names the text of a query as GET does: q.
func inQuery(err error) error {
	var described *contract.Error
	if !errors.As(err, &described) || described.Field != "text" {
		return err
	}
	p := problem.From(err)
	p.Errors = []problem.Field{{Field: "q", Detail: described.Message}}
	return p
}

// searchFull answers POST: JSON, or a form with an image.
func (r Room) searchFull(c echo.Context) error {
	var asked searchJSON
	from, filter, err := r.Bodies.ReadAbout(c, &asked, &asked.About)
	if err != nil {
		return err
	}
	request, err := asked.several(from, filter)
	if err != nil {
		return err
	}
	return r.answerSearch(c, request, from)
}

// several is a request that may have several pictures.
func (j searchJSON) several(from api.Source, filter index.Filter) (request contract.Request, err error) {
	request = j.request(from, filter)
	request.Records, err = wire.ParseIDs("records", j.Records)
	return request, err
}

// decode reads the uploaded pictures into a request.
func (r Room) decode(ctx context.Context, request *contract.Request, from api.Source) (err error) {
	if request.Image, err = r.Pictures.Decode(ctx, from.Data); err != nil {
		return err
	}
	for _, data := range from.More {
		image, err := r.Pictures.Decode(ctx, data)
		if err != nil {
			return err
		}
		request.Images = append(request.Images, image)
	}
	return nil
}

func (r Room) answerSearch(c echo.Context, request contract.Request, from api.Source) error {
	if _, restricted := excerpt.Of(c.Request().Context()); restricted && request.Asking() {
		p := problem.New(problem.Forbidden, "who came by a link to a collection cannot ask questions (ask:)")
		p.Hint = "search without ask:, or ask with a token of your own"
		return p
	}
	return r.Compute.Do(c, func(ctx context.Context) (err error) {
		if err := r.decode(ctx, &request, from); err != nil {
			return err
		}
		if api.WantsEvents(c) {
			return r.streamSearch(ctx, c, request)
		}
		response, err := r.Searcher.Search(ctx, request)
		if err != nil {
			return err
		}
		r.Measure(response.Timings)
		r.Correct(ctx, &response)
		return api.SendJSON(c, http.StatusOK, response)
	})
}

// streamSearch sends each answer as it comes. An error before the first is the
// request's answer; a later one ends the stream with an event.
func (r Room) streamSearch(ctx context.Context, c echo.Context, request contract.Request) error {
	var stream *transport.EventStream
	for response, err := range r.Searcher.Stream(ctx, request) {
		if stream == nil {
			if err != nil {
				return err
			}
			if stream, err = transport.StartEvents(c); err != nil {
				return err
			}
		}
		if err != nil {
			return api.EndStream(c, stream, err)
		}
		r.Correct(ctx, &response)
		if err := stream.Send("result", response); err != nil {
			return err
		}
		if response.Stage.Final() {
			r.Measure(response.Timings)
		}
	}
	if stream == nil {
		return problem.New(problem.Internal, "")
	}
	return stream.Send("done", struct{}{})
}

type similarJSON struct {
	api.About
	Limit  int `json:"limit"`
	Offset int `json:"offset"`
}

func (r Room) similar(c echo.Context) error {
	var asked similarJSON
	from, filter, err := r.Bodies.ReadAbout(c, &asked, &asked.About)
	if err != nil {
		return err
	}
	return r.answerSimilar(c, from, filter, asked.Limit, asked.Offset)
}

func (r Room) similarToRecord(c echo.Context) error {
	var query struct {
		Crop   string `json:"crop"`
		Limit  int    `json:"limit"`
		Offset int    `json:"offset"`
	}
	filter, err := api.ReadFiltered(c, &query)
	if err != nil {
		return err
	}
	var from api.Source
	if from.Record, err = api.RecordID(c); err != nil {
		return err
	}
	if from.Crop, err = wire.ParseCrop(query.Crop); err != nil {
		return err
	}
	if err := r.Library.CheckImage(c.Request().Context(), "id", from.Record); err != nil {
		return err
	}
	return r.answerSimilar(c, from, filter, query.Limit, query.Offset)
}

func (r Room) answerSimilar(c echo.Context, from api.Source, filter index.Filter, limit, offset int) error {
	return r.Compute.Do(c, func(ctx context.Context) error {
		picture, err := r.Pictures.Decode(ctx, from.Data)
		if err != nil {
			return err
		}
		response, err := r.Searcher.Similar(ctx, contract.Request{
			Image: picture, Record: from.Record, Crop: from.Crop, Filter: filter, Limit: limit, Offset: offset,
		})
		if err != nil {
			return err
		}
		r.Measure(response.Timings)
		return api.SendJSON(c, http.StatusOK, response)
	})
}

func (r Room) duplicates(c echo.Context) error {
	var query struct {
		Level      string  `json:"level"`
		Distance   *int    `json:"distance"`
		Similarity float64 `json:"similarity"`
		Limit      int     `json:"limit"`
		Offset     int     `json:"offset"`
		Cursor     string  `json:"cursor"`
	}
	filter, err := api.ReadFiltered(c, &query)
	if err != nil {
		return err
	}
	return r.Compute.Do(c, func(ctx context.Context) error {
		response, err := r.Searcher.Duplicates(ctx, duplicates.Request{
			Level: duplicates.Level(query.Level), Filter: filter, Distance: query.Distance,
			Similarity: query.Similarity, Limit: query.Limit, Offset: query.Offset, Cursor: query.Cursor,
		})
		if err == nil && response.Pending > 0 {
			response.Job, err = r.Compare()
		}
		if err != nil {
			return err
		}
		return api.SendJSON(c, http.StatusOK, response)
	})
}
