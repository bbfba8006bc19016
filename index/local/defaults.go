package local

// maximumMove is about how many bytes of a segment are moved in one commit, and
// held in memory for it.
const maximumMove = 64 << 20

// maximumKept is for how many pictures whose files have gone the library keeps what people
// gave them. When there are more, the longest gone
// make room, roomKept at a time, so that not every commit has to look for them. As many
// pictures are remembered that people removed for good.
const (
	maximumKept = 1 << 16
	roomKept    = maximumKept / 16
)
