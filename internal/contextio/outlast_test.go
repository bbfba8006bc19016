package contextio

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestOutlast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		lasting, done := Outlast(ctx, time.Second)
		defer done()
		cancel()
		time.Sleep(time.Second - 1)
		if synctest.Wait(); lasting.Err() != nil {
			t.Error("it ended at once")
		}
		time.Sleep(time.Nanosecond)
		if synctest.Wait(); lasting.Err() == nil {
			t.Error("it has no end")
		}
		if ended, done := Outlast(ctx, time.Second); ended.Err() == nil {
			t.Error("it begins after the end")
		} else {
			done()
		}
	})
}
