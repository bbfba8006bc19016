package server

import (
	"context"
	"time"

	"mekiki/index"
	"mekiki/server/jobs"
)

// followWords asks for a job that reads the words in pictures when there are pictures that were not read, until ctx ends. What
// the last job could not read is not tried again before it changes or the server starts anew.
func (s *Server) followWords(ctx context.Context) {
	var seen, tried uint64 // commits
	ticker := time.NewTicker(wordsInterval)
	defer ticker.Stop()
	for {
		now, unread, err := s.unreadSince(ctx, seen, tried)
		asked := !unread
		if err == nil && unread && s.readOnly() == nil {
			asked, err = s.askForWords()
		}
		switch {
		case err != nil && ctx.Err() == nil:
			s.options.Logger.Warn("the words in pictures are not read", "error", err)
		case asked && unread:
			seen, tried = now, now
		case asked:
			seen = now
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// askForWords reports whether a job that has not begun will read what is unread now. One that runs does not know of new pictures.
func (s *Server) askForWords() (bool, error) {
	task, err := s.workshop().Words(false)
	if err != nil {
		return false, err
	}
	job, err := s.jobs.AddOnce(task)
	return job.State == jobs.Queued, err
}

// unreadSince gives the commit that the library is at, and, unless that is the one that was seen, whether there are pictures
// that were written after the one that was tried and have not been read.
func (s *Server) unreadSince(ctx context.Context, seen, tried uint64) (now uint64, unread bool, err error) {
	reader, err := s.library.Reader(ctx)
	if err != nil {
		return 0, false, err
	}
	defer reader.Close()
	if now = reader.Sequence(); now == seen {
		return now, false, nil
	}
	for record, err := range reader.All(ctx) {
		if err != nil {
			return now, false, err
		}
		if record.Kind == index.KindImage && record.OCR == nil && record.Sequence > tried {
			return now, true, nil
		}
	}
	return now, false, nil
}
