package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Object is what is put into a collection.
type Object struct {
	// ID is a UUID. An object that has it already is replaced.
	ID         string
	Properties map[string]any
	// Vectors are those that it has, by name.
	Vectors map[string][]float32
}

type objectJSON struct {
	Class      string               `json:"class"`
	ID         string               `json:"id"`
	Properties map[string]any       `json:"properties"`
	Vectors    map[string][]float32 `json:"vectors,omitempty"`
}

type objectResult struct {
	ID     string `json:"id"`
	Result struct {
		Status string `json:"status"`
		Errors struct {
			Error []struct {
				Message string `json:"message"`
			} `json:"error"`
		} `json:"errors"`
	} `json:"result"`
}

// Put puts objects into a collection. When it returns, as many replicas have them as the
// client's consistency asks for; after an error some may be there.
func (c *Client) Put(ctx context.Context, collection string, objects []Object) error {
	var batch []json.RawMessage
	size := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		var results []objectResult
		err := c.call(ctx, http.MethodPost, "/v1/batch/objects?consistency_level="+c.consistency, map[string]any{"objects": batch}, &results, func() error {
			defer func() { results = nil }()
			return judgePut(len(batch), results)
		})
		batch, size = batch[:0], 0
		return err
	}
	for _, object := range objects {
		encoded, err := json.Marshal(objectJSON{collection, object.ID, object.Properties, object.Vectors})
		if err != nil {
			return fmt.Errorf("put the object %s: %w", object.ID, err)
		}
		if len(batch) == batchObjects || size+len(encoded) > batchBytes {
			if err := flush(); err != nil {
				return fmt.Errorf("put objects into the engine: %w", err)
			}
		}
		batch, size = append(batch, encoded), size+len(encoded)
	}
	if err := flush(); err != nil {
		return fmt.Errorf("put objects into the engine: %w", err)
	}
	return nil
}

// judgePut fails for the first object that was not put.
func judgePut(sent int, results []objectResult) error {
	for _, object := range results {
		if object.Result.Status == "FAILED" || len(object.Result.Errors.Error) > 0 {
			message := "no reason"
			if len(object.Result.Errors.Error) > 0 {
				message = object.Result.Errors.Error[0].Message
			}
			return &statusError{status: http.StatusUnprocessableEntity, message: "object " + object.ID + ": " + shorten(message)}
		}
	}
	if len(results) != sent {
		return fmt.Errorf("the engine answers about %d of %d objects", len(results), sent)
	}
	return nil
}

// Delete deletes objects; those that are not there are not. Many go in one request, which
// looks for them on some replicas: where these do not have all of them, each is asked for by itself, of all replicas.
func (c *Client) Delete(ctx context.Context, collection string, ids []string) error {
	for some := range slices.Chunk(ids, batchDeletions) {
		all := false
		if len(some) > 1 {
			var err error
			if all, err = c.deleteAll(ctx, collection, some); err != nil {
				return fmt.Errorf("delete %d objects from the engine: %w", len(some), err)
			}
		}
		if all {
			continue
		}
		if err := c.deleteEach(ctx, collection, some); err != nil {
			return err
		}
	}
	return nil
}

// deleteAll deletes objects in one request, and reports whether it found and deleted every one.
func (c *Client) deleteAll(ctx context.Context, collection string, ids []string) (bool, error) {
	var answer struct {
		Results struct {
			Matches    int `json:"matches"`
			Successful int `json:"successful"`
		} `json:"results"`
	}
	request := map[string]any{"output": "minimal", "match": map[string]any{
		"class": collection, "where": map[string]any{"operator": "ContainsAny", "path": []string{"id"}, "valueTextArray": ids},
	}}
	err := c.call(ctx, http.MethodDelete, "/v1/batch/objects?consistency_level="+c.consistency, request, &answer, nil)
	if errors.Is(err, ErrAbsent) { // no such collection
		return true, nil
	}
	return answer.Results.Matches == len(ids) && answer.Results.Successful == len(ids), err
}

// deleteEach deletes objects one by one, several at once.
func (c *Client) deleteEach(ctx context.Context, collection string, ids []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(deletionsAtOnce)
	for _, id := range ids {
		group.Go(func() error {
			path := fmt.Sprintf("/v1/objects/%s/%s?consistency_level=%s", url.PathEscape(collection), url.PathEscape(id), c.consistency)
			err := c.call(ctx, http.MethodDelete, path, nil, nil, nil)
			if err != nil && !errors.Is(err, ErrAbsent) {
				return fmt.Errorf("delete the object %s from the engine: %w", id, err)
			}
			return nil
		})
	}
	return group.Wait()
}
