package hub

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"mekiki/internal/diskspace"
	"mekiki/internal/folders"
)

// Options says how to pull. The zero value takes the process's environment and sensible limits.
type Options struct {
	// Dir is the folder that holds one folder for each pulled model: downloads in the cache folder when empty.
	Dir string
	// Environment is that of the process when nil.
	Environment *Environment
	// Connections is how many ranges of a file come at once: 4 when zero, at most 32.
	Connections int
	// ChunkBytes is the largest range: 32 MiB when zero. A kill loses at most one range for each connection.
	ChunkBytes int64
	// StallTimeout is how long a connection may bring nothing before it is given up: 30 seconds when zero.
	StallTimeout time.Duration
	// Attempts is how often something is tried without any progress: 8 when zero.
	Attempts int
	// Backoff is the first pause between attempts, which doubles up to MaximumBackoff: half a second when zero.
	Backoff time.Duration
	// MaximumBackoff is the longest pause, also when a server asks for a longer one: a minute when zero.
	MaximumBackoff time.Duration
	// Check is given the folder once the small files of a checkpoint are there, before any of the weights are fetched; an
	// error ends the pull. It may be nil.
	Check func(dir string) error
	// Transport makes the requests; a new one with timeouts when nil.
	Transport http.RoundTripper
	// Progress is told how far the pull is, never by two goroutines at once; it may be nil.
	Progress func(Progress)
	// Waiting is called once when another pull of the same model is under way; it may be nil.
	Waiting func()
	// Logger receives retries and what was reused; nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	if o.Dir == "" {
		cache, err := folders.Cache()
		if err != nil {
			return o, err
		}
		o.Dir = filepath.Join(cache, "downloads")
	}
	if o.Environment == nil {
		environment, err := FromEnvironment()
		if err != nil {
			return o, err
		}
		o.Environment = &environment
	}
	o.Connections = orDefault(o.Connections, 4)
	o.ChunkBytes = orDefault(o.ChunkBytes, 32<<20)
	o.StallTimeout = orDefault(o.StallTimeout, 30*time.Second)
	o.Attempts = orDefault(o.Attempts, 8)
	o.Backoff = orDefault(o.Backoff, 500*time.Millisecond)
	o.MaximumBackoff = orDefault(o.MaximumBackoff, time.Minute)
	if o.Check == nil {
		o.Check = func(string) error { return nil }
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, o.Validate()
}

func orDefault[T int | int64 | time.Duration](value, otherwise T) T {
	if value == 0 {
		return otherwise
	}
	return value
}

// Validate reports every setting that cannot be used. Zero values, which take defaults, are fine.
func (o Options) Validate() error {
	var problems []error
	if o.Connections < 0 || o.Connections > 32 {
		problems = append(problems, fmt.Errorf("connections are %d; 1 to 32 are possible", o.Connections))
	}
	if o.ChunkBytes < 0 || o.ChunkBytes > 1<<30 {
		problems = append(problems, fmt.Errorf("a range of %d bytes; at most 1 GiB is possible", o.ChunkBytes))
	}
	if o.StallTimeout < 0 || o.Attempts < 0 || o.Backoff < 0 || o.MaximumBackoff < 0 {
		problems = append(problems, errors.New("a timeout or a number of attempts is negative"))
	}
	if o.Environment != nil {
		problems = append(problems, o.Environment.Validate())
	}
	return errors.Join(problems...)
}

// Client pulls checkpoints. It is safe for concurrent use.
type Client struct {
	options   Options
	transport http.RoundTripper
	owned     *http.Transport // closed by Close
	freeSpace func(dir string) (int64, error)
}

// New makes a client.
func New(options Options) (*Client, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("pull: %w", err)
	}
	client := &Client{options: options, transport: options.Transport, freeSpace: diskspace.Free}
	if client.transport == nil {
		// Without HTTP/2, which would send all ranges through one connection.
		client.owned = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: options.StallTimeout}).DialContext,
			TLSHandshakeTimeout:   options.StallTimeout,
			ResponseHeaderTimeout: options.StallTimeout,
			MaxIdleConnsPerHost:   options.Connections,
			IdleConnTimeout:       time.Minute,
			DisableCompression:    true,
		}
		client.transport = client.owned
	}
	return client, nil
}

// Close gives up idle connections.
func (c *Client) Close() {
	if c.owned != nil {
		c.owned.CloseIdleConnections()
	}
}
