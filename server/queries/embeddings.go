package queries

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/search/contract"
	"mekiki/search/embeddings"
	"mekiki/server/api"
	"mekiki/server/wire"
)

// embeddings makes the vectors of texts and pictures.
func (r Room) embeddings(c echo.Context) error {
	var asked struct {
		Texts    []string            `json:"texts"`
		Records  []string            `json:"records"`
		Crop     *contract.Rectangle `json:"crop"`
		Pool     string              `json:"pool"`
		Encoding string              `json:"encoding"`
	}
	given, err := r.Bodies.ReadForm(c, &asked)
	if err != nil {
		return err
	}
	request := embeddings.Request{Texts: asked.Texts, Crop: asked.Crop, Pool: embeddings.Pool(asked.Pool), Encoding: embeddings.Encoding(asked.Encoding)}
	if request.Records, err = wire.ParseIDs("records", asked.Records); err != nil {
		return err
	}
	return r.Compute.Do(c, func(ctx context.Context) (err error) {
		if request.Image, err = r.Pictures.Decode(ctx, given.Image); err != nil {
			return err
		}
		made, err := r.Searcher.Embed(ctx, request)
		if err != nil {
			return err
		}
		return api.SendJSON(c, http.StatusOK, made)
	})
}
