package settings

// What holds where neither the file nor the environment says otherwise.
const (
	DefaultCollection      = "Mekiki"
	DefaultConsistency     = ConsistencyQuorum
	DefaultReplication     = 3
	DefaultShards          = 0
	DefaultQuantisation    = "rq"
	DefaultRepresentatives = 4
	DefaultRegion          = "us-east-1"
	DefaultAddressing      = "auto"
	DefaultCacheSize       = 10 << 30
)

// Bounds of what the file may say.
const (
	maximumFile            = 1 << 20
	maximumReplication     = 16
	maximumShards          = 1024
	maximumRepresentatives = 4 // form.Representatives
	maximumPrefix          = 200
	minimumCacheSize       = 1 << 20
)
