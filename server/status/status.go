// Package status says how the server is: its models, its counts, whether it is ready.
package status

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/server/answers"
	"mekiki/server/api"
	"mekiki/server/auth"
	"mekiki/server/problem"
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

// Room is what is told.
type Room struct {
	Version   string
	Started   time.Time
	Library   api.Library
	Folder    string // where the library lies, told to admin
	Models    func() []Model
	Asker     answers.Asker
	Questions []string
	// Jobs counts the jobs at work.
	Jobs func() int
	// Uploads and Indexing say what can be added. ReadOnly is the problem with changing anything, or nil.
	Uploads, Indexing bool
	// Roots are the folders that may be indexed, told to those who may write.
	Roots    []string
	ReadOnly func() error
	// Ready says why searches cannot be answered; nil means that they can. Draining is
	// closed when the server is not ready any more.
	Ready    func(ctx context.Context) error
	Draining <-chan struct{}
}

// Routes are the lines of this room in the table of routes.
func (r Room) Routes() []api.Route {
	return []api.Route{
		{Method: http.MethodGet, Path: "/api/v1/models", Class: api.Read, Handler: r.listModels},
		{Method: http.MethodGet, Path: "/api/v1/status", Class: api.Read, Handler: r.getStatus},
		{Method: http.MethodGet, Path: "/healthz", Class: api.Open, Handler: r.health},
		{Method: http.MethodGet, Path: "/readyz", Class: api.Open, Handler: r.ready},
	}
}

func (r Room) listModels(c echo.Context) error {
	models := []Model{}
	if r.Models != nil {
		models = append(models, r.Models()...)
	}
	return api.SendJSON(c, http.StatusOK, struct {
		Models []Model `json:"models"`
	}{models})
}

// Status is how the server is.
type Status struct {
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
	Roots    []string     `json:"roots,omitempty"`
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

func (r Room) getStatus(c echo.Context) error {
	status := Status{
		Version: r.Version, Started: r.Started.UTC(), Running: r.Jobs(),
		Uploads:  r.Uploads,
		Indexing: r.Indexing,
	}
	if err := r.ReadOnly(); err != nil {
		status.ReadOnly, status.WhyRead, status.Uploads, status.Indexing = true, problem.From(err).Reason(), false, false
	}
	if r.Asker != nil {
		status.Answers = &answersJSON{Model: r.Asker.Model().Name, Questions: r.Questions}
	}
	if api.CallerOf(c).Scope >= auth.ScopeWrite {
		status.Roots = r.Roots
	}
	if api.CallerOf(c).Scope >= auth.ScopeAdmin {
		status.Library = r.Folder
	}
	if r.Models != nil {
		models := r.Models()
		if i := slices.IndexFunc(models, func(model Model) bool { return model.Active }); i >= 0 {
			status.Model = &models[i]
		}
	}
	if err := r.readiness(c.Request().Context()); err != nil {
		status.Reason = problem.From(err).Reason()
	} else {
		status.Ready = true
	}
	err := r.Library.Read(c.Request().Context(), func(reader index.Reader) error {
		status.Images, status.Texts = reader.Count(index.KindImage), reader.Count(index.KindText)
		failures, err := reader.Failures(c.Request().Context())
		status.Failures = len(failures)
		return err
	})
	if err != nil {
		return err
	}
	return api.SendJSON(c, http.StatusOK, status)
}

// health says that the process is there and answers.
func (r Room) health(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// ready says whether searches can be answered.
func (r Room) ready(c echo.Context) error {
	if err := r.readiness(c.Request().Context()); err != nil {
		return err
	}
	if err := r.ReadOnly(); err != nil {
		return c.String(http.StatusOK, "ready, for reading only: "+problem.From(err).Reason()+"\n")
	}
	return c.String(http.StatusOK, "ready\n")
}

// readiness fails while the server starts or stops, while the library cannot be
// read, and when Options.Ready says so.
func (r Room) readiness(ctx context.Context) error {
	select {
	case <-r.Draining:
		return problem.New(problem.Unavailable, "the server is stopping")
	default:
	}
	if err := r.Library.Read(ctx, func(index.Reader) error { return nil }); err != nil {
		p := problem.New(problem.Unavailable, "the library cannot be read")
		p.Cause, p.RetryAfter = err, 5
		return p
	}
	if r.Ready == nil {
		return nil
	}
	if err := r.Ready(ctx); err != nil {
		p := problem.New(problem.Unavailable, err.Error())
		p.RetryAfter = 5
		return p
	}
	return nil
}
