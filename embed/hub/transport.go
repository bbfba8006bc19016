package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"mekiki/internal/hint"
)

const (
	// userAgent names the program to servers.
	userAgent = "mekiki"
)

var (
	// ErrNotFound means that the server has no such repository, revision or file.
	ErrNotFound = errors.New("not found")
	// ErrDenied means that the server wants a token, or another one.
	ErrDenied = errors.New("access denied")
	// ErrOffline means that something would have to be downloaded while HF_HUB_OFFLINE forbids it.
	ErrOffline = errors.New("not on this machine, and downloads are switched off")
	// ErrHash means that a complete file is not the published one.
	ErrHash = errors.New("hash differs from the published one")
	// ErrSpace means that the disk has no room for the download.
	ErrSpace = errors.New("not enough free disk space")

	errStalled  = errors.New("nothing arrived for a while")
	errChanged  = errors.New("the file on the server changed during the download")
	errNoRanges = errors.New("the server does not serve ranges")
)

// statusError is an answer that is not the one hoped for.
type statusError struct {
	status int
	// code is the hub's own X-Error-Code.
	code       string
	retryAfter time.Duration
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("the server answered %d %s", e.status, http.StatusText(e.status))
	if e.code != "" {
		text += " (" + e.code + ")"
	}
	return text
}

// isTemporary reports whether the same request may succeed later.
func (e *statusError) isTemporary() bool {
	return e.status == http.StatusRequestTimeout || e.status == http.StatusTooManyRequests || e.status >= 500
}

// send makes a request and follows redirects. The token goes to the endpoint alone: it is set here and taken off whenever
// a redirect leaves the endpoint. Linked headers, which the hub gives beside a redirect to its storage, are copied into
// the final response.
func (c *Client) send(ctx context.Context, method, address string, header http.Header) (*http.Response, error) {
	linked := http.Header{}
	client := &http.Client{
		Transport: c.transport,
		CheckRedirect: func(next *http.Request, earlier []*http.Request) error {
			if len(earlier) > maximumRedirects {
				return errors.New("too many redirects")
			}
			if earlier[len(earlier)-1].URL.Scheme == "https" && next.URL.Scheme != "https" {
				return errors.New("a redirect from https to an address without encryption")
			}
			next.Header.Del("Authorization")
			next.Header.Del("Referer")
			c.authorize(next)
			keepLinked(linked, next.Response)
			return nil
		},
	}
	request, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set("Accept-Encoding", "identity")
	c.authorize(request)
	response, err := client.Do(request)
	if err != nil {
		return nil, withoutQuery(err)
	}
	for name, values := range linked {
		if response.Header.Get(name) == "" {
			response.Header[name] = values
		}
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusPartialContent {
		failure := &statusError{
			status: response.StatusCode, code: response.Header.Get("X-Error-Code"),
			retryAfter: retryAfter(response.Header.Get("Retry-After"), time.Now()),
		}
		_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // so that the connection can be used again
		response.Body.Close()
		return nil, failure
	}
	return response, nil
}

// withoutQuery shortens the address in an error of net/http, whose query may hold a signature.
func withoutQuery(err error) error {
	var failure *url.Error
	if !errors.As(err, &failure) {
		return err
	}
	if parsed, parseErr := url.Parse(failure.URL); parseErr == nil {
		parsed.RawQuery, parsed.User = "", nil
		failure.URL = parsed.String()
	}
	return err
}

// authorize adds the token if the request goes to the endpoint.
func (c *Client) authorize(request *http.Request) {
	environment := c.options.Environment
	if environment.Token == "" {
		return
	}
	endpoint, err := url.Parse(environment.Endpoint)
	if err == nil && endpoint.Scheme == request.URL.Scheme && endpoint.Host == request.URL.Host {
		request.Header.Set("Authorization", "Bearer "+environment.Token)
	}
}

// keepLinked copies what the hub says of a file when it redirects to its storage.
func keepLinked(linked http.Header, response *http.Response) {
	if response == nil {
		return
	}
	for _, name := range []string{"X-Linked-Etag", "X-Linked-Size", "X-Repo-Commit", "X-Error-Code"} {
		if value := response.Header.Get(name); value != "" && linked.Get(name) == "" {
			linked.Set(name, value)
		}
	}
}

// retryAfter reads the header of that name: seconds, or a date.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		return time.Duration(min(seconds, 24*3600)) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil && date.After(now) {
		return date.Sub(now)
	}
	return 0
}

