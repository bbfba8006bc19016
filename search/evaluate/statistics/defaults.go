package statistics

// bootstrapRounds is how often a sample is drawn again for an interval.
const bootstrapRounds = 1000
