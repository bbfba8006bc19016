package report

import (
	"time"

	"mekiki/index"
)

// AwayFolder is a folder whose drive seems to be away, so that what the library
// knows of it is kept.
type AwayFolder struct {
	// Folder is the folder that is empty, or the mount point that is none any more.
	Folder string `json:"folder"`
	// Files counts the files of it that are kept.
	Files int `json:"files"`
}

// Summary is what a run did.
type Summary struct {
	// Seen counts the image files found; Unchanged, Added, Changed, Reread,
	// Attached, Removed, Excluded and Failed what became of them, as in
	// [Progress]. Watching, files that later looks find as they were are not
	// counted again, and a file that is put right no longer counts as failed.
	Seen      int `json:"seen"`
	Unchanged int `json:"unchanged"`
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Reread    int `json:"reread"`
	Attached  int `json:"attached"`
	Removed   int `json:"removed"`
	Excluded  int `json:"excluded"`
	// Purged counts those of Unchanged that are not there because somebody removed them for good.
	Purged int `json:"purged,omitempty"`
	// Damaged counts those of the new and changed ones that could be read only in
	// part, as a JPEG that ends early.
	Damaged int `json:"damaged"`
	Failed  int `json:"failed"`
	// Captioned counts the pictures that got captions after all files were in.
	Captioned int `json:"captioned,omitempty"`
	// ModelShare is the model's share of the time from its first image to its last, for vectors and captions, from 0 to 1; zero
	// when it saw none.
	ModelShare float64 `json:"model_share,omitempty"`
	// Older counts those of Reread that an older version had read, which knew less
	// of what pictures say about themselves.
	Older int `json:"reread_older,omitempty"`
	// PassedOver counts the files of other kinds in the folders, by extension in
	// lower case; "" is for files without one.
	PassedOver map[string]int `json:"passed_over,omitempty"`
	// Away are the folders whose drives seem to be away.
	Away []AwayFolder `json:"away,omitempty"`
	// Failures are the files of this run that could not be indexed; at most
	// the first 1,000.
	Failures []index.Failure `json:"-"`
	// Interrupted says that the context ended before the folders were looked
	// through; the next run resumes.
	Interrupted bool `json:"interrupted"`
	// Duration is the time the run took.
	Duration time.Duration `json:"-"`
}
