package duplicates

import (
	"time"

	"mekiki/index"
)

// Group is images that are the same at one level. The first is the
// one to keep, by the order of [Better].
type Group struct {
	Members []Member `json:"members"`
	// Best is the first member, and Reasons say why it is the one to keep.
	Best    index.ID `json:"best,string"`
	Reasons []Reason `json:"reasons"`
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
	// Format is that of the file, and Date when the picture was taken, as its clock showed it, if it says so.
	Format string     `json:"format,omitempty"`
	Date   *time.Time `json:"date,omitempty"`
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
		group := Group{Best: record.ID, Reasons: []Reason{ReasonFirst}, ReclaimableBytes: record.Bytes * int64(len(record.Files)-1)}
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
	var date *time.Time
	if taken := record.Taken(); !taken.IsZero() {
		date = &taken
	}
	return Member{
		Format: record.Format, Date: date, ID: record.ID, Path: record.Path(), Name: record.Name(), Width: record.Width, Height: record.Height, Bytes: record.Bytes,
		Distance: distance, Similarity: similarity, Record: record,
	}
}

func (g *Group) add(record *index.Record, distance int, similarity float64) {
	g.Members = append(g.Members, makeMember(record, distance, similarity))
	g.ReclaimableBytes += record.Bytes
}

// explain says which member is the best, and why.
func (g *Group) explain() {
	if len(g.Reasons) > 0 {
		return
	}
	others := make([]*index.Record, 0, len(g.Members)-1)
	for _, member := range g.Members[1:] {
		others = append(others, member.Record)
	}
	g.Best, g.Reasons = g.Members[0].ID, Reasons(g.Members[0].Record, others)
}
