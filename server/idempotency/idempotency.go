// Package idempotency answers a request that is sent again as it was answered the first time, and does nothing again: the
// header Idempotency-Key of draft-ietf-httpapi-idempotency-key-header-07.
//
//	POST, key "a" ─► done, its answer kept ─┬─ the same again ─► the kept answer, Idempotency-Replayed: true
//	                                        ├─ another body ───► 422
//	                                        └─ still at work ──► 409
//
// Only success is kept: what failed is tried again. Keys are a caller's own.
package idempotency

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/transport"
)

// Header and Replayed are the names of the headers of a key, and of an answer that was given before.
const (
	Header   = "Idempotency-Key"
	Replayed = "Idempotency-Replayed"
)

// Answers keeps what was answered. Fill in what is exported before the first request; it is then safe for concurrent use.
type Answers struct {
	Now func() time.Time
	// BodyBytes and BodyTime bound a body that is read again, to be compared.
	BodyBytes int64
	BodyTime  time.Duration

	mutex sync.Mutex
	kept  []*answer // the oldest first
}

// answer is what one key stands for.
type answer struct {
	caller    caller
	key       string
	until     time.Time
	request   [sha256.Size]byte
	done, cut bool // cut: the body was too large to be kept
	status    int
	header    http.Header
	body      []byte
}

// caller is whose a key is: a name may come to be another token's.
type caller struct {
	name  string
	token [sha256.Size]byte
	owner bool
}

func callerOf(c echo.Context) caller {
	who := api.CallerOf(c)
	return caller{who.Name, who.Token, who.Owner}
}

// keptHeaders are those that belong to an answer, and not to its way.
var keptHeaders = []string{echo.HeaderContentType, echo.HeaderLocation, "ETag"}

// Applies reports whether a route heeds keys: it changes something by POST, and its body is not a form. Uploads need
// none, since a picture that comes twice is there once, and secrets are not kept.
func Applies(route *api.Route) bool {
	return route.Method == http.MethodPost && !route.Secret && route.Operation.Scope != "read" && route.Operation.Scope != "none" &&
		route.Operation.Bodies[echo.MIMEMultipartForm] == nil
}

// Wrap makes a handler heed keys.
func (a *Answers) Wrap(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if len(c.Request().Header.Values(Header)) == 0 {
			return next(c)
		}
		key, err := keyOf(c.Request())
		if err != nil {
			return err
		}
		found, fresh := a.begin(callerOf(c), key)
		switch {
		case fresh:
			return a.first(c, found, next)
		case !found.done:
			p := problem.New(problem.Conflict, "a request with this idempotency key is being answered")
			p.RetryAfter = runningRetry
			return p
		}
		return a.again(c, found)
	}
}

// keyOf reads the key, which the draft has in quotation marks and many clients send without.
func keyOf(request *http.Request) (string, error) {
	values := request.Header.Values(Header)
	key := strings.TrimSpace(values[0])
	if len(key) >= 2 && strings.HasPrefix(key, `"`) && strings.HasSuffix(key, `"`) {
		key = key[1 : len(key)-1]
	}
	plain := !strings.ContainsFunc(key, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' })
	if len(values) > 1 || key == "" || len(key) > longestKey || !plain {
		return "", problem.Invalid(Header, "must be given once, with 1 to %d printable ASCII characters", longestKey)
	}
	return key, nil
}

// begin finds what a key stands for, as far as it is done, or takes the key.
func (a *Answers) begin(caller caller, key string) (found *answer, fresh bool) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	now := a.Now()
	a.kept = slices.DeleteFunc(a.kept, func(each *answer) bool { return each.done && now.After(each.until) })
	for _, each := range a.kept {
		if each.caller == caller && each.key == key {
			copied := *each
			return &copied, false
		}
	}
	found = &answer{caller: caller, key: key, until: now.Add(keptFor)}
	a.kept = append(a.kept, found)
	a.evict(func(each *answer) bool { return each.caller == caller }, callerKeys)
	a.evict(func(*answer) bool { return true }, allKeys)
	return found, true
}

