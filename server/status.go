package server

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/server/auth"
	"mekiki/server/problem"
	"mekiki/server/suggest"
)

// Model is what the server says of a model.
type Model struct {
	// Name is what it is called; Fingerprint is the hash of all its files.
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
	// Precision is the number format of its weights.
	Precision string `json:"precision,omitempty"`
	// ImageSize is the side of its square input in pixels.
	ImageSize int `json:"image_size,omitempty"`
	// Parts and Width are the number of vectors of an image and their width.
	Parts int `json:"parts,omitempty"`
	Width int `json:"width,omitempty"`
	// Captions says whether it can write captions.
	Captions bool `json:"captions"`
	// Capabilities says what it can do.
	Capabilities embed.Capabilities `json:"capabilities"`
	// Active says whether it answers searches now.
	Active bool `json:"active"`
}

func (s *Server) suggestions(c echo.Context) error {
	var query struct {
		Query string `json:"q"`
		Limit int    `json:"limit"`
	}
	if err := s.readQuery(c, &query); err != nil {
		return err
	}
	return s.withReader(c.Request().Context(), func(reader index.Reader) error {
		known, err := s.suggester.For(c.Request().Context(), reader)
		if err != nil {
			return err
		}
		return sendJSON(c, http.StatusOK, struct {
			Suggestions []suggest.Suggestion `json:"suggestions"`
		}{known.Complete(query.Query, query.Limit)})
	})
}

func (s *Server) listModels(c echo.Context) error {
	models := []Model{}
	if s.options.Models != nil {
		models = append(models, s.options.Models()...)
	}
	return sendJSON(c, http.StatusOK, struct {
		Models []Model `json:"models"`
	}{models})
}

type statusJSON struct {
	Version  string       `json:"version"`
	Started  time.Time    `json:"started"`
	Ready    bool         `json:"ready"`
	Reason   string       `json:"reason,omitempty"`
	Images   int          `json:"images"`
	Texts    int          `json:"texts"`
	Failures int          `json:"failures"`
	Running  int          `json:"jobs_running"`
	Model    *Model       `json:"model,omitempty"`
	Answers  *answersJSON `json:"answers,omitempty"`
	Library  string       `json:"library,omitempty"`
	Uploads  bool         `json:"uploads"`
	Indexing bool         `json:"indexing"`
	ReadOnly bool         `json:"read_only,omitempty"`
	WhyRead  string       `json:"read_only_reason,omitempty"`
}

// answersJSON is what the server says of its answering model.
type answersJSON struct {
	Model     string   `json:"model"`
	Questions []string `json:"questions,omitempty"`
}

func (s *Server) getStatus(c echo.Context) error {
	status := statusJSON{
		Version: s.options.Version, Started: s.started.UTC(), Running: s.jobs.Running(),
		Uploads:  s.uploadStore.Takes() && !s.options.NoUploads,
		Indexing: s.options.Ingester != nil && len(s.options.Roots) > 0,
	}
	if err := s.readOnly(); err != nil {
		status.ReadOnly, status.WhyRead, status.Uploads, status.Indexing = true, problem.From(err).Reason(), false, false
	}
	if s.options.Asker != nil {
		status.Answers = &answersJSON{Model: s.options.Asker.Model().Name, Questions: s.options.Questions}
	}
	if callerOf(c).scope >= auth.ScopeAdmin {
		status.Library = s.options.LibraryFolder
	}
	if s.options.Models != nil {
		models := s.options.Models()
		if i := slices.IndexFunc(models, func(model Model) bool { return model.Active }); i >= 0 {
			status.Model = &models[i]
		}
	}
	if err := s.readiness(c.Request().Context()); err != nil {
		status.Reason = problem.From(err).Reason()
	} else {
		status.Ready = true
	}
	err := s.withReader(c.Request().Context(), func(reader index.Reader) error {
		status.Images, status.Texts = reader.Count(index.KindImage), reader.Count(index.KindText)
		failures, err := reader.Failures(c.Request().Context())
		status.Failures = len(failures)
		return err
	})
	if err != nil {
		return err
	}
	return sendJSON(c, http.StatusOK, status)
}

// health says that the process is there and answers.
func (s *Server) health(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// ready says whether searches can be answered.
func (s *Server) ready(c echo.Context) error {
	if err := s.readiness(c.Request().Context()); err != nil {
		return err
	}
	if err := s.readOnly(); err != nil {
		return c.String(http.StatusOK, "ready, for reading only: "+problem.From(err).Reason()+"\n")
	}
	return c.String(http.StatusOK, "ready\n")
}

// readiness fails while the server starts or stops, while the library cannot be
// read, and when Options.Ready says so.
func (s *Server) readiness(ctx context.Context) error {
	select {
	case <-s.draining:
		return problem.New(problem.Unavailable, "the server is stopping")
	default:
	}
	if err := s.withReader(ctx, func(index.Reader) error { return nil }); err != nil {
		p := problem.New(problem.Unavailable, "the library cannot be read")
		p.Cause, p.RetryAfter = err, 5
		return p
	}
	if s.options.Ready == nil {
		return nil
	}
	if err := s.options.Ready(ctx); err != nil {
		p := problem.New(problem.Unavailable, err.Error())
		p.RetryAfter = 5
		return p
	}
	return nil
}
