package representatives

const (
	// nearCosine is the cosine that rows have at least with the mean that stands for them, as long as a group has fewer
	// representatives than it may have.
	nearCosine = 0.9
	// Default is how many representatives a block of rows has at most, unless somebody says otherwise.
	Default = 4
	// Most is the most that rows are ever merged to.
	Most = 8
	// blockRows is how many rows of a group are merged at a time, so that the time a group takes stays in proportion to its rows.
	blockRows = 64
)
