package shares

import "time"

// lastingUnlessTold is how long a share is good for when nobody says.
const lastingUnlessTold = 30 * 24 * time.Hour

// linkPrefix comes before a share's secret in its link, relative to the server. What follows a # is not sent to servers, and so
// stands in no log.
const linkPrefix = "/#share="
