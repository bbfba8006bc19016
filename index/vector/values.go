package vector

// WithValues is the same view, but with Options.Values replaced: for callers who
// know where a group's vectors were when the view was taken, though the index has
// changed since.
func (v *View) WithValues(values func(group uint64) ([]float32, error)) *View {
	replaced := *v
	replaced.values = values
	return &replaced
}
