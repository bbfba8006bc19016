package duplicates

import (
	"cmp"
	"slices"

	"mekiki/index"
)

// Group is images that are the same at one level. The first is the
// one to keep: the largest picture, then the oldest record.
type Group struct {
	Members []Member `json:"members"`
	// ReclaimableBytes is what deleting all but the first would free.
	ReclaimableBytes int64 `json:"reclaimable_bytes"`
}

// Member is one image of a group, or one path of it.
type Member struct {
	ID   index.ID `json:"id,string"`
	Path string   `json:"path"`
	// Name is what an uploaded file was called where it came from; else "".
	Name   string `json:"name,omitempty"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Bytes  int64  `json:"bytes"`
	// Distance is the number of differing hash bits to the first member.
	Distance int `json:"distance"`
	// Similarity is the likeness to the first member, 0 to 1: the mean largest
	// cosine for a scene, the share of equal hash bits for a picture.
	Similarity float64 `json:"similarity"`
	// Record is what the library knows of it. The caller must not change it.
	Record *index.Record `json:"-"`
}

// Bytes groups the files of each record with more than one.
func Bytes(records []*index.Record) []Group {
	var groups []Group
	for _, record := range records {
		if len(record.Files) < 2 {
			continue
		}
		group := Group{ReclaimableBytes: record.Bytes * int64(len(record.Files)-1)}
		for _, file := range record.Files {
			member := makeMember(record, 0, 1)
			member.Path, member.Name = file.Path, file.Name
			group.Members = append(group.Members, member)
		}
		groups = append(groups, group)
	}
	return groups
}

func makeMember(record *index.Record, distance int, similarity float64) Member {
	return Member{
		ID: record.ID, Path: record.Path(), Name: record.Name(), Width: record.Width, Height: record.Height, Bytes: record.Bytes,
		Distance: distance, Similarity: similarity, Record: record,
	}
}

// ByPreference gives the records in another slice, so that the one to keep comes first.
func ByPreference(records []*index.Record) []*index.Record {
	ordered := slices.Clone(records)
	slices.SortFunc(ordered, func(a, b *index.Record) int {
		return cmp.Or(cmp.Compare(int64(b.Width)*int64(b.Height), int64(a.Width)*int64(a.Height)),
			cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.ID, b.ID))
	})
	return ordered
}

func (g *Group) add(record *index.Record, distance int, similarity float64) {
	g.Members = append(g.Members, makeMember(record, distance, similarity))
	g.ReclaimableBytes += record.Bytes
}
