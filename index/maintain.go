package index

import "slices"

// Finding is one thing that Check found.
type Finding struct {
	// File is relative to the library's folder; Offset is within it.
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	// Damage is true for damage, false for a remark.
	Damage bool `json:"damage"`
	// Message says what is wrong, Remedy what to do.
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
	// Records are the records that the damage touches.
	Records []ID `json:"records,omitempty"`
}

// CheckReport is the outcome of Check or Repair.
type CheckReport struct {
	// Files and Bytes count what was read and verified.
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
	// Records counts the records in the catalog.
	Records int `json:"records"`
	// Findings are in file order; none means that every byte is as written.
	Findings []Finding `json:"findings"`
	// Repaired counts the findings that Repair put right.
	Repaired int `json:"repaired"`
}

// Damaged reports whether any finding is damage.
func (r CheckReport) Damaged() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Damage })
}

// CompactResult says what compaction gave back.
type CompactResult struct {
	// Before and After are the library's bytes on disk.
	Before, After int64
	// Segments counts the segments rewritten.
	Segments int
	// Skipped counts the segments left alone because of damage.
	Skipped int
}

// ExportOptions say what Export writes.
type ExportOptions struct {
	// Filter limits the records.
	Filter Filter
	// Vectors adds each record's parts.
	Vectors bool
}
