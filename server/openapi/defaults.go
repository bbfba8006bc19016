package openapi

// maximumViolations bounds what one check reports.
const maximumViolations = 10
