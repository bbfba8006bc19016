package storetest

import (
	"net/http/httptest"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// StartMemory starts a store that keeps everything in memory and takes any credentials, and
// gives its address. It ends with the test.
func StartMemory(tb testing.TB, buckets ...string) string {
	tb.Helper()
	backend := s3mem.New()
	for _, bucket := range buckets {
		if err := backend.CreateBucket(bucket); err != nil {
			tb.Fatal(err)
		}
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	tb.Cleanup(server.Close)
	return server.URL
}
