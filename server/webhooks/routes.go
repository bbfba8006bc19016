package webhooks

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/server/api"
	"mekiki/server/listing"
	"mekiki/server/problem"
)

// Room shows administrators what is sent where, and what came of it.
type Room struct{ Sender *Sender }

// Routes are the lines of this room in the table of routes. They change nothing in the library.
func (r Room) Routes() []api.Route {
	const hooks = "/api/v1/webhooks"
	return []api.Route{
		{Method: http.MethodGet, Path: hooks, Class: api.Read, Handler: r.list},
		{Method: http.MethodGet, Path: hooks + "/deliveries", Class: api.Read, Handler: r.listDeliveries},
		{Method: http.MethodPost, Path: hooks + "/{name}/test", Class: api.Read, Handler: r.test, AlwaysWritable: true},
	}
}

// hookShown is a webhook without its secret.
type hookShown struct {
	Name    string   `json:"name"`
	URL     string   `json:"url"`
	Events  []string `json:"events"`
	Allow   []string `json:"allow"`
	Pending int      `json:"pending"`
}

func (r Room) list(c echo.Context) error {
	pending := map[string]int{}
	for _, each := range r.Sender.Deliveries() {
		if each.State == Pending {
			pending[each.Hook]++
		}
	}
	shown := []hookShown{}
	for _, hook := range r.Sender.hooks {
		one := hookShown{hook.Name, hook.URL, hook.Events, []string{}, pending[hook.Name]}
		if len(hook.Events) == 0 {
			one.Events = []string{EventJobFinished, EventRecordsAdded}
		}
		for _, network := range hook.Allow {
			one.Allow = append(one.Allow, network.String())
		}
		shown = append(shown, one)
	}
	return api.SendJSON(c, http.StatusOK, struct {
		Webhooks []hookShown `json:"webhooks"`
	}{shown})
}

// deliveryKeys page through deliveries, the newest first.
func deliveryKeys() listing.Keys[Delivery] {
	return listing.Keys[Delivery]{
		Name:  "deliveries",
		KeyOf: func(d Delivery) string { return fmt.Sprintf("%d %s", d.Created.UnixNano(), d.ID) },
		Behind: func(d Delivery, key string) bool {
			var moment int64
			var id string
			if _, err := fmt.Sscan(key, &moment, &id); err != nil {
				return false
			}
			return cmp.Or(time.Unix(0, moment).Compare(d.Created), strings.Compare(d.ID, id)) > 0
		},
	}
}

func (r Room) listDeliveries(c echo.Context) error {
	var query struct {
		Limit  int    `json:"limit"`
		Cursor string `json:"cursor"`
	}
	if err := api.ReadQuery(c, &query); err != nil {
		return err
	}
	all := r.Sender.Deliveries()
	page, next, err := deliveryKeys().Page(all, query.Limit, query.Cursor)
	if err != nil {
		return err
	}
	return api.SendJSON(c, http.StatusOK, struct {
		Deliveries []Delivery `json:"deliveries"`
		Total      int        `json:"total"`
		Cursor     string     `json:"cursor,omitempty"`
	}{page, len(all), next})
}

// test sends an event that says nothing, to one webhook.
func (r Room) test(c echo.Context) error {
	name, err := api.Segment(c, "name")
	if err != nil {
		return err
	}
	known := false
	for _, hook := range r.Sender.hooks {
		known = known || hook.Name == name
	}
	if !known {
		return problem.Newf(problem.NotFound, "there is no webhook %s", name)
	}
	ids := r.Sender.emit(EventTest, struct{}{}, name)
	if len(ids) == 0 {
		return problem.New(problem.TooManyRequests, "too many deliveries are waiting")
	}
	return api.SendJSON(c, http.StatusAccepted, struct {
		ID string `json:"id"`
	}{ids[0]})
}
