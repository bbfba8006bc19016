package local

import (
	"mekiki/index"
	"mekiki/index/filters"
)

// recordByExternalID gives the text record with the user's own id.
func (s *Snapshot) recordByExternalID(id string) (*index.Record, bool) {
	return s.find(s.view.lookup.Externals.At(id, s.Sequence()), func(r *index.Record) bool { return r.ExternalID == id && id != "" })
}

// Matches reports whether there is such a record and it passes the filter.
func (s *Snapshot) Matches(id index.ID, filter index.Filter) bool {
	record, there := s.record(id)
	return there && filters.Compile(filter).Matches(record)
}
