package jobs

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/api"
	"mekiki/server/listing"
	"mekiki/server/wire"
)

// failureJSON is a file that could not be indexed, as the API shows it.
type failureJSON struct {
	Path   string     `json:"path"`
	Reason string     `json:"reason"`
	Time   *time.Time `json:"time,omitempty"`
}

func failureOfFile(failure index.Failure) failureJSON {
	return failureJSON{failure.File.Path, failure.Reason, wire.Time(failure.Time)}
}

// reasonJSON counts the files of one reason.
type reasonJSON struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// listJobFailures lists the files that one job could not index.
func (r Room) listJobFailures(c echo.Context) error {
	id, err := api.Segment(c, "id")
	if err != nil {
		return err
	}
	failures, found := r.Manager.Failures(id)
	if !found {
		return noSuchJob(id)
	}
	answer := struct {
		Failures []failureJSON `json:"failures"`
	}{[]failureJSON{}}
	for _, failure := range failures {
		answer.Failures = append(answer.Failures, failureOfFile(failure))
	}
	return api.SendJSON(c, http.StatusOK, answer)
}

func (r Room) listFailures(c echo.Context) error {
	var query struct {
		Limit  int    `json:"limit"`
		Offset int    `json:"offset"`
		Cursor string `json:"cursor"`
		Reason string `json:"reason"`
		Format string `json:"format"`
	}
	if err := api.ReadQuery(c, &query); err != nil {
		return err
	}
	return r.Library.Read(c.Request().Context(), func(reader index.Reader) error {
		all, err := reader.Failures(c.Request().Context())
		if err != nil {
			return err
		}
		reasons := reasonsOf(all)
		if query.Reason != "" {
			all = slices.DeleteFunc(slices.Clone(all), func(failure index.Failure) bool { return failure.Reason != query.Reason })
		}
		if query.Format == "csv" {
			return sendFailures(c, all)
		}
		answer := struct {
			Failures []failureJSON `json:"failures"`
			Total    int           `json:"total"`
			Next     int           `json:"next,omitempty"`
			Cursor   string        `json:"cursor,omitempty"`
			Reasons  []reasonJSON  `json:"reasons"`
		}{Failures: []failureJSON{}, Total: len(all), Reasons: reasons}
		rest := all
		if query.Cursor == "" {
			rest = all[min(query.Offset, len(all)):]
		}
		page, next, err := failureKeys.Page(rest, query.Limit, query.Cursor)
		if err != nil {
			return err
		}
		for _, failure := range page {
			answer.Failures = append(answer.Failures, failureOfFile(failure))
		}
		if answer.Cursor = next; next != "" {
			answer.Next, _ = slices.BinarySearchFunc(all, page[len(page)-1].File.Path, byPath)
			answer.Next++
		}
		return api.SendJSON(c, http.StatusOK, answer)
	})
}

// failureKeys pages through failures, which are listed by path.
var failureKeys = listing.Keys[index.Failure]{
	Name:   "failures",
	KeyOf:  func(failure index.Failure) string { return failure.File.Path },
	Behind: func(failure index.Failure, path string) bool { return failure.File.Path > path },
}

func byPath(failure index.Failure, path string) int { return strings.Compare(failure.File.Path, path) }

// reasonsOf counts the failures of each reason, the most frequent first.
func reasonsOf(failures []index.Failure) []reasonJSON {
	counts := map[string]int{}
	for _, failure := range failures {
		counts[failure.Reason]++
	}
	reasons := make([]reasonJSON, 0, len(counts))
	for reason, count := range counts {
		reasons = append(reasons, reasonJSON{reason, count})
	}
	slices.SortFunc(reasons, func(a, b reasonJSON) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Reason, b.Reason))
	})
	return reasons[:min(len(reasons), shownReasons)]
}

// sendFailures sends all of some failures as a table.
func sendFailures(c echo.Context, failures []index.Failure) error {
	header := c.Response().Header()
	header.Set(echo.HeaderContentType, "text/csv; charset=utf-8; header=present")
	header.Set(echo.HeaderContentDisposition, `attachment; filename="failures.csv"`)
	c.Response().WriteHeader(http.StatusOK)
	table := csv.NewWriter(c.Response())
	rows := [][]string{{"path", "reason", "time"}}
	for _, failure := range failures {
		rows = append(rows, []string{plainCell(failure.File.Path), plainCell(failure.Reason), failure.Time.UTC().Format(time.RFC3339)})
	}
	if err := table.WriteAll(rows); err != nil {
		return fmt.Errorf("send failures: %w", err)
	}
	return nil
}

// plainCell keeps a spreadsheet from taking a text for a formula.
func plainCell(text string) string {
	if text != "" && strings.ContainsAny(text[:1], "=+-@\t\r") {
		return "'" + text
	}
	return text
}
