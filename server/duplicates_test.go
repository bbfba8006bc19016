package server

import (
	"fmt"
	"testing"
)

// TestDuplicatesInTheBackground asks for scenes that were not compared: the answer comes at once and names the job that compares
// them, a second question begins no other job, and after it nothing is pending.
func TestDuplicatesInTheBackground(t *testing.T) {
	f := start(t)
	const scenes = "/api/v1/duplicates?level=scene"
	first := f.get(scenes)
	if pending := first.at(t, "pending"); first.StatusCode != 200 || fmt.Sprint(pending) == "0" {
		t.Fatalf("got %d %s", first.StatusCode, first.body)
	}
	job, _ := first.at(t, "job").(string)
	if job == "" {
		t.Fatalf("no job: %s", first.body)
	}
	events := f.events(f.request("GET", "/api/v1/jobs/"+job+"/events", nil)) // until it ends
	if last := events[len(events)-1]; last.name != "done" {
		t.Fatalf("got %+v", last)
	}
	if result := f.get("/api/v1/jobs/"+job).at(t, "result.compared"); result == nil {
		t.Error("the job does not say how many were compared")
	}
	after := f.get(scenes)
	if members := after.value(t).(map[string]any); members["job"] != nil {
		t.Errorf("got %s", after.body)
	}
	if picture := f.get("/api/v1/duplicates"); picture.StatusCode != 200 {
		t.Errorf("got %s", picture.body)
	}
}
