package server

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

// Limits bound what requests may take. Zero fields get the defaults named.
type Limits struct {
	// BodyBytes bounds a JSON body: 1 MiB.
	BodyBytes int64
	// UploadBytes bounds an uploaded image: 32 MiB.
	UploadBytes int64
	// UploadPixels bounds its width times height: 64 million.
	UploadPixels int64
	// Searches is how many requests may use the model at a time: one for every
	// two cores, at least 2. SearchQueue more may wait for QueueTimeout:
	// as many as Searches, and 2 s.
	Searches, SearchQueue int
	QueueTimeout          time.Duration
	// Uploads is how many bodies with images may be under way at a time: 8.
	Uploads int
	// Reads is how many other requests may be at work at a time: 256.
	Reads int
	// Renditions is how many larger pictures may be made at a time: one for every two
	// cores.
	Renditions int
	// Streams is how many job streams may be open at a time: 64.
	Streams int
	// ReadTime, SearchTime and UploadTime bound the work on one request of each
	// kind: 10 s, 30 s and 120 s. A body must have arrived within ReadTime,
	// one with an image within UploadTime.
	ReadTime, SearchTime, UploadTime time.Duration
	// DrainTime is how long the server goes on serving, without being ready, once
	// it is to stop: 0, as only those who look at /readyz, such as load
	// balancers, need it.
	DrainTime time.Duration
	// ShutdownTime is how long requests may go on once the server is to stop:
	// 10 s.
	ShutdownTime time.Duration
	// Jobs is how many indexing jobs may wait: 16.
	Jobs int
}

func (l Limits) withDefaults() Limits {
	l.BodyBytes = orDefault(l.BodyBytes, defaultBodyBytes)
	l.UploadBytes = orDefault(l.UploadBytes, DefaultUploadMiB<<20)
	l.UploadPixels = orDefault(l.UploadPixels, DefaultUploadMegapixels*1_000_000)
	l.Searches = orDefault(l.Searches, max(2, runtime.GOMAXPROCS(0)/2))
	l.SearchQueue = orDefault(l.SearchQueue, l.Searches)
	l.QueueTimeout = orDefault(l.QueueTimeout, defaultQueueTimeout)
	l.Uploads = orDefault(l.Uploads, defaultUploads)
	l.Reads = orDefault(l.Reads, defaultReads)
	l.Renditions = orDefault(l.Renditions, max(1, runtime.GOMAXPROCS(0)/2))
	l.Streams = orDefault(l.Streams, defaultStreams)
	l.ReadTime = orDefault(l.ReadTime, defaultReadTime)
	l.SearchTime = orDefault(l.SearchTime, defaultSearchTime)
	l.UploadTime = orDefault(l.UploadTime, defaultUploadTime)
	l.ShutdownTime = orDefault(l.ShutdownTime, defaultShutdownTime)
	l.Jobs = orDefault(l.Jobs, defaultJobs)
	return l
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// Validate reports every limit that is out of range.
func (l Limits) Validate() error {
	var problems []error
	check := func(name string, value int64) {
		if value < 0 {
			problems = append(problems, fmt.Errorf("limit %s is %d: it must not be negative", name, value))
		}
	}
	check("BodyBytes", l.BodyBytes)
	check("UploadBytes", l.UploadBytes)
	check("UploadPixels", l.UploadPixels)
	check("Searches", int64(l.Searches))
	check("SearchQueue", int64(l.SearchQueue))
	check("QueueTimeout", int64(l.QueueTimeout))
	check("Uploads", int64(l.Uploads))
	check("Reads", int64(l.Reads))
	check("Renditions", int64(l.Renditions))
	check("Streams", int64(l.Streams))
	check("ReadTime", int64(l.ReadTime))
	check("SearchTime", int64(l.SearchTime))
	check("UploadTime", int64(l.UploadTime))
	check("DrainTime", int64(l.DrainTime))
	check("ShutdownTime", int64(l.ShutdownTime))
	check("Jobs", int64(l.Jobs))
	return errors.Join(problems...)
}
