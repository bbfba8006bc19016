package jobs

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// TestJobsGiveWay: a job that yields stops for every other one, goes on after it, and what follows a job is queued with it.
func TestJobsGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		manager := New(10, "", slog.New(slog.DiscardHandler), time.Now)
		go manager.Run(ctx)
		var order []string
		task := func(kind string, yields bool, then *Task) Task {
			return Task{Kind: kind, Yields: yields, Run: func(ctx context.Context, _ func(Progress)) (Outcome, error) {
				order = append(order, kind)
				select {
				case <-time.After(time.Minute):
					return Outcome{Then: then}, nil
				case <-ctx.Done():
					return Outcome{}, ctx.Err()
				}
			}}
		}
		captions := task("captions", true, nil)
		add := func(task Task) Job {
			job, err := manager.Add(task)
			if err != nil {
				t.Fatal(err)
			}
			return job
		}
		add(task("index", false, &captions))
		time.Sleep(90 * time.Second) // captions are at work
		add(task("compact", false, nil))
		synctest.Wait()
		if job, _, _ := manager.Get("2"); job.State != Queued || job.Started != nil {
			t.Errorf("giving way: %+v", job)
		}
		time.Sleep(3 * time.Minute)
		for _, job := range manager.All() {
			if job.State != Succeeded {
				t.Errorf("%s: %s", job.Kind, job.State)
			}
		}
		if want := []string{"index", "captions", "compact", "captions"}; len(order) != len(want) || order[2] != "compact" || order[3] != "captions" {
			t.Errorf("order %v, want %v", order, want)
		}
		add(captions)
		synctest.Wait()
		if _, there := manager.Cancel("4"); !there {
			t.Error("no job 4")
		}
		synctest.Wait()
		if job, _, _ := manager.Get("4"); job.State != Cancelled {
			t.Errorf("cancelled: %+v", job)
		}
		stop()
		synctest.Wait()
	})
}

// TestCancelledWhileGivingWay: a job that is cancelled while it gives way to another one does not go on after that.
func TestCancelledWhileGivingWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		manager := New(10, "", slog.New(slog.DiscardHandler), time.Now)
		go manager.Run(ctx)
		slow := Task{Kind: KindWords, Yields: true, Resume: &Request{Kind: KindWords}, Run: func(ctx context.Context, _ func(Progress)) (Outcome, error) {
			<-ctx.Done()
			time.Sleep(time.Minute) // what was begun is finished
			return Outcome{}, ctx.Err()
		}}
		quick := Task{Kind: "compact", Run: func(context.Context, func(Progress)) (Outcome, error) { return Outcome{}, nil }}
		for _, task := range []Task{slow, quick} {
			if _, err := manager.Add(task); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if job, there := manager.Cancel("1"); !there || job.State != Running {
			t.Fatalf("giving way: %+v", job)
		}
		time.Sleep(2 * time.Minute)
		for id, want := range map[string]State{"1": Cancelled, "2": Succeeded} {
			if job, _, _ := manager.Get(id); job.State != want {
				t.Errorf("job %s is %s, want %s", id, job.State, want)
			}
		}
		if manager.find("1").resume != nil {
			t.Error("what was cancelled is left to the next server")
		}
		stop()
		synctest.Wait()
	})
}
