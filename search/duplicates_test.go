package search

import (
	"context"
	"errors"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/duplicates"
	"mekiki/search/likeness"
)

func duplicatesOf(t *testing.T, s *Searcher, request duplicates.Request) duplicates.Response {
	t.Helper()
	response, err := s.Duplicates(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func TestDuplicateBytes(t *testing.T) {
	w := populated(10)
	w.records[3].Files = append(w.records[3].Files, index.File{Path: "/copy.jpg"}, index.File{Path: "/again.jpg"})
	response := duplicatesOf(t, newTestSearcher(t, w, Options{}), duplicates.Request{Level: duplicates.LevelBytes})
	if response.Total != 1 || len(response.Groups[0].Members) != 3 || response.Groups[0].ReclaimableBytes != 2000 || response.Groups[0].Members[1].Path != "/copy.jpg" {
		t.Errorf("got %+v", response)
	}
}

func TestDuplicatePictures(t *testing.T) {
	w := populated(50)
	random := rand.New(rand.NewPCG(1, 1))
	for _, record := range w.records {
		record.PerceptualHash = random.Uint64()
	}
	w.records[5].PerceptualHash = 0xF0F0_1234_5678_9ABC
	w.records[6].PerceptualHash = 0xF0F0_1234_5678_9ABC ^ 1<<63 ^ 1<<40 ^ 1<<20 ^ 1
	w.records[6].Width, w.records[6].Height = 1280, 960 // the one to keep
	w.records[7].PerceptualHash = w.records[5].PerceptualHash
	w.records[7].Width = 300 // another aspect: another picture
	s := newTestSearcher(t, w, Options{})
	response := duplicatesOf(t, s, duplicates.Request{Level: duplicates.LevelPicture})
	if response.Total != 1 || len(response.Groups[0].Members) != 2 {
		t.Fatalf("got %+v", response)
	}
	if first, second := response.Groups[0].Members[0], response.Groups[0].Members[1]; first.ID != 6 || second.ID != 5 || second.Distance != 4 {
		t.Errorf("got %+v", response.Groups[0])
	}
	if strict := duplicatesOf(t, s, duplicates.Request{Level: duplicates.LevelPicture, Distance: pointer(3)}); strict.Total != 0 || strict.Groups == nil {
		t.Errorf("got %+v", strict)
	}
}

func TestDuplicateScenes(t *testing.T) {
	w := newWorld()
	w.add("/a.jpg", "cat", "pizza")
	w.add("/b.jpg", "boat")
	w.add("/c.jpg", "cat", "pizza")
	s := newTestSearcher(t, w, Options{})
	response := duplicatesOf(t, s, duplicates.Request{Level: duplicates.LevelScene, Similarity: 0.8})
	if response.Total != 1 || len(response.Groups[0].Members) != 2 || response.Groups[0].Members[1].ID != 3 {
		t.Errorf("got %+v", response)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Duplicates(ctx, duplicates.Request{Level: duplicates.LevelScene, Similarity: 0.8}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestDuplicateGroupsAreDisjoint looks at chains of likeness: each picture is in
// one group at most, and every member is like the first and not only like
// another member.
func TestDuplicateGroupsAreDisjoint(t *testing.T) {
	w := newWorld()
	random := rand.New(rand.NewPCG(4, 4))
	for range 30 {
		hash := random.Uint64()
		vector := slices.Clone(direction("cat"))
		for i := range vector {
			vector[i] = float32(random.NormFloat64())
		}
		for range 5 { // each a little further from the first
			record := w.add("/x.jpg", "cat")
			record.PerceptualHash = hash
			for range 3 {
				hash ^= 1 << random.IntN(64)
			}
			for i := range vector {
				vector[i] += float32(random.NormFloat64()) * 0.3
			}
			row := unit(slices.Clone(vector))
			w.parts[record.ID] = embed.Parts{Count: 1, Width: worldWidth, Values: row}
		}
	}
	s := newTestSearcher(t, w, Options{})
	if _, err := s.CompareScenes(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for _, request := range []duplicates.Request{
		{Level: duplicates.LevelPicture, Distance: pointer(6)}, {Level: duplicates.LevelScene, Similarity: 0.9},
	} {
		response := duplicatesOf(t, s, request)
		seen, members := map[index.ID]bool{}, 0
		for _, group := range response.Groups {
			first := group.Members[0]
			for _, member := range group.Members {
				if seen[member.ID] {
					t.Errorf("%s: record %v stands in two groups", request.Level, member.ID)
				}
				seen[member.ID] = true
				members++
				distance := bits.OnesCount64(first.Record.PerceptualHash ^ member.Record.PerceptualHash)
				similarity := likeness.Of(w.parts[first.ID], w.parts[member.ID])
				if request.Level == duplicates.LevelPicture && (distance > 6 || member.Distance != distance) ||
					request.Level == duplicates.LevelScene && similarity < 0.9 {
					t.Errorf("%s: member %v differs in %d bits from the first, likeness %v: %+v", request.Level, member.ID, distance, similarity, member)
				}
			}
		}
		if response.Total < 30 || members == 150 {
			t.Errorf("%s: %d groups of %d pictures are no chains", request.Level, response.Total, members)
		}
	}
}

func TestBadDuplicates(t *testing.T) {
	s := newTestSearcher(t, newWorld(), Options{})
	for _, request := range []duplicates.Request{
		{}, {Level: "x"}, {Level: duplicates.LevelBytes, Limit: -1}, {Level: duplicates.LevelBytes, Offset: -1},
		{Level: duplicates.LevelPicture, Distance: pointer(17)}, {Level: duplicates.LevelScene, Similarity: 2},
	} {
		_, err := s.Duplicates(t.Context(), request)
		wantCode(t, err, contract.CodeInvalidOption)
	}
}

func BenchmarkDuplicateScenes(b *testing.B) {
	s := newTestSearcher(b, populated(640), Options{})
	for b.Loop() {
		if _, err := s.Duplicates(b.Context(), duplicates.Request{Level: duplicates.LevelScene, Similarity: 0.89}); err != nil {
			b.Fatal(err)
		}
	}
}
