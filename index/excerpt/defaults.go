package excerpt

// keptExcerpts is how many excerpts are remembered: which pictures they show at a commit.
const keptExcerpts = 32
