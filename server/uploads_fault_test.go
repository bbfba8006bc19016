package server

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"

	"mekiki/index/originals"
	"mekiki/internal/vfs/vfstest"
)

// TestUploadsOnAFailingDisk makes each operation of the library's disk fail in
// turn, while a picture is uploaded and while one is deleted. What the server says
// was done is done after the next start, what it does not say may be, and no file
// is left over either way.
func TestUploadsOnAFailingDisk(t *testing.T) {
	t.Run("uploading", func(t *testing.T) { eachFault(t, false) })
	t.Run("deleting", func(t *testing.T) { eachFault(t, true) })
}

func eachFault(t *testing.T, deleting bool) {
	ctx, random := context.Background(), rand.New(rand.NewPCG(6, 6))
	folder := filepath.Join(t.TempDir(), "library")
	var failAt, counted atomic.Int64
	disk := &vfstest.Faulty{Base: vfstest.NewMemory(), Fail: func(int64, vfstest.Operation) error {
		if at := failAt.Load(); at != 0 && counted.Add(1) == at {
			return errors.New("the disk fails")
		}
		return nil
	}}
	s := &uploadServer{TB: t, folder: folder, uploads: originals.FolderOf(folder), limits: Limits{}, disk: disk}
	t.Cleanup(func() { s.close() })
	s.open()
	refused := 0
	for fault := int64(1); ; fault++ {
		data := newPicture(random)
		if deleting {
			s.upload(ctx, "a.png", data, "")
		}
		counted.Store(0)
		failAt.Store(fault)
		var status int
		if deleting {
			status, _ = s.ask(ctx, http.MethodDelete, "/api/v1/records/"+s.record(data).ID.String()+"?permanent=true", "", nil)
		} else {
			status, _ = s.upload(ctx, "a.png", data, "")
		}
		over := counted.Load() < fault
		failAt.Store(0)
		if status/100 != 2 {
			refused++
		}
		s.http.Close()
		s.http = nil
		_ = s.library.Close() // a writer that failed says so again
		s.open()
		record := s.record(data)
		if status/100 == 2 && (record == nil) != deleting {
			t.Errorf("fault %d: the server said %d, and afterwards the record is %+v", fault, status, record)
		}
		if record != nil {
			if err := s.checkOriginal(record.ID.String(), data); err != nil {
				t.Errorf("fault %d, status %d: %v", fault, status, err)
			}
		}
		if orphans := s.orphans(); len(orphans) > 0 {
			t.Errorf("fault %d, status %d: left over: %v", fault, status, orphans)
		}
		if status, answer := s.upload(ctx, "a.png", data, ""); status/100 != 2 {
			t.Errorf("fault %d: uploading again gives %d %s", fault, status, answer.Text)
		}
		if over {
			t.Logf("%d operations failed, %d requests with them", fault-1, refused)
			if refused == 0 {
				t.Error("no fault was met")
			}
			return
		}
	}
}
