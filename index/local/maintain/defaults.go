package maintain

// maximumManifest bounds the manifest, and backupFiles the number of files.
const maximumManifest = 64 << 20
