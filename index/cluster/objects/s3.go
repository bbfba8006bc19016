package objects

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"mekiki/index/cluster/settings"
	"mekiki/internal/bounded"
	"mekiki/internal/hint"
)

// S3 is a [Store] in a bucket.
type S3 struct {
	core      *minio.Core
	transport *http.Transport
	where     settings.Store
	// accepted says that the store took our credentials before, so that they are not what is wrong.
	accepted atomic.Bool
	// pause is how long to wait before an attempt, counted from 1; tests wait less.
	pause func(attempt int) time.Duration
	stall time.Duration
}

var _ Store = (*S3)(nil)

// Open prepares a store. It does not ask the store; [Examine] does.
func Open(where settings.Store) (*S3, error) {
	address, err := url.Parse(where.Address)
	if err != nil {
		return nil, hint.Wrap(fmt.Errorf("store: %w", err), "correct store.address")
	}
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
		if transport.TLSClientConfig.RootCAs, err = authorities(where.CAFile); err != nil {
			return nil, err
		}
	}
	core, err := minio.NewCore(address.Host, &minio.Options{
		Creds:        credentials.NewStaticV4(where.AccessKey, where.SecretKey.Reveal(), where.SessionToken.Reveal()),
		Secure:       address.Scheme == "https",
		Transport:    transport,
		Region:       where.Region,
		BucketLookup: map[string]minio.BucketLookupType{"path": minio.BucketLookupPath, "host": minio.BucketLookupDNS}[where.Addressing],
		MaxRetries:   1, // this package tries again
	})
	if err != nil {
		return nil, hint.Wrap(fmt.Errorf("store %s: %w", where.Address, err), "correct store.address and its credentials")
	}
	return &S3{core: core, transport: transport, where: where, pause: pause, stall: stallTimeout}, nil
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
	put := s.putter(key, framed, minio.PutObjectOptions{})
	return s.try(ctx, "put "+key, func(ctx context.Context, alive func()) error {
		_, err := put(ctx, alive)
		return err
	})
}

func checkPut(key string, data []byte) error {
	if len(data) > MaximumObject {
		return fmt.Errorf("object %s: %d bytes, at most %d", key, len(data), MaximumObject)
	}
	return checkKey(key)
}

// putter makes the function that sends an object once and gives its tag.
func (s *S3) putter(key string, framed []byte, options minio.PutObjectOptions) func(ctx context.Context, alive func()) (string, error) {
	sum := md5.Sum(framed)
	digest := base64.StdEncoding.EncodeToString(sum[:])
	options.ContentType = "application/octet-stream"
	return func(ctx context.Context, alive func()) (string, error) {
		body := &watched{bytes.NewReader(framed), alive}
		info, err := s.core.PutObject(ctx, s.where.Bucket, s.name(key), body, int64(len(framed)), digest, "", options)
		return info.ETag, err
	}
}