// evict forgets the oldest answers of some kind until at most so many are kept. The mutex is held.
func (a *Answers) evict(counts func(*answer) bool, most int) {
	count := 0
	for _, each := range a.kept {
		if counts(each) {
			count++
		}
	}
	a.kept = slices.DeleteFunc(a.kept, func(each *answer) bool {
		goes := count > most && each.done && counts(each)
		if goes {
			count--
		}
		return goes
	})
}

// first has a request answered, and keeps the answer.
func (a *Answers) first(c echo.Context, taken *answer, next echo.HandlerFunc) (err error) {
	kept := false
	defer func() { // after a panic too
		if !kept {
			a.forget(taken)
		}
	}()
	sum := requestSum(c)
	if c.Request().Body != nil && api.RouteOf(c).Operation.Bodies != nil {
		c.Request().Body = readBoth{io.TeeReader(c.Request().Body, sum), c.Request().Body}
	}
	recorder := &recorder{ResponseWriter: c.Response().Writer}
	c.Response().Writer = recorder
	defer func() { c.Response().Writer = recorder.ResponseWriter }()
	if err := next(c); err != nil {
		return err
	}
	if status := c.Response().Status; status >= 200 && status < 300 {
		a.keep(c, taken, [sha256.Size]byte(sum.Sum(nil)), recorder)
		kept = true
	}
	return nil
}

// requestSum begins the sum of what makes two requests the same; their bodies follow.
func requestSum(c echo.Context) hash.Hash {
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%s %q %q\n", c.Request().Method, c.Request().URL.EscapedPath(), c.Request().URL.RawQuery) // a hash takes everything
	return sum
}

// keep keeps the answer that was given.
func (a *Answers) keep(c echo.Context, taken *answer, request [sha256.Size]byte, recorder *recorder) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	taken.request, taken.status, taken.body, taken.cut, taken.done = request, c.Response().Status, recorder.body.Bytes(), recorder.cut, true
	taken.header = http.Header{}
	for _, name := range keptHeaders {
		if value := c.Response().Header().Get(name); value != "" {
			taken.header.Set(name, value)
		}
	}
	all := 0
	for _, each := range a.kept {
		all += len(each.body)
	}
	a.kept = slices.DeleteFunc(a.kept, func(each *answer) bool {
		goes := all > allBytes && each.done && each != taken
		if goes {
			all -= len(each.body)
		}
		return goes
	})
}

func (a *Answers) forget(taken *answer) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.kept = slices.DeleteFunc(a.kept, func(each *answer) bool { return each == taken })
}

// again gives the answer that a request had, if it is the same request.
func (a *Answers) again(c echo.Context, known *answer) error {
	sum := requestSum(c)
	if api.RouteOf(c).Operation.Bodies != nil {
		body, done := transport.Pace(c, a.BodyBytes, a.BodyTime)
		if _, err := io.Copy(sum, body); err != nil {
			return fmt.Errorf("read body: %w", err)
		}
		done()
	}
	switch {
	case known.request != [sha256.Size]byte(sum.Sum(nil)):
		return problem.New(problem.IdempotencyKeyReused, "another request had this idempotency key: a new request needs a new one")
	case known.cut:
		return problem.New(problem.Conflict, "this was done, and its answer was too large to be kept: nothing was done again")
	}
	header := c.Response().Header()
	for name, values := range known.header {
		header[name] = values
	}
	header.Set(Replayed, "true")
	if len(known.body) == 0 {
		return c.NoContent(known.status)
	}
	return c.Blob(known.status, known.header.Get(echo.HeaderContentType), known.body)
}

// readBoth reads a body in another way than it closes it.
type readBoth struct {
	io.Reader
	io.Closer
}

// recorder keeps what is written, as far as that is not too much.
type recorder struct {
	http.ResponseWriter
	body bytes.Buffer
	cut  bool
}

// Write writes, and keeps it.
func (r *recorder) Write(data []byte) (int, error) {
	if r.cut = r.cut || r.body.Len()+len(data) > answerBytes; r.cut {
		r.body = bytes.Buffer{}
	} else {
		r.body.Write(data)
	}
	return r.ResponseWriter.Write(data)
}

// Unwrap gives http.ResponseController the writer below.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
