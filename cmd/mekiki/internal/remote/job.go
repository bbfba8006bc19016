package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"mekiki/index"
	"mekiki/internal/hint"
	"mekiki/server/jobs"
)

// Run has the server do a job and waits for its end; started and tell are called with the job as it is queued, and whenever
// it was asked after. When ctx ends the job is cancelled: then the result is what it did until then, and its state says so.
func (c *Client) Run(ctx context.Context, asked jobs.Request, started, tell func(jobs.Job)) (jobs.Job, error) {
	job, err := c.start(ctx, asked)
	if err != nil {
		return job, err
	}
	started(job)
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for !job.State.Finished() {
		select {
		case <-ctx.Done():
			return c.stop(ctx, job.ID)
		case <-ticker.C:
		}
		next, err := c.job(ctx, job.ID)
		if ctx.Err() != nil {
			return c.stop(ctx, job.ID)
		}
		if err != nil {
			return job, lost(err)
		}
		job = next
		tell(job)
	}
	switch job.State {
	case jobs.Failed, jobs.Interrupted:
		return job, errors.New(job.Error)
	case jobs.Cancelled:
		if job.Error != "" {
			return job, hint.Wrap(errors.New(job.Error+", and with it the job; what was done is kept"), "run the same command again to go on from here")
		}
	}
	return job, nil
}

// stop cancels a job of a command that was interrupted, and waits for its end.
func (c *Client) stop(ctx context.Context, id string) (job jobs.Job, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTime)
	defer cancel()
	if err := c.cancel(ctx, id); err != nil {
		return job, lost(err)
	}
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		if job, err = c.job(ctx, id); err != nil {
			return job, lost(err)
		}
		if job.State.Finished() {
			return job, nil
		}
		select {
		case <-ctx.Done():
			return job, fmt.Errorf("job %s was told to stop and is still at work", id)
		case <-ticker.C:
		}
	}
}

func lost(err error) error {
	if !errors.Is(err, ErrGone) {
		return err
	}
	return hint.Wrap(err, "what was done is kept: run the same command again to go on from here")
}

// Result decodes what a job gave into target; one that gave nothing leaves it as it is.
func Result(job jobs.Job, target any) error {
	if len(job.Result) == 0 {
		return nil
	}
	if err := json.Unmarshal(job.Result, target); err != nil {
		return fmt.Errorf("the result of job %s cannot be read: %w", job.ID, err)
	}
	return nil
}

// Failures gives the files that a job could not index.
func (c *Client) Failures(ctx context.Context, id string) ([]index.Failure, error) {
	var answer struct {
		Failures []struct {
			Path   string    `json:"path"`
			Reason string    `json:"reason"`
			Time   time.Time `json:"time"`
		} `json:"failures"`
	}
	if err := c.do(ctx, http.MethodGet, "jobs/"+id+"/failures", nil, &answer); err != nil {
		return nil, err
	}
	failures := make([]index.Failure, len(answer.Failures))
	for i, each := range answer.Failures {
		failures[i] = index.Failure{File: index.File{Path: each.Path}, Reason: each.Reason, Time: each.Time}
	}
	return failures, nil
}