// watch returns a context that ends when nothing arrives for the stall timeout, and the function to call when something
// did. The context must be ended with stop.
func (c *Client) watch(ctx context.Context) (watched context.Context, alive, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(c.options.StallTimeout, func() { cancel(errStalled) })
	alive = func() { timer.Reset(c.options.StallTimeout) }
	stop = func() { timer.Stop(); cancel(nil) }
	return watched, alive, stop
}

// cause replaces a cancelled context's error by what made it end.
func cause(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if reason := context.Cause(ctx); reason != nil && errors.Is(err, context.Canceled) {
		return reason
	}
	return err
}

// lookupAttempts bounds the attempts at finding out what there is, so that a machine without a network says so soon.
func (c *Client) lookupAttempts() int { return min(c.options.Attempts, 4) }

// retry calls try until it succeeds, fails for good, or has failed the given number of times in a row without progress.
// try reports whether it made any.
func (c *Client) retry(ctx context.Context, what string, attempts int, try func() (progress bool, err error)) error {
	for failures := 0; ; {
		progress, err := try()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", what, context.Cause(ctx))
		}
		if progress {
			failures = 0
		}
		if failures++; failures >= attempts || !worthRetrying(err) {
			return fmt.Errorf("%s: %w", what, err)
		}
		pause := c.pause(failures, err)
		c.options.Logger.WarnContext(ctx, "trying again", "what", what, "error", err, "pause", pause)
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

// pause is how long to wait after the given number of failures: doubling, with some chance in it, or what the server asks.
func (c *Client) pause(failures int, err error) time.Duration {
	pause := c.options.Backoff << min(failures-1, 16)
	pause = min(pause, c.options.MaximumBackoff)
	pause = pause/2 + rand.N(pause/2+1)
	var status *statusError
	if errors.As(err, &status) && status.retryAfter > pause {
		pause = min(status.retryAfter, c.options.MaximumBackoff)
	}
	return pause
}

// worthRetrying sorts errors into those of a moment and those for good.
func worthRetrying(err error) bool {
	var status *statusError
	var local *localError
	switch {
	case errors.As(err, &status):
		return status.isTemporary()
	case errors.Is(err, errChanged), errors.Is(err, errNoRanges), errors.As(err, &local):
		return false
	}
	return true // the network
}

// localError is a failure on this machine, such as a full disk.
type localError struct{ err error }

func (e *localError) Error() string { return e.err.Error() }
func (e *localError) Unwrap() error { return e.err }

func local(err error) error {
	if err == nil {
		return nil
	}
	return &localError{err}
}

// explain turns an answer of the server into an error that says what to do.
func explain(err error, what string) error {
	var status *statusError
	var network *url.Error
	switch {
	case err == nil || hint.Of(err) != "":
		return err
	case errors.As(err, &status):
	case errors.As(err, &network), errors.Is(err, errStalled), errors.Is(err, io.ErrUnexpectedEOF):
		return hint.Wrap(err, "check the network, or name a mirror with HF_ENDPOINT; the next pull goes on from here")
	default:
		return err
	}
	switch {
	case status.code == "GatedRepo":
		return hint.Wrap(fmt.Errorf("%s: %w: %w", what, ErrDenied, err), "accept the conditions on the repository's page, then set HF_TOKEN to your token")
	case status.status == http.StatusUnauthorized:
		return hint.Wrap(fmt.Errorf("%s: %w: %w", what, ErrDenied, err), "check the name; if the repository is private, set HF_TOKEN to your token")
	case status.status == http.StatusForbidden:
		return hint.Wrap(fmt.Errorf("%s: %w: %w", what, ErrDenied, err), "check that your HF_TOKEN may read it")
	case status.status == http.StatusNotFound || status.status == http.StatusGone:
		return hint.Wrap(fmt.Errorf("%s: %w: %w", what, ErrNotFound, err), "check the name and the revision")
	case status.status == http.StatusTooManyRequests:
		return hint.Wrap(err, "wait a while and pull again; it goes on where it stopped")
	}
	return err
}
