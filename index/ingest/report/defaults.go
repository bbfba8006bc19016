package report

import "time"

// ReportInterval is the time between two reports of progress.
const ReportInterval = 200 * time.Millisecond

// rateWindow is the time over which the rate of progress is measured.
const rateWindow = 30 * time.Second

// keptFailures is how many failures a summary names.
const keptFailures = 1000

// maximumKinds bounds the extensions that are told apart.
const maximumKinds = 1000
