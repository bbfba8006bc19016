package keywords

import (
	"slices"

	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/index/keyword"
	"mekiki/index/local/catalog"
)

// DocumentOf gives what the keyword index knows of a record. It depends on the
// record alone, so that a rebuilt index equals one that grew.
func DocumentOf(r *index.Record) keyword.Document {
	d := keyword.Document{
		ID:            uint64(r.ID),
		Kind:          r.Kind.String(),
		Names:         displayNames(r),
		HigherFolders: higherFolders(r),
		Labels:        append(slices.Clone(r.Tags), r.Metadata.Keywords...),
		Title:         r.Title(),
		Description:   r.Description(),
		Text:          r.Text,
		Place:         r.Metadata.Place,
		Camera:        filters.CameraOf(r).String(),
		Folders:       filters.FoldersOf(r),
		Tags:          filters.LevelsOf(r),
		People:        r.People(),
		OCR:           r.OCR.Texts(),
		Taken:         !r.Taken().IsZero(),
		Rating:        r.Rating(),
		Format:        filters.FoldFormat(r.Format),
		Date:          r.Date(),
		Latitude:      r.Metadata.Latitude,
		Longitude:     r.Metadata.Longitude,
	}
	for _, caption := range r.Captions {
		d.Captions = append(d.Captions, caption.Text)
	}
	if r.ExternalID != "" {
		d.Values = append(d.Values, r.ExternalID)
	}
	if r.Metadata.Creator != "" {
		d.Values = append(d.Values, r.Metadata.Creator)
	}
	if r.Metadata.Label != "" {
		d.Labels = append(d.Labels, r.Metadata.Label)
	}
	if r.Metadata.Generation != "" {
		d.Values = append(d.Values, r.Metadata.Generation)
	}
	for _, name := range catalog.SortedKeys(r.Fields) {
		d.Values = append(d.Values, r.Fields[name])
	}
	return d
}

// higherFolders lists those of all of a record's files.
func higherFolders(r *index.Record) []string {
	var folders []string
	for _, file := range r.Files {
		for _, folder := range file.HigherFolders() {
			if !slices.Contains(folders, folder) {
				folders = append(folders, folder)
			}
		}
	}
	return folders
}

// displayNames lists what people know the record's files by.
func displayNames(r *index.Record) []string {
	names := make([]string, len(r.Files))
	for i, file := range r.Files {
		names[i] = file.DisplayName()
	}
	return names
}
