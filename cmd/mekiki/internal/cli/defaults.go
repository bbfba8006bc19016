package cli

// maximumCalibration bounds the file of a calibration, in bytes.
const maximumCalibration = 1 << 20

// MaximumLabelBytes bounds a file of labels.
const MaximumLabelBytes = 16 << 20

// maximumConfigurationBytes bounds what is read of the configuration file.
const maximumConfigurationBytes = 1 << 20
