package uploads

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

// uploaded is what came of one picture of many: a record, or a problem.
type uploaded struct {
	Name    string           `json:"name"`
	Status  int              `json:"status"`
	Record  *wire.Record     `json:"record,omitempty"`
	Problem *problem.Problem `json:"problem,omitempty"`
}

// addRecords adds many uploaded images, one after the other as they arrive. What is wrong with one costs no other.
func (r Room) addRecords(c echo.Context) error {
	if !r.Takes() {
		return r.refused()
	}
	var asked details
	answer := struct {
		Results []uploaded `json:"results"`
		Added   int        `json:"added"`
		Known   int        `json:"known"`
		Failed  int        `json:"failed"`
	}{Results: []uploaded{}}
	err := r.Bodies.EachImage(c, batchImages, batchBytes, &asked, asked.check, func(given api.Upload, err error) error {
		result := uploaded{Name: plainName(lastElement(given.FileName))}
		var record *index.Record
		added := false
		if err == nil {
			err = r.Compute.Do(c, func(ctx context.Context) error {
				record, added, err = r.Store.Add(ctx, asked.imageOf(given))
				return err
			})
		}
		switch gone := c.Request().Context().Err(); {
		case gone != nil:
			return gone
		case err != nil:
			result.Problem = problem.From(err)
			result.Problem.Instance = api.IdentityOf(c)
			result.Status = result.Problem.Status
			answer.Failed++
		default:
			shown := wire.Listed(record)
			result.Record, result.Status = &shown, statusOf(added)
			if added {
				answer.Added++
			} else {
				answer.Known++
			}
		}
		answer.Results = append(answer.Results, result)
		return nil
	})
	if err != nil {
		return err
	}
	return api.SendJSON(c, http.StatusOK, answer)
}

// known is a picture that the library has.
type known struct {
	Hash  string `json:"hash"`
	ID    string `json:"id"`
	Trash bool   `json:"trash"`
}

// findKnown tells which contents the library has, so that they need not be sent.
func (r Room) findKnown(c echo.Context) error {
	var asked struct {
		Hashes []string `json:"hashes"`
	}
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
		return err
	}
	hashes := make([]index.Hash, len(asked.Hashes))
	for i, text := range asked.Hashes {
		sum, err := hex.DecodeString(text)
		if err != nil || len(sum) != len(hashes[i]) {
			return problem.Invalid(fmt.Sprintf("hashes[%d]", i), "must be a SHA-256 in hexadecimal")
		}
		hashes[i] = index.Hash(sum)
	}
	ctx := c.Request().Context()
	return r.Store.options.Read(ctx, func(reader index.Reader) error {
		records, err := reader.RecordsByHash(ctx, hashes)
		if err != nil {
			return err
		}
		answer := struct {
			Known   []known  `json:"known"`
			Unknown []string `json:"unknown"`
		}{[]known{}, []string{}}
		seen := make(map[index.Hash]bool, len(hashes))
		for i, record := range records {
			switch hash := hashes[i]; {
			case seen[hash]:
			case record == nil || record.Kind != index.KindImage:
				answer.Unknown = append(answer.Unknown, hash.String())
			default:
				answer.Known = append(answer.Known, known{hash.String(), record.ID.String(), record.InTrash()})
			}
			seen[hashes[i]] = true
		}
		return api.SendJSON(c, http.StatusOK, answer)
	})
}
