package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"mekiki/cmd/mekiki/internal/remote"
	"mekiki/embed/models"
	"mekiki/index"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
	"mekiki/server/handover"
	"mekiki/server/jobs"
)

// Handover finds the server that has the library, for a verb that failed with err because the library is locked; the caller
// closes the client. Where err is another error, or no server of this user has the library, the client is nil and the error
// says what to do.
func (a *App) Handover(ctx context.Context, err error) (*remote.Client, error) {
	return a.handover(ctx, err, a.sameModel)
}

// HandoverAnyModel is [App.Handover] for verbs that name a model which the server need not have open.
func (a *App) HandoverAnyModel(ctx context.Context, err error) (*remote.Client, error) {
	return a.handover(ctx, err, func(remote.Status) error { return nil })
}

func (a *App) handover(ctx context.Context, err error, fits func(remote.Status) error) (*remote.Client, error) {
	if !errors.Is(err, index.ErrLocked) {
		return nil, err
	}
	folder, folderErr := a.LibraryFolder()
	if folderErr != nil {
		return nil, err
	}
	if folder, folderErr = filepath.Abs(folder); folderErr != nil {
		return nil, err
	}
	server, findErr := handover.Find(folder)
	switch {
	case errors.Is(findErr, handover.ErrForeign):
		return nil, hint.Wrap(fmt.Errorf("%w; %w", err, findErr), "run this as the user who runs the server, or use its page")
	case errors.Is(findErr, handover.ErrElsewhere):
		return nil, hint.Wrap(fmt.Errorf("%w; %w", err, findErr), "run this on that machine")
	case findErr != nil:
		return nil, err
	}
	client := remote.New(server)
	status, statusErr := client.Status(ctx)
	if statusErr == nil && status.ReadOnly {
		statusErr = fmt.Errorf("the server changes nothing at present: %s", status.Why)
	}
	if statusErr == nil {
		statusErr = fits(status)
	}
	if statusErr == nil {
		return client, nil
	}
	client.Close()
	if errors.Is(statusErr, remote.ErrGone) {
		return nil, fmt.Errorf("%w; %w", err, statusErr)
	}
	return nil, statusErr
}

// sameModel refuses to have the server work with another model than the command line names.
func (a *App) sameModel(status remote.Status) error {
	if status.Model == nil || a.ModelGiven == nil || !a.ModelGiven() || a.Model == status.Model.Name {
		return nil
	}
	if a.Model == models.BuiltinName && strings.HasPrefix(status.Model.Name, models.BuiltinName+"-") {
		return nil
	}
	options, err := a.ModelOptions(nil, progress.New(a.Stderr, progress.Quiet))
	if err == nil {
		if named, err := models.Find(a.Model, options); err == nil && named.Manifest.Fingerprint == status.Model.Fingerprint {
			return nil
		}
	}
	return hint.Wrap(fmt.Errorf("the server that has the library reads with the model %s, not with %s", status.Model.Name, a.Model),
		"leave --model out, or stop the server and run this again")
}

// NotHandedOver is the error of a verb or a flag that a server cannot do for it: it says which process has the library.
func (a *App) NotHandedOver(err error, what, remedy string) error {
	if !errors.Is(err, index.ErrLocked) {
		return err
	}
	return hint.Wrap(fmt.Errorf("%s cannot be handed to the server that has the library: %w", what, err), remedy)
}

// RunJob has a server do a job, with progress. Ctrl-C cancels it. The status of the job says how it ended.
func (a *App) RunJob(ctx context.Context, client *remote.Client, task string, asked jobs.Request) (jobs.Job, error) {
	reporter := a.Progress()
	defer reporter.Finish()
	return client.Run(ctx, asked, func(job jobs.Job) { a.sayHandedOver(client, job) }, func(job jobs.Job) {
		if job.Kind != jobs.KindCompact { // it does not say how far it is
			reporter.Report(jobState(task, job))
		}
	})
}

// sayHandedOver says who does the work.
func (a *App) sayHandedOver(client *remote.Client, job jobs.Job) {
	switch {
	case a.Quiet:
	case a.AsJSON:
		fmt.Fprintf(a.Stderr, "{\"message_type\":\"handed_over\",\"server\":%q,\"process\":%d,\"job\":%q}\n", client.Page(), client.Server.PID, job.ID)
	default:
		fmt.Fprintf(a.Stderr, "The server at %s (process %d) has the library and does the work, as job %s. Ctrl-C cancels it; if this window closes, it goes on.\n",
			client.Page(), client.Server.PID, job.ID)
	}
}

// jobState shows a server's job as if it ran here.
func jobState(task string, job jobs.Job) progress.State {
	now := job.Progress
	state := progress.State{
		Task: task, Done: int64(now.Done), Total: int64(now.Total), Failed: int64(now.Failed), Unit: progress.Images,
		Rate: now.Rate, Remaining: now.Remaining,
	}
	if job.Kind == jobs.KindTexts || job.Kind == jobs.KindCaptions {
		state.Unit = progress.Steps
	}
	switch {
	case job.State == jobs.Queued:
		state.Detail = "waiting for another job"
	case now.Current != "":
		state.Detail = filepath.Base(now.Current)
	case now.Done == 0 && job.Kind == jobs.KindIndex:
		state.Detail = "looking for images"
	}
	return state
}
