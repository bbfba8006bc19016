package jobs

import (
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/transport"
)

// jobPath is the address of one job.
const jobPath = "/api/v1/jobs/{id}"

// Room is what the API's part about jobs works with.
type Room struct {
	Manager *Manager
	Library api.Library
	Bodies  api.Bodies
	// Workshop makes the tasks, for callers that are not the owner.
	Workshop Workshop
	// Stopping is closed when streams are to end.
	Stopping <-chan struct{}
}

// Routes are the lines of this room in the table of routes.
func (r Room) Routes() []api.Route {
	return []api.Route{
		{Method: http.MethodGet, Path: "/api/v1/jobs", Class: api.Read, Handler: r.listJobs},
		{Method: http.MethodPost, Path: "/api/v1/jobs", Class: api.Read, Handler: r.startJob},
		{Method: http.MethodGet, Path: jobPath, Class: api.Read, Handler: r.getJob},
		{Method: http.MethodDelete, Path: jobPath, Class: api.Read, Handler: r.cancelJob, AlwaysWritable: true},
		{Method: http.MethodGet, Path: jobPath + "/events", Class: api.Stream, Handler: r.followJob},
		{Method: http.MethodGet, Path: jobPath + "/failures", Class: api.Read, Handler: r.listJobFailures},
		{Method: http.MethodGet, Path: "/api/v1/failures", Class: api.Read, Handler: r.listFailures},
	}
}

func (r Room) startJob(c echo.Context) error {
	var asked Request
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
		return err
	}
	who := api.CallerOf(c)
	workshop := r.Workshop
	workshop.Owner = who.Owner
	task, err := workshop.Task(c.Request().Context(), asked)
	if err != nil {
		return err
	}
	added, err := r.Manager.Add(task)
	if err != nil {
		return err
	}
	r.Workshop.Logger.Info("job asked for", "job", added.ID, "kind", added.Kind, "caller", who.Name, "paths", added.Paths)
	c.Response().Header().Set(echo.HeaderLocation, "/api/v1/jobs/"+added.ID)
	return api.SendJSON(c, http.StatusAccepted, added)
}

func (r Room) listJobs(c echo.Context) error {
	return api.SendJSON(c, http.StatusOK, struct {
		Jobs  []Job    `json:"jobs"`
		Roots []string `json:"roots"`
	}{r.Manager.All(), append([]string{}, r.Workshop.Roots...)})
}

func noSuchJob(id string) error { return problem.Newf(problem.NotFound, "there is no job %s", id) }

func (r Room) getJob(c echo.Context) error {
	id, err := api.Segment(c, "id")
	if err != nil {
		return err
	}
	found, _, ok := r.Manager.Get(id)
	if !ok {
		return noSuchJob(id)
	}
	return api.SendJSON(c, http.StatusOK, found)
}

func (r Room) cancelJob(c echo.Context) error {
	id, err := api.Segment(c, "id")
	if err != nil {
		return err
	}
	found, ok := r.Manager.Cancel(id)
	if !ok {
		return noSuchJob(id)
	}
	return api.SendJSON(c, http.StatusAccepted, found)
}

// followJob sends a job's state now and whenever it has changed, but not more
// often than anyone can read.
func (r Room) followJob(c echo.Context) error {
	id, err := api.Segment(c, "id")
	if err != nil {
		return err
	}
	if _, _, ok := r.Manager.Get(id); !ok {
		return noSuchJob(id)
	}
	if err := http.NewResponseController(c.Response()).SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	stream, err := transport.StartEvents(c)
	if err != nil {
		return err
	}
	pulse := time.NewTicker(transport.EventPulse)
	defer pulse.Stop()
	for {
		state, changed, ok := r.Manager.Get(id)
		if !ok {
			return nil
		}
		if state.State.Finished() {
			return stream.Send("done", state)
		}
		if err := stream.Send("progress", state); err != nil {
			return err
		}
		switch err := r.awaitChange(c, stream, changed, pulse.C); {
		case errors.Is(err, errStopping):
			return nil
		case err != nil:
			return err
		}
	}
}

func (r Room) awaitChange(c echo.Context, stream *transport.EventStream, changed <-chan struct{}, pulse <-chan time.Time) error {
	pause := time.NewTimer(progressPause)
	defer pause.Stop()
	gone := c.Request().Context().Done()
	select {
	case <-pause.C:
	case <-gone:
		return c.Request().Context().Err()
	case <-r.Stopping:
		return errStopping
	}
	for {
		select {
		case <-changed:
			return nil
		case <-pulse:
			if err := stream.Pulse(); err != nil {
				return err
			}
		case <-gone:
			return c.Request().Context().Err()
		case <-r.Stopping:
			return errStopping
		}
	}
}

// errStopping ends streams when the server stops.
var errStopping = errors.New("the server is stopping")
