package maintain

import (
	"errors"
	"slices"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
	"mekiki/index/indextest"
)

// TestHalfRemovedRecords: what is left of a record by a process that was stopped while it removed it is no damage, and the check
// ends the removal once it is old enough.
func TestHalfRemovedRecords(t *testing.T) {
	p := start(t)
	library := p.open(t)
	fill(t, library, 0, 10)
	before := ask(t, library)
	gone, ctx := before.Records[3].ID, t.Context()
	store := library.Upkeep().Store()
	data, err := store.Get(ctx, form.RecordKey(gone))
	indextest.Must(t, err)
	record, err := form.Decode(data)
	indextest.Must(t, err)
	record.Gone = "stopped"
	half, err := record.Encode()
	indextest.Must(t, err)
	indextest.Must(t, store.Put(ctx, form.RecordKey(gone), half))

	check := func(o CheckOptions) Report {
		t.Helper()
		report, err := Check(ctx, library, o)
		indextest.Must(t, err)
		if report.Records != 9 || report.Damaged.Count+report.Missing.Count+report.Stale.Count > 0 {
			t.Errorf("%+v", report)
		}
		return report
	}
	if report := check(CheckOptions{Repair: true}); report.Leftover.Count != 0 || report.Extra.Count != 1 || report.Repaired != 1 {
		t.Errorf("while its process may be at it: %+v", report)
	}
	time.Sleep(1100 * time.Millisecond) // stores tell times in seconds
	if report := check(CheckOptions{LeftoverAge: time.Millisecond}); report.Leftover.Count < 2 {
		t.Errorf("the record and its vectors are not left over: %+v", report)
	}
	if report := check(CheckOptions{Repair: true, LeftoverAge: time.Millisecond}); report.Leftover.Count == 0 { // the removal ends with what the record named
		t.Errorf("%+v", report)
	}
	if _, err := store.Get(ctx, form.RecordKey(gone)); !errors.Is(err, objects.ErrAbsent) {
		t.Errorf("the object of the record: %v", err)
	}
	if report := check(CheckOptions{}); report.Leftover.Count != 0 || report.Extra.Count != 0 {
		t.Errorf("after that: %+v", report)
	}
	for _, left := range ask(t, library).Records {
		if left.ID == gone {
			t.Errorf("record %s is found", gone)
		}
	}
	again, err := library.Write(ctx, index.Batch{Puts: []index.Put{indextest.Image(t, 3, indextest.Small)}})
	if indextest.Must(t, err); len(ask(t, library).Records) != 10 {
		t.Error("its content does not come back")
	}
	if slices.Contains(again.IDs, gone) {
		t.Errorf("record %s is given again: whoever removes it at the same time would remove the new one", gone)
	}
}