// PutIf keeps an object on a condition. When the answer to an attempt was lost and the next
// one meets a conflict, the mark in the object tells whose write it is.
func (s *S3) PutIf(ctx context.Context, key string, data []byte, tag string) (newTag string, err error) {
	if err := checkPut(key, data); err != nil {
		return "", err
	}
	var options minio.PutObjectOptions
	if tag == "" {
		options.SetMatchETagExcept("*")
	} else {
		options.SetMatchETag(tag)
	}
	mark := rand.Uint64()
	put := s.putter(key, frame(key, data, mark), options)
	answerLost := false
	err = s.try(ctx, "put "+key, func(ctx context.Context, alive func()) error {
		var err error
		if newTag, err = put(ctx, alive); err == nil {
			return nil
		}
		if !isConflict(err) {
			answerLost = true
			return err
		}
		if !answerLost {
			return ErrConflict
		}
		framed, found, err := s.read(ctx, key, minio.GetObjectOptions{}, framedMaximum, alive)
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
	answer, ok := errors.AsType[minio.ErrorResponse](err)
	return ok && (answer.StatusCode == http.StatusPreconditionFailed || answer.Code == minio.PreconditionFailed || answer.Code == minio.NoSuchKey)
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
		framed, found, err := s.read(ctx, key, minio.GetObjectOptions{}, framedMaximum, alive)
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
	var options minio.GetObjectOptions
	if err := options.SetRange(from, to-1); err != nil {
		return nil, err
	}
	err = s.try(ctx, "read "+key, func(ctx context.Context, alive func()) error {
		framed, _, err := s.read(ctx, key, options, to-from, alive)
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
func (s *S3) read(ctx context.Context, key string, options minio.GetObjectOptions, most int64, alive func()) (framed []byte, tag string, err error) {
	body, info, header, err := s.core.GetObject(ctx, s.where.Bucket, s.name(key), options)
	if err != nil {
		return nil, "", err
	}
	defer body.Close()
	alive()
	if options.Header().Get("Range") != "" && header.Get("Content-Range") == "" {
		return nil, "", hint.Wrap(fmt.Errorf("%w: it answers a range of %s with the whole object", ErrRefused, key), "let the store, or the proxy before it, pass the header Range")
	}
	if info.Size > most {
		return nil, "", damaged(key, "%d bytes, at most %d", info.Size, most)
	}
	if info.Size < 0 {
		framed, err = bounded.Read(&watched{body, alive}, most)
	} else {
		framed = make([]byte, info.Size)
		_, err = io.ReadFull(&watched{body, alive}, framed)
	}
	if err != nil {
		return nil, "", fmt.Errorf("read the answer: %w", err)
	}
	return framed, info.ETag, nil
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
			page, err := s.page(ctx, prefix, after)
			if err != nil {
				yield(Info{}, err)
				return
			}
			for _, info := range page {
				if !yield(info, nil) {
					return
				}
				after = info.Key
			}
			more = len(page) == listPage
		}
	}
}

// page gives the next objects after a key; fewer than [listPage] at the end.
func (s *S3) page(ctx context.Context, prefix, after string) (page []Info, err error) {
	options := minio.ListObjectsOptions{Prefix: s.name(prefix), Recursive: true, MaxKeys: listPage}
	if after != "" {
		options.StartAfter = s.name(after)
	}
	err = s.try(ctx, "list "+prefix, func(ctx context.Context, alive func()) error {
		page = nil
		for object := range s.core.ListObjectsIter(ctx, s.where.Bucket, options) {
			if object.Err != nil {
				return object.Err
			}
			alive()
			key, ours := strings.CutPrefix(object.Key, s.where.Prefix)
			if !ours || key <= after {
				return fmt.Errorf("%w: it lists %q after %q", ErrRefused, object.Key, s.name(after))
			}
			page = append(page, Info{key, object.Size, object.LastModified})
			if len(page) == listPage {
				break
			}
		}
		return ctx.Err()
	})
	return page, err
}

// Delete deletes objects, several in one call.
func (s *S3) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return err
		}
	}
	for batch := range slices.Chunk(keys, deleteBatch) {
		err := s.try(ctx, fmt.Sprintf("delete %s and %d more", batch[0], len(batch)-1), func(ctx context.Context, _ func()) error {
			if len(batch) == 1 {
				return absentIs(s.core.RemoveObject(ctx, s.where.Bucket, s.name(batch[0]), minio.RemoveObjectOptions{}), nil)
			}
			results, err := s.core.RemoveObjectsWithIter(ctx, s.where.Bucket, func(yield func(minio.ObjectInfo) bool) {
				for _, key := range batch {
					if !yield(minio.ObjectInfo{Key: s.name(key)}) {
						return
					}
				}
			}, minio.RemoveObjectsOptions{})
			if err != nil {
				return err
			}
			for result := range results {
				if err := absentIs(result.Err, nil); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// absentIs gives another error, or nil, for one that says that an object is not there.
func absentIs(err, other error) error {
	if answer, ok := errors.AsType[minio.ErrorResponse](err); ok && answer.Code == minio.NoSuchKey {
		return other
	}
	return err
}
