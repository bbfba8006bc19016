package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/search"
	"mekiki/search/contract"
	"mekiki/server/problem"
	"mekiki/server/transport"
	"mekiki/server/wire"
)

type searchJSON struct {
	aboutJSON
	rerankJSON
	Text    string   `json:"text"`
	Limit   int      `json:"limit"`
	Offset  int      `json:"offset"`
	Cursor  string   `json:"cursor"`
	Fusion  string   `json:"fusion"`
	Weight  *float64 `json:"weight"`
	Sort    string   `json:"sort"`
	Minimum float64  `json:"minimum_probability"`
	Explain bool     `json:"explain"`
}

func (j searchJSON) request(from source, filter index.Filter) contract.Request {
	return contract.Request{
		Text: j.Text, Record: from.record, Crop: from.crop, Filter: filter,
		Limit: j.Limit, Offset: j.Offset, Cursor: j.Cursor,
		Fusion: contract.Fusion(j.Fusion), Weight: j.Weight, RerankBudget: j.budget(), RerankCount: j.Count,
		Sort: contract.Sort(j.Sort), Show: contract.Show(j.Show), MinimumProbability: j.Minimum, Explain: j.Explain,
	}
}

// search answers GET: everything is in the query.
func (s *Server) search(c echo.Context) error {
	var query struct {
		searchJSON
		Query string `json:"q"`
		Crop  string `json:"crop"`
	}
	filter, err := s.readFiltered(c, &query)
	if err != nil {
		return err
	}
	asked := query.searchJSON
	asked.Text = query.Query
	if asked.sourceJSON.Crop, err = wire.ParseCrop(query.Crop); err != nil {
		return err
	}
	from, err := asked.source(upload{})
	if err != nil {
		return err
	}
	return inQuery(s.answerSearch(c, asked.request(from, filter), nil))
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
func (s *Server) searchFull(c echo.Context) error {
	var asked searchJSON
	from, filter, err := s.readAbout(c, &asked, &asked.aboutJSON)
	if err != nil {
		return err
	}
	return s.answerSearch(c, asked.request(from, filter), from.data)
}

func (s *Server) answerSearch(c echo.Context, request contract.Request, image []byte) error {
	return s.compute(c, func(ctx context.Context) (err error) {
		if request.Image, err = s.picture(ctx, image); err != nil {
			return err
		}
		if wants(c.Request(), "text/event-stream") {
			return s.streamSearch(ctx, c, request)
		}
		response, err := s.options.Searcher.Search(ctx, request)
		if err != nil {
			return err
		}
		s.metrics.Search(response.Timings)
		return sendJSON(c, http.StatusOK, response)
	})
}

// streamSearch sends each answer as it comes. An error before the first is the
// request's answer; a later one ends the stream with an event.
func (s *Server) streamSearch(ctx context.Context, c echo.Context, request contract.Request) error {
	var stream *transport.EventStream
	for response, err := range s.options.Searcher.Stream(ctx, request) {
		if stream == nil {
			if err != nil {
				return err
			}
			if stream, err = transport.StartEvents(c); err != nil {
				return err
			}
		}
		if err != nil {
			return endStream(c, stream, err)
		}
		if err := stream.Send("result", response); err != nil {
			return err
		}
		if response.Stage != contract.StageFirst && response.Stage != contract.StageAsking {
			s.metrics.Search(response.Timings)
		}
	}
	if stream == nil {
		return problem.New(problem.Internal, "")
	}
	return stream.Send("done", struct{}{})
}

// endStream ends a stream that has begun with the event of a failure, and gives the
// failure, for the log.
func endStream(c echo.Context, stream *transport.EventStream, failure error) error {
	p := problem.From(failure)
	p.Instance = identityOf(c)
	if err := stream.Send("problem", p); err != nil {
		return err
	}
	return failure
}

type similarJSON struct {
	aboutJSON
	Limit  int `json:"limit"`
	Offset int `json:"offset"`
}

func (s *Server) similar(c echo.Context) error {
	var asked similarJSON
	from, filter, err := s.readAbout(c, &asked, &asked.aboutJSON)
	if err != nil {
		return err
	}
	return s.answerSimilar(c, from, filter, asked.Limit, asked.Offset)
}

func (s *Server) similarToRecord(c echo.Context) error {
	var query struct {
		Crop   string `json:"crop"`
		Limit  int    `json:"limit"`
		Offset int    `json:"offset"`
	}
	filter, err := s.readFiltered(c, &query)
	if err != nil {
		return err
	}
	var from source
	if from.record, err = recordID(c); err != nil {
		return err
	}
	if from.crop, err = wire.ParseCrop(query.Crop); err != nil {
		return err
	}
	if err := s.checkImage(c.Request().Context(), "id", from.record); err != nil {
		return err
	}
	return s.answerSimilar(c, from, filter, query.Limit, query.Offset)
}

// checkImage fails when a record that the address names is not there or is a text.
func (s *Server) checkImage(ctx context.Context, field string, id index.ID) error {
	return s.withReader(ctx, func(reader index.Reader) error {
		_, err := imageRecord(ctx, reader, id)
		if p := (*problem.Problem)(nil); errors.As(err, &p) {
			p.Errors = []problem.Field{{Field: field, Detail: p.Detail}}
		}
		return err
	})
}

func (s *Server) answerSimilar(c echo.Context, from source, filter index.Filter, limit, offset int) error {
	return s.compute(c, func(ctx context.Context) error {
		picture, err := s.picture(ctx, from.data)
		if err != nil {
			return err
		}
		response, err := s.options.Searcher.Similar(ctx, contract.Request{
			Image: picture, Record: from.record, Crop: from.crop, Filter: filter, Limit: limit, Offset: offset,
		})
		if err != nil {
			return err
		}
		s.metrics.Search(response.Timings)
		return sendJSON(c, http.StatusOK, response)
	})
}

func (s *Server) duplicates(c echo.Context) error {
	var query struct {
		Level      string  `json:"level"`
		Distance   *int    `json:"distance"`
		Similarity float64 `json:"similarity"`
		Limit      int     `json:"limit"`
		Offset     int     `json:"offset"`
	}
	filter, err := s.readFiltered(c, &query)
	if err != nil {
		return err
	}
	return s.compute(c, func(ctx context.Context) error {
		response, err := s.options.Searcher.Duplicates(ctx, search.DuplicatesRequest{
			Level: search.DuplicateLevel(query.Level), Filter: filter, Distance: query.Distance,
			Similarity: query.Similarity, Limit: query.Limit, Offset: query.Offset,
		})
		if err != nil {
			return err
		}
		return sendJSON(c, http.StatusOK, response)
	})
}
