package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/problem"
	"mekiki/server/transport"
	"mekiki/server/wire"
)

// tagOf is the entity tag of a record: it changes with whatever of it is sent.
func tagOf(shown wire.Record) (string, error) {
	data, err := json.Marshal(shown)
	if err != nil {
		return "", fmt.Errorf("encode record: %w", err)
	}
	sum := sha256.Sum256(data)
	return `"` + hex.EncodeToString(sum[:16]) + `"`, nil
}

// SendRecord answers with a record and its entity tag; with 304 where a reader has it as it is.
func SendRecord(c echo.Context, status int, record *index.Record) error {
	shown := wire.RecordOf(record)
	tag, err := tagOf(shown)
	if err != nil {
		return err
	}
	c.Response().Header().Set("ETag", tag)
	if c.Request().Method == http.MethodGet || c.Request().Method == http.MethodHead {
		c.Response().Header().Set("Cache-Control", "private, no-cache")
		if transport.MatchesTag(c.Request(), tag) {
			return c.NoContent(http.StatusNotModified)
		}
	}
	return SendJSON(c, status, shown)
}

// Precondition is the check of the header If-Match (RFC 9110, 13.1.1): it refuses a record that is not as the caller last
// saw it. Without the header everything passes. Weak tags match nothing.
func Precondition(c echo.Context) func(*index.Record) error {
	values := c.Request().Header.Values("If-Match")
	if len(values) == 0 {
		return func(*index.Record) error { return nil }
	}
	return func(record *index.Record) error {
		tag, err := tagOf(wire.RecordOf(record))
		if err != nil {
			return err
		}
		for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
			if part = strings.TrimSpace(part); part == "*" || part == tag {
				return nil
			}
		}
		p := problem.Newf(problem.PreconditionFailed, "record %s is not as it was when you read it", record.ID)
		p.Hint = "read it again, and send the change with its new ETag"
		return p
	}
}
