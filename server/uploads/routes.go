package uploads

import (
	"context"
	"crypto/sha256"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

// Room is what taking uploads needs.
type Room struct {
	Store   *Store
	Bodies  api.Bodies
	Compute api.Compute
	// Enabled says that uploads are wanted; the store must take them, too.
	Enabled bool
}

// Routes are the lines of this room in the table of routes.
func (r Room) Routes() []api.Route {
	return []api.Route{{Method: http.MethodPost, Path: "/api/v1/records", Class: api.Search, Handler: r.addRecord}}
}

// Takes reports whether pictures can be added.
func (r Room) Takes() bool { return r.Enabled && r.Store.Takes() }

// addRecord adds an uploaded image. Its file is kept under the hash of its
// content, so that nothing of the client's ends up in a path; the name it came
// with is kept in the record.
func (r Room) addRecord(c echo.Context) error {
	if !r.Takes() {
		return problem.New(problem.Unsupported, "this server does not accept uploads")
	}
	var details struct {
		Tags   []string `json:"tags"`
		Folder string   `json:"folder"`
	}
	given, err := r.Bodies.ReadForm(c, &details)
	if err != nil {
		return err
	}
	wanted := Image{Data: given.Image, Hash: sha256.Sum256(given.Image)}
	if wanted.Tags, err = wire.CleanTags("request.tags", details.Tags); err != nil {
		return err
	}
	folder, err := CleanFolder("request.folder", details.Folder)
	if err != nil {
		return err
	}
	wanted.Name = NameOf(folder, given.FileName, wanted.Hash)
	var record *index.Record
	var added bool
	err = r.Compute.Do(c, func(ctx context.Context) error {
		record, added, err = r.Store.Add(ctx, wanted)
		return err
	})
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderLocation, "/api/v1/records/"+record.ID.String())
	if added {
		return api.SendJSON(c, http.StatusCreated, wire.RecordOf(record))
	}
	return api.SendJSON(c, http.StatusOK, wire.RecordOf(record))
}
