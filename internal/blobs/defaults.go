package main

import "time"

// maximumBytes bounds what a source may give.
const maximumBytes = 64 << 20

// fetchTime bounds one source.
const fetchTime = 20 * time.Second
