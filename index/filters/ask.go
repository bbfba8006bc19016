package filters

import (
	"mekiki/index"
	"mekiki/index/keyword"
)

func compileAfter(m *Matcher, f index.Filter) func(*index.Record) bool {
	if f.After.IsZero() {
		return nil
	}
	m.Dated, m.from = true, boundOf(f.After, f.AfterZoned)
	return func(r *index.Record) bool { return m.MatchesDate(DateOf(r)) }
}

func compileBefore(m *Matcher, f index.Filter) func(*index.Record) bool {
	if f.Before.IsZero() {
		return nil
	}
	m.Dated, m.until = true, boundOf(f.Before, f.BeforeZoned)
	return func(r *index.Record) bool { return m.MatchesDate(DateOf(r)) }
}

func compileIDs(m *Matcher, f index.Filter) func(*index.Record) bool {
	if len(f.IDs) == 0 {
		return nil
	}
	m.IDs = make(map[index.ID]bool, len(f.IDs))
	for _, id := range f.IDs {
		m.IDs[id] = true
	}
	return func(r *index.Record) bool { return m.IDs[r.ID] }
}

// What is asked of a moment is checked against the record alone: of the keyword index
// it is enough to leave out what no clock in the world would let pass.

func askAfter(m *Matcher, k *keyword.Filter) {
	if k.After = m.filter.After; m.from.zoned {
		k.After = k.After.Add(-widestZone)
	}
}

func askBefore(m *Matcher, k *keyword.Filter) {
	if k.Before = m.filter.Before; m.until.zoned {
		k.Before = k.Before.Add(widestZone)
	}
}

func askFolders(m *Matcher, k *keyword.Filter) {
	for _, folder := range m.Folders {
		if isFolderName(folder) {
			k.FolderNames = append(k.FolderNames, folder)
		} else {
			k.Folders = append(k.Folders, folder)
		}
	}
}

func askRatings(m *Matcher, k *keyword.Filter) {
	for _, wanted := range m.Ratings {
		k.Ratings = append(k.Ratings, keyword.RatingRange(wanted))
	}
}

func askKinds(m *Matcher, k *keyword.Filter) {
	for _, kind := range m.Kinds {
		k.Kinds = append(k.Kinds, kind.String())
	}
}

func askNear(m *Matcher, k *keyword.Filter) {
	if m.Near.Kilometres > widestCircle {
		return
	}
	k.Near = &keyword.Circle{Latitude: m.Near.Latitude, Longitude: m.Near.Longitude, Kilometres: m.Near.Kilometres}
}

func askIDs(m *Matcher, k *keyword.Filter) {
	for id := range m.IDs {
		k.IDs = append(k.IDs, uint64(id))
	}
}
