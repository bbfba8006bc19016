package engine

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"mekiki/internal/bounded"
	"mekiki/internal/hint"
)

// Options say where the engine is.
type Options struct {
	// Addresses are those of nodes, such as "http://10.0.0.1:8080"; one is enough.
	Addresses []string
	// Key is an API key of Weaviate; "" where anybody may ask.
	Key string
	// Consistency is how many replicas must take part in reading and writing: "ONE",
	// "QUORUM" (the default) or "ALL".
	Consistency string
	// CAFile has certificates (PEM) to trust beside the system's; "" for none.
	CAFile string
	// Transport makes the requests; nil for the usual one.
	Transport http.RoundTripper
}

// Client asks the engine. Its methods may be called from any goroutine.
type Client struct {
	nodes       []*node
	key         string
	consistency string
	http        *http.Client
	turn        atomic.Uint64
	most        int64 // bytes of an answer
}

// node is one address, and until when it is asked last.
type node struct {
	address  string
	avoided  atomic.Int64 // nanoseconds since 1970
	failures atomic.Int64 // in a row
}

// failed has the node asked last for a while, which is longer the more often it did not answer in a row.
func (n *node) failed() {
	wait := min(avoidedFor<<min(n.failures.Add(1)-1, 10), longestAvoided)
	n.avoided.Store(time.Now().Add(wait).UnixNano())
}

// Open makes a client. It asks nothing yet: see [Client.Check].
func Open(o Options) (*Client, error) {
	c := &Client{key: o.Key, consistency: o.Consistency, most: maximumAnswer, http: &http.Client{Transport: o.Transport}}
	if c.consistency == "" {
		c.consistency = "QUORUM"
	}
	for _, address := range o.Addresses {
		parsed, err := url.Parse(address)
		if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" {
			return nil, hint.Wrap(fmt.Errorf("the address %q of the engine is not one", address), "write it as http://HOST:PORT or https://HOST")
		}
		c.nodes = append(c.nodes, &node{address: strings.TrimRight(address, "/")})
	}
	if len(c.nodes) == 0 {
		return nil, hint.Wrap(errors.New("the engine has no address"), "name at least one of its nodes: http://HOST:8080")
	}
	if o.Transport == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = idleConnections
		transport.DialContext = (&net.Dialer{Timeout: connectTimeout}).DialContext
		if o.CAFile != "" {
			trusted, err := certificates(o.CAFile)
			if err != nil {
				return nil, hint.Wrap(err, "name a file of certificates (PEM) in the settings, or none")
			}
			transport.TLSClientConfig = &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}
		}
		c.http.Transport = transport
	}
	return c, nil
}

// certificates are the system's and those of a file.
func certificates(file string) (*x509.CertPool, error) {
	data, err := bounded.ReadFile(file, maximumCertificates)
	if err != nil {
		return nil, fmt.Errorf("certificates of the engine: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("certificates of the engine: %s has none", file)
	}
	return pool, nil
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// order gives the nodes in the order in which to ask them: each call begins with the next
// one, and those that did not answer a moment ago come last.
func (c *Client) order() []*node {
	now, start := time.Now().UnixNano(), int(c.turn.Add(1)%uint64(len(c.nodes)))
	var good, avoided []*node
	for i := range c.nodes {
		if n := c.nodes[(start+i)%len(c.nodes)]; n.avoided.Load() > now {
			avoided = append(avoided, n)
		} else {
			good = append(good, n)
		}
	}
	return append(good, avoided...)
}

// call sends a request until an answer is final, and decodes it into answer unless that is
// nil. Judge looks at an answer that is a success, which may tell of a failure all the same.
func (c *Client) call(ctx context.Context, method, path string, body, answer any, judge func() error) error {
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return err
		}
	}
	patience := patienceOf(ctx)
	ctx, cancel := context.WithTimeout(ctx, patience.call)
	defer cancel()
	wait, began := firstWait, time.Now()
	for round := 1; ; round++ {
		var last error
		refused := true // by all
		for _, n := range c.order() {
			err := c.ask(ctx, n, request{method, path, sent, min(time.Duration(round)*firstTimeout, requestTimeout)}, answer)
			if err == nil && judge != nil {
				err = judge()
			}
			if err == nil || !transient(err) {
				n.failures.Store(0)
				return err
			}
			if ctx.Err() != nil {
				return c.gaveUp(ctx, errors.Join(last, err))
			}
			n.failed()
			refused = refused && isRefusal(err)
			last = fmt.Errorf("%s: %w", n.address, err)
		}
		if !refused {
			began = time.Now()
		} else if time.Since(began) >= patience.refused {
			return down(last)
		}
		select {
		case <-ctx.Done():
			return c.gaveUp(ctx, last)
		case <-time.After(wait/2 + rand.N(wait/2)):
		}
		wait = min(2*wait, longestWait)
	}
}

// gaveUp is the error of a call that ran out of time, or whose context has ended.
func (c *Client) gaveUp(ctx context.Context, last error) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ctx.Err()
	}
	return down(last)
}

// down says that the engine is, and how its last node failed.
func down(last error) error {
	return hint.Wrap(fmt.Errorf("%w: %w", ErrDown, last), "make sure that Weaviate runs and can be reached at the addresses of the settings")
}

// request is what is asked, and how long the answer may take.
type request struct {
	method, path string
	body         []byte
	timeout      time.Duration
}

// ask sends one request to one node.
func (c *Client) ask(ctx context.Context, n *node, r request, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, r.method, n.address+r.path, bytes.NewReader(r.body))
	if err != nil {
		return &statusError{status: http.StatusBadRequest, message: err.Error()}
	}
	if len(r.body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		request.Header.Set("Authorization", "Bearer "+c.key)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(io.LimitReader(response.Body, c.most+1))
	switch {
	case err != nil:
		return err
	case int64(len(read)) > c.most:
		return &statusError{status: http.StatusRequestEntityTooLarge, message: fmt.Sprintf("an answer of more than %d bytes", c.most)}
	case response.StatusCode/100 != 2:
		return refusal(response.StatusCode, read)
	case answer == nil:
		return nil
	}
	if err := json.Unmarshal(read, answer); err != nil {
		return fmt.Errorf("read the engine's answer: %w", err)
	}
	return nil
}

// refusal reads what the engine says of an error.
func refusal(status int, body []byte) error {
	var said struct {
		Error []struct {
			Message string `json:"message"`
		} `json:"error"`
		Message string `json:"message"`
	}
	message := string(body)
	if json.Unmarshal(body, &said) == nil {
		if len(said.Error) > 0 {
			message = said.Error[0].Message
		} else if said.Message != "" {
			message = said.Message
		}
	}
	err := error(&statusError{status: status, message: shorten(message)})
	if errors.Is(err, ErrRights) {
		err = hint.Wrap(err, "put an API key with the rights to read and write into the settings")
	}
	return err
}
