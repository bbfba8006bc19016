package objects

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"mekiki/index/cluster/settings"
	"mekiki/internal/bounded"
	"mekiki/internal/hint"
)

// S3 is a [Store] in a bucket.
type S3 struct {
	client    *client
	transport *http.Transport
	where     settings.Store
	// pause is how long to wait before an attempt, counted from 1; tests wait less.
	pause func(attempt int) time.Duration
	stall time.Duration
	// attempts is how often a call is tried.
	attempts int
}

var _ Store = (*S3)(nil)

// Open prepares a store. It does not ask the store; [Examine] does.
func Open(where settings.Store) (*S3, error) {
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout: connectTimeout,
		MaxIdleConns:        maximumConnections,
		MaxIdleConnsPerHost: maximumConnections,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if where.CAFile != "" {
		var err error
		if transport.TLSClientConfig.RootCAs, err = authorities(where.CAFile); err != nil {
			return nil, err
		}
	}
	client, err := newClient(where, transport)
	if err != nil {
		return nil, hint.Wrap(fmt.Errorf("store: %w", err), "correct store.address")
	}
	return &S3{client: client, transport: transport, where: where, pause: pause, stall: stallTimeout, attempts: maximumAttempts}, nil
}

// authorities are the system's certificates, and those of a file.
func authorities(file string) (*x509.CertPool, error) {
	const remedy = "set store.ca-file to a file of certificates (PEM), or remove it"
	pem, err := bounded.ReadFile(file, maximumCertificates)
	if err != nil {
		return nil, hint.Wrap(fmt.Errorf("store.ca-file: %w", err), remedy)
	}
	pool, err := x509.SystemCertPool()
	if err != nil { // as on systems without any
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, hint.Wrap(fmt.Errorf("store.ca-file: %s has no certificate", file), remedy)
	}
	return pool, nil
}

// Close closes the connections that wait for later calls.
func (s *S3) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}

// name is the key of an object in the bucket.
func (s *S3) name(key string) string { return s.where.Prefix + key }

// Put keeps an object. The store compares what arrives with a checksum.
func (s *S3) Put(ctx context.Context, key string, data []byte) error {
	if err := checkPut(key, data); err != nil {
		return err
	}
	framed := frame(key, data, 0)
	sums := digestsOf(framed)
	return s.try(ctx, "put "+key, func(ctx context.Context, alive func()) error {
		_, err := s.client.put(ctx, s.name(key), framed, sums, nil, alive)
		return err
	})
}

func checkPut(key string, data []byte) error {
	if len(data) > MaximumObject {
		return fmt.Errorf("object %s: %d bytes, at most %d", key, len(data), MaximumObject)
	}
	return checkKey(key)
}

// PutIf keeps an object on a condition. When the answer to an attempt was lost and the next
// one meets a conflict, the mark in the object tells whose write it is.
func (s *S3) PutIf(ctx context.Context, key string, data []byte, tag string) (newTag string, err error) {
	if err := checkPut(key, data); err != nil {
		return "", err
	}
	condition := map[string]string{"If-None-Match": "*"}
	if tag != "" {
		condition = map[string]string{"If-Match": `"` + tag + `"`}
	}
	mark := rand.Uint64()
	framed := frame(key, data, mark)
	sums := digestsOf(framed)
	answerLost := false
	err = s.try(ctx, "put "+key, func(ctx context.Context, alive func()) error {
		var err error
		if newTag, err = s.client.put(ctx, s.name(key), framed, sums, condition, alive); err == nil {
			return nil
		}
		if !isConflict(err) {
			answerLost = true
			return err
		}
		if !answerLost {
			return ErrConflict
		}
		framed, found, err := s.read(ctx, key, nil, framedMaximum, alive)
		if err != nil {
			return absentIs(err, ErrConflict)
		}
		if newTag = found; markOf(framed) != mark {
			return ErrConflict
		}
		_, err = unframe(key, framed)
		return err
	})
	return newTag, err
}

// isConflict reports whether a store says that the condition of a write does not hold.
func isConflict(err error) bool {
	given, ok := errors.AsType[answer](err)
	return ok && (given.Code == codePreconditionFailed || given.Code == codeNoSuchKey)
}

// Get gives an object whole.
func (s *S3) Get(ctx context.Context, key string) ([]byte, error) {
	data, _, err := s.GetTagged(ctx, key)
	return data, err
}

// GetTagged gives an object whole, and its tag.
func (s *S3) GetTagged(ctx context.Context, key string) (data []byte, tag string, err error) {
	if err := checkKey(key); err != nil {
		return nil, "", err
	}
	err = s.try(ctx, "get "+key, func(ctx context.Context, alive func()) error {
		framed, found, err := s.read(ctx, key, nil, framedMaximum, alive)
		if err == nil {
			tag = found
			data, err = unframe(key, framed)
		}
		return err
	})
	return data, tag, err
}

