package searchverbs

// mostGroups is how many groups a table shows; JSON has all.
const mostGroups = 20
