package engine

import (
	"errors"
	"fmt"
	"strings"

	"mekiki/index"
)

// Errors that callers branch on; test with errors.Is.
var (
	// ErrDown: no address answered. It is an [index.ErrUnavailable], too, as all refusals of
	// the engine are: whoever asked the library cannot help it.
	ErrDown error = unavailable("the engine does not answer")
	// ErrVersion: the engine is of a version that this program does not know.
	ErrVersion error = unavailable("unsupported version of the engine")
	// ErrRights: the engine refused the credentials.
	ErrRights = errors.New("the engine refuses the credentials")
	// ErrAbsent: there is no such collection or alias.
	ErrAbsent = errors.New("not in the engine")
	// ErrSchema: a collection has the name but not the form that is needed.
	ErrSchema = errors.New("a collection of another form")
)

// unavailable is an error of which callers need only know that the library is unavailable.
type unavailable string

func (u unavailable) Error() string        { return string(u) }
func (u unavailable) Is(target error) bool { return target == index.ErrUnavailable }

// statusError is an answer that is no success.
type statusError struct {
	status  int
	message string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("the engine answers %d: %s", e.status, e.message)
}

func (e *statusError) Is(target error) bool {
	if target == index.ErrUnavailable {
		return true
	}
	switch e.status {
	case 401, 403:
		return target == ErrRights
	case 404:
		return target == ErrAbsent
	}
	return target == ErrAbsent && strings.Contains(e.message, noCollection)
}

// transient reports whether asking again, maybe another node, may succeed.
func transient(err error) bool {
	var status *statusError
	if !errors.As(err, &status) {
		return true // no answer, or half of one
	}
	return status.status >= 500 && !permanent(status.message) || status.status == 429 || passing(status.message)
}

// passing reports whether a message tells of a node that is lost, starting or stopping.
func passing(message string) bool {
	for _, part := range []string{
		"connection refused", "connection reset", "broken pipe", "EOF", "timeout", "deadline exceeded", "leader", "not ready", "no route to host",
		// How one node says of another one that it did not answer; in batches these stand beside single objects.
		"connect: ", "send http request", "read error", "read repair error", "changed during repair",
		"consistency level", "shutting down", "shut down", "unreachable", "cannot reach", "status code: 5", "context canceled", "read-only",
		// A node that was killed may have lost objects whose vectors its graph still has, until another node gives them back.
		"vector not found for target vector", "no graphql provider present", "index for target vector",
		"non-existing index", "index not found", "shard not found",
	} {
		if strings.Contains(message, part) {
			return true
		}
	}
	// A node that starts takes a collection that it does not know yet for a new one, and makes it when it is given an object.
	return strings.HasPrefix(message, "object ") && strings.Contains(message, "already exists")
}

// permanent reports whether a message is of a failure that stays.
func permanent(message string) bool {
	return strings.Contains(message, "no space left") || strings.Contains(message, noCollection)
}

// noCollection is in the message of a deletion in a collection that is not there.
const noCollection = "failed to get class"

// shorten bounds a message.
func shorten(message string) string {
	message = strings.Join(strings.Fields(message), " ")
	if len(message) > maximumMessage {
		message = strings.ToValidUTF8(message[:maximumMessage], "") + "…"
	}
	return message
}
