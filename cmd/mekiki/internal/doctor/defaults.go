package doctor

import "time"

// serverTime bounds a question to a server.
const serverTime = 10 * time.Second
