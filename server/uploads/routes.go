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

// refused is the answer where no uploads are taken.
func (r Room) refused() error {
	return problem.New(problem.Unsupported, "this server does not accept uploads")
}

// Routes are the lines of this room in the table of routes.
func (r Room) Routes() []api.Route {
	return []api.Route{
		{Method: http.MethodPost, Path: "/api/v1/records", Class: api.Search, Handler: r.addRecord},
		{Method: http.MethodPost, Path: "/api/v1/uploads", Class: api.Search, Handler: r.addRecords},
		{Method: http.MethodPost, Path: "/api/v1/uploads/known", Class: api.Read, Handler: r.findKnown},
	}
}

// Takes reports whether pictures can be added.
func (r Room) Takes() bool { return r.Enabled && r.Store.Takes() }

// addRecord adds an uploaded image. Its file is kept under the hash of its
// content, so that nothing of the client's ends up in a path; the name it came
// with is kept in the record.
func (r Room) addRecord(c echo.Context) error {
	if !r.Takes() {
		return r.refused()
	}
	var asked details
	given, err := r.Bodies.ReadForm(c, &asked)
	if err != nil {
		return err
	}
	if err := asked.check(); err != nil {
		return err
	}
	wanted := asked.imageOf(given)
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
	return api.SendRecord(c, statusOf(added), record)
}

// statusOf tells a picture that is new from one that was there.
func statusOf(added bool) int {
	if added {
		return http.StatusCreated
	}
	return http.StatusOK
}

// details are what a client says of the pictures that it sends.
type details struct {
	Tags   []string `json:"tags"`
	Folder string   `json:"folder"`
}

func (d *details) check() (err error) {
	if d.Tags, err = wire.CleanTags("request.tags", d.Tags); err == nil {
		d.Folder, err = CleanFolder("request.folder", d.Folder)
	}
	return err
}

// imageOf is a picture with what is said of it.
func (d *details) imageOf(given api.Upload) Image {
	hash := index.Hash(sha256.Sum256(given.Image))
	return Image{Data: given.Image, Hash: hash, Name: NameOf(d.Folder, given.FileName, hash), Tags: d.Tags}
}
