package cli

// maximumCalibration bounds the file of a calibration, in bytes.
const maximumCalibration = 1 << 20

// clusterWindow is how many candidates each leg of a query proposes on a cluster, until somebody reads on: each costs the
// engine a twentieth of a millisecond (docs/measurements/cluster.md).
const clusterWindow = 256

// MaximumLabelBytes bounds a file of labels.
const MaximumLabelBytes = 16 << 20

// maximumConfigurationBytes bounds what is read of the configuration file.
const maximumConfigurationBytes = 1 << 20