// Range gives a part of an object.
func (s *S3) Range(ctx context.Context, key string, offset, length int64) (data []byte, err error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if offset < 0 || length < 0 || offset > MaximumObject || length > MaximumObject-offset {
		return nil, fmt.Errorf("object %s: %w: %d bytes from %d", key, ErrRange, length, offset)
	}
	if length == 0 {
		return []byte{}, nil
	}
	first, from, to := framedRange(offset, length)
	ranged := map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", from, to-1)}
	err = s.try(ctx, "read "+key, func(ctx context.Context, alive func()) error {
		framed, _, err := s.read(ctx, key, ranged, to-from, alive)
		if err == nil {
			data, err = unframeBlocks(key, uint64(first), framed)
		}
		if err == nil && int64(len(data)) < offset-first*blockSize+length {
			err = fmt.Errorf("object %s: %w: it ends at %d, and %d bytes from %d were asked for", key, ErrRange, first*blockSize+int64(len(data)), length, offset)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return data[offset-first*blockSize:][:length:length], nil
}

// read reads what the store gives for a key, most bytes at most, and its tag.
func (s *S3) read(ctx context.Context, key string, header map[string]string, most int64, alive func()) (framed []byte, tag string, err error) {
	response, err := s.client.do(ctx, request{method: http.MethodGet, name: s.name(key), header: header, alive: alive})
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	if header["Range"] != "" && response.StatusCode != http.StatusPartialContent {
		return nil, "", hint.Wrap(fmt.Errorf("%w: it answers a range of %s with the whole object", ErrRefused, key), "let the store, or the proxy before it, pass the header Range")
	}
	if response.ContentLength > most {
		return nil, "", damaged(key, "%d bytes, at most %d", response.ContentLength, most)
	}
	body := &watched{response.Body, alive}
	if response.ContentLength < 0 {
		framed, err = bounded.Read(body, most)
	} else {
		framed = make([]byte, response.ContentLength)
		_, err = io.ReadFull(body, framed)
	}
	if err != nil {
		return nil, "", fmt.Errorf("read the answer: %w", err)
	}
	return framed, tagOf(response), nil
}

// A watched reader says when bytes move.
type watched struct {
	io.Reader
	alive func()
}

func (w *watched) Read(into []byte) (int, error) {
	n, err := w.Reader.Read(into)
	if n > 0 {
		w.alive()
	}
	return n, err
}

// List goes through objects.
func (s *S3) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for after, more := "", true; more; {
			var page []Info
			var err error
			if page, more, err = s.page(ctx, prefix, after); err != nil {
				yield(Info{}, err)
				return
			}
			for _, info := range page {
				if !yield(info, nil) {
					return
				}
				after = info.Key
			}
		}
	}
}

// page gives the next objects after a key, and whether there are more.
func (s *S3) page(ctx context.Context, prefix, after string) (page []Info, more bool, err error) {
	start := ""
	if after != "" {
		start = s.name(after)
	}
	err = s.try(ctx, "list "+prefix, func(ctx context.Context, alive func()) error {
		found, truncated, err := s.client.list(ctx, s.name(prefix), start, listPage, alive)
		if err != nil {
			return err
		}
		page, more = nil, truncated && len(found) > 0
		last := after
		for _, object := range found {
			key, ours := strings.CutPrefix(object.Key, s.where.Prefix)
			if !ours || key <= last {
				return fmt.Errorf("%w: it lists %q after %q", ErrRefused, object.Key, s.name(last))
			}
			page, last = append(page, Info{key, object.Size, object.LastModified}), key
		}
		return nil
	})
	return page, more, err
}

// Delete deletes objects, several in one call.
func (s *S3) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return err
		}
	}
	for batch := range slices.Chunk(keys, deleteBatch) {
		if err := s.deleteBatch(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

func (s *S3) deleteBatch(ctx context.Context, keys []string) error {
	if len(keys) == 1 {
		return s.try(ctx, "delete "+keys[0], func(ctx context.Context, alive func()) error {
			return s.client.remove(ctx, s.name(keys[0]), alive)
		})
	}
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = s.name(key)
	}
	return s.try(ctx, fmt.Sprintf("delete %s and %d more", keys[0], len(keys)-1), func(ctx context.Context, alive func()) error {
		return s.client.removeAll(ctx, names, alive)
	})
}

// absentIs gives another error, or nil, for one that says that an object is not there.
func absentIs(err, other error) error {
	if given, ok := errors.AsType[answer](err); ok && given.Code == codeNoSuchKey {
		return other
	}
	return err
}
